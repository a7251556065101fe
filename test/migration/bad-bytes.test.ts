// Sources that send corrupt bytes: damaged in transit, damaged at rest, hostile. Real servers cannot be made to send them.
import assert from 'node:assert/strict';
import { compress, decompress } from '../../src/wire/snappy/snappy.ts';
import { encodeXorChunk } from '../wire/support/chunk-encoder.ts';
import { FastClock } from './support/fake-clock.ts';
import { type FakeDestination, startDestination } from './support/fake-destination.ts';
import { type FakeSource, type Fault, regularSeries, startSource } from './support/fake-source.ts';
import {
  assertSucceeded,
  dayMs,
  epochMs,
  hourMs,
  minuteMs,
  planFor,
  RecordingObserver,
  type Run,
  run,
} from './support/plan.ts';
import { chunk, expected, field, frame, frameOf, type ReadQuery, uvarint } from './support/remote-messages.ts';

const endMs = epochMs + hourMs;
const series = regularSeries({ count: 4, fromMs: epochMs, toMs: endMs, stepMs: 15_000 });
const everything = expected(series, epochMs, endMs);
const samples = 4 * 240;

/** Everything is stored exactly once, and the fake server reported no failures. */
function assertComplete(destination: FakeDestination, result: Run): void {
  assertSucceeded(result);
  assert.deepEqual(destination.failures, []);
  assert.deepEqual(destination.contents(), everything);
  assert.equal(result.progress.samplesWritten, samples);
}

const lengthMs = ({ startMs, endMs }: ReadQuery) => endMs - startMs;
const SAMPLE_VALUE_TAG = 0x09;
const WIRE_TYPE_7 = 0x0f;
const streamed = 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse';
const protobuf = 'application/x-protobuf';

describe('a source that sends corrupt bytes', () => {
  const goodChunk = encodeXorChunk(series[0]!.samples.slice(0, 20));
  const labels = series[0]!.labels;
  const goodFrame = frameOf(labels, 1, goodChunk, epochMs, epochMs + 5 * minuteMs - 1);
  const wrongChecksum = Buffer.from(goodFrame);
  wrongChecksum[wrongChecksum.length - 1]! ^= 1;
  const manyLabels = field(
    1,
    Buffer.concat([Buffer.alloc(2 * 1_000_000, Uint8Array.of(0x0a, 0)), chunk(epochMs, epochMs + 1000, 1, goodChunk)]),
  );
  const hostile: Record<string, Fault> = {
    'a wrong checksum': { contentType: streamed, body: wrongChecksum },
    'a truncated frame': { contentType: streamed, body: goodFrame.subarray(0, goodFrame.length - 3) },
    'a frame of 2^60 bytes': { contentType: streamed, body: Buffer.concat([uvarint(1n << 60n), goodFrame]) },
    'a chunk that declares more samples than it contains': {
      contentType: streamed,
      body: frameOf(labels, 1, goodChunk.subarray(0, 30), epochMs, epochMs + 5 * minuteMs - 1),
    },
    'an unknown chunk encoding': {
      contentType: streamed,
      body: frameOf(labels, 99, goodChunk, epochMs, epochMs + 1000),
    },
    'a frame that is not a message': { contentType: streamed, body: frame(Buffer.from([0x0a, 0x7f, 1, 2])) },
  };
  const onTheWay = ['a wrong checksum', 'a truncated frame', 'a frame of 2^60 bytes'];
  for (const [name, fault] of Object.entries(hostile)) {
    if (onTheWay.includes(name)) {
      it(`(${name}) temporarily is read again, with an event, and never as SAMPLES`, async () => {
        await using source = await startSource(series);
        // As often as a proxy that damages traffic could do it in a bad minute, after the first good response.
        source.onQuery = () => (source.queries.length > 1 && source.queries.length <= 16 ? fault : undefined);
        await using destination = await startDestination({ kind: 'keeps-all' });
        const result = await run(planFor({ source, destination }));
        assertComplete(destination, result);
        assert.ok(source.queries.every(({ streamed }) => streamed));
        assert.deepEqual(result.observer.warnings(), []);
        assert.equal(result.progress.retries, 15);
        assert.ok(result.observer.all('retry').every(({ side, code }) => side === 'source' && code === 'bad-response'));
      });
    } else {
      it(`(${name}) is read as SAMPLES instead, without duplicates`, async () => {
        await using source = await startSource(series);
        source.onQuery = (query) => (query.streamed && query.startMs < epochMs + 5 * minuteMs ? fault : undefined);
        await using destination = await startDestination({ kind: 'keeps-all' });
        const result = await run(planFor({ source, destination }, { window: { maxMs: 5 * minuteMs } }));
        assertComplete(destination, result);
        assert.deepEqual(result.observer.warnings(), ['samples-instead-of-stream', 'possibly-altered']);
        assert.ok(source.queries.at(-1)!.streamed, 'only where it was needed');
        // Five minutes of four series; one of the values is 0, which may have been −0.
        assert.equal(result.progress.samplesReadPlain, 4 * 20);
        assert.equal(result.progress.samplesAlteredAtMost, 1);
        assert.match(result.observer.all('warning').at(-1)!.message, /at most 1 of them/);
      });
    }

    it(`(${name}) in both formats fails with one clear error`, async () => {
      await using source = await startSource(series);
      source.onQuery = () => fault;
      await using destination = await startDestination();
      const observer = new RecordingObserver();
      const result = await run(planFor({ source, destination }), { observer });
      assert.equal(result.progress.phase, 'Failed');
      assert.equal(result.error?.side, 'source');
      assert.match(result.error?.code ?? '', /^bad-response-/);
      assert.doesNotMatch(result.error?.message ?? '', /\n|\bat /);
      assert.ok(observer.mostInFlightBytes <= 32 * 1024 * 1024);
      assert.ok(source.queries.length < 12, `${source.queries.length} queries`);
      assert.equal(destination.marks().length, 0);
    });
  }

  for (const { title, declared, elements, code } of [
    { title: 'that is possible', declared: 600_000n * 64n, elements: 600_000, code: 'window-too-large' },
    { title: 'that is impossible', declared: 0xffff_ffffn, elements: 30_000, code: 'bad-response-truncated' },
  ])
    it(`(a snappy bomb, with a length ${title}) is rejected before memory is allocated`, async () => {
      await using source = await startSource(series);
      const bomb = Buffer.concat([
        uvarint(declared),
        Buffer.from([0x00, 0x61]),
        Buffer.alloc(3 * elements, Uint8Array.of(0xfe, 1, 0)),
      ]);
      source.onQuery = () => ({ contentType: protobuf, body: bomb });
      await using destination = await startDestination();
      const before = process.memoryUsage().rss;
      const observer = new RecordingObserver();
      let most = 0;
      observer.onProgress = () => (most = Math.max(most, process.memoryUsage().rss));
      observer.onEvent = () => (most = Math.max(most, process.memoryUsage().rss));
      const { error } = await run(planFor({ source, destination }), { observer });
      assert.equal(error?.code, code);
      assert.equal(error?.side, 'source');
      if (code === 'window-too-large') assert.match(error?.hint ?? '', /limits\.memory/);
      assert.ok(observer.mostInFlightBytes <= 32 * 1024 * 1024);
      assert.ok(most - before < 200 * 1024 * 1024, `grew by ${most - before} bytes`);
    });

  it('(a million labels in a series) fails with the cause, in little memory', async () => {
    await using source = await startSource(series);
    source.onQuery = () => ({ contentType: streamed, body: frame(manyLabels) });
    await using destination = await startDestination();
    const before = process.memoryUsage().rss;
    const { error, observer } = await run(planFor({ source, destination }, { endMs: epochMs + 5 * minuteMs }));
    assert.equal(error?.code, 'samples-rejected');
    const [rejected] = observer.all('rejected');
    assert.equal(rejected?.reason, 'invalid_labels');
    assert.match(rejected?.response ?? '', /its labels take \d+ bytes; at most 524288 are copied/);
    assert.ok(process.memoryUsage().rss - before < 200 * 1024 * 1024);
    assert.deepEqual(destination.contents(), []);
  });

  it('(an empty body with a success status) is not treated as an empty response', async () => {
    await using source = await startSource(series);
    source.samplesOnly = true;
    source.onQuery = (query) =>
      source.queries.length === 2 && lengthMs(query) > 0 ? { contentType: protobuf, body: Buffer.alloc(0) } : undefined;
    await using destination = await startDestination();
    assertComplete(destination, await run(planFor({ source, destination })));
  });

  it('(a login page) is reported immediately as a wrong URL', async () => {
    await using source = await startSource(series);
    source.onQuery = () => ({ contentType: 'text/html', body: Buffer.from('<html><title>Sign in</title></html>') });
    await using destination = await startDestination();
    const { error, progress } = await run(planFor({ source, destination }));
    assert.equal(error?.code, 'wrong-content-type');
    assert.equal(error?.side, 'source');
    assert.match(error?.hint ?? '', /spec\.source\.url/);
    assert.equal(progress.retries, 0);
  });

  it('(a chunk that is corrupt after the first batches were written) twice is read a third time', async () => {
    await using source = await startSource(series);
    const broken = frameOf(labels, 1, goodChunk.subarray(0, 30), epochMs, epochMs + 5 * minuteMs - 1);
    let times = 0;
    source.onQuery = (query) =>
      query.startMs === epochMs && ++times <= 2
        ? { contentType: streamed, body: Buffer.concat([source.response(query).body, broken]) }
        : undefined;
    await using destination = await startDestination({ kind: 'keeps-all' });
    const result = await run(planFor({ source, destination }, { limits: { samplesPerWrite: 50 } }));
    assertSucceeded(result);
    assert.deepEqual(destination.contents(), everything);
    assert.ok(source.queries.every((query) => query.streamed));
    assert.deepEqual(result.observer.warnings(), []);
    assert.equal(result.progress.retries, 2, 'visibly');
  });

  /** Plain samples have no checksum: a flipped bit in the snappy block may cause an error only in the last series. */
  function brokenPlain(source: FakeSource, query: ReadQuery): Fault {
    const message = Buffer.from(decompress(source.response(query).body, 1024 * 1024));
    const at = message.lastIndexOf(SAMPLE_VALUE_TAG);
    message[at] = WIRE_TYPE_7;
    return { contentType: protobuf, body: compress(message) };
  }

  it('(plain samples that are corrupt after the first batches were written) temporarily are read again', async () => {
    await using source = await startSource(series);
    source.samplesOnly = true;
    let times = 0;
    source.onQuery = (query) => (query.startMs === epochMs && ++times <= 3 ? brokenPlain(source, query) : undefined);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const plan = planFor({ source, destination }, { source: { readMode: 'Samples' }, limits: { samplesPerWrite: 50 } });
    const result = await run(plan);
    assertSucceeded(result);
    assert.deepEqual(destination.contents(), everything);
    assert.equal(result.progress.retries, 3, 'visibly');
    assert.ok(result.progress.samplesAlreadyPresent > 0, 'some had been written');
  });

  it('(plain samples that are corrupt after the first batches were written) in the same way every time end the migration', async () => {
    await using source = await startSource(series);
    source.samplesOnly = true;
    source.onQuery = (query) => (query.startMs === epochMs ? brokenPlain(source, query) : undefined);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const plan = planFor({ source, destination }, { source: { readMode: 'Samples' }, limits: { samplesPerWrite: 50 } });
    const { error, progress } = await run(plan);
    assert.equal(error?.side, 'source');
    assert.equal(error?.code, 'bad-response-corrupt');
    assert.equal(progress.retries, 4);
  });

  it('(a chunk that is corrupt after the first batches were written) repeatedly is read as SAMPLES', async () => {
    const many = regularSeries({ count: 40, fromMs: epochMs, toMs: epochMs + 5 * minuteMs, stepMs: 15_000 });
    for (const protocol of ['RemoteRead', 'PromQL'] as const) {
      await using source = await startSource(many);
      source.onQuery = (query) => {
        if (!query.streamed) return undefined;
        const { body } = source.response(query);
        const broken = frameOf(
          [['__name__', 'zz']],
          1,
          encodeXorChunk(many[0]!.samples).subarray(0, 25),
          epochMs,
          epochMs + 1000,
        );
        return { contentType: streamed, body: Buffer.concat([body, broken]) };
      };
      await using destination = await startDestination({ kind: 'keeps-all' });
      const clock = new FastClock({ nowMs: epochMs + dayMs, speed: 100 });
      // Like VictoriaMetrics: written samples are not visible immediately.
      destination.hiddenForMs = protocol === 'PromQL' ? 2000 : 0;
      destination.now = () => clock.now();
      const plan = planFor(
        { source, destination },
        { protocol, endMs: epochMs + 5 * minuteMs, limits: { samplesPerWrite: 50 } },
      );
      const result = await run(plan, { clock });
      assertSucceeded(result);
      assert.deepEqual(destination.contents(), expected(many, epochMs, epochMs + 5 * minuteMs));
      assert.equal(result.progress.samplesRead, 800);
      assert.ok(result.progress.samplesAlreadyPresent > 0, 'some had been written');
    }
  });
});
