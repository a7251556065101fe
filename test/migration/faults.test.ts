// What real servers can't be made to do on demand, over real HTTP: bad bytes, absent servers, and an end at any moment.
import assert from 'node:assert/strict';
import type { MigrationProgress } from '../../src/migration/observer.ts';
import { encodeXorChunk } from '../wire/support/chunk-encoder.ts';
import { FastClock } from './support/fake-clock.ts';
import { type FakeDestination, startDestination } from './support/fake-destination.ts';
import { type FakeSource, type Fault, regularSeries, startSource } from './support/fake-source.ts';
import {
  dayMs,
  epochMs,
  hourMs,
  minuteMs,
  planFor,
  RecordingObserver,
  type Run,
  run,
  unaccounted,
} from './support/plan.ts';
import {
  chunk,
  expected,
  field,
  frame,
  frameOf,
  type ReadQuery,
  type Series,
  uvarint,
} from './support/remote-messages.ts';

const endMs = epochMs + hourMs;
const series = regularSeries({ count: 4, fromMs: epochMs, toMs: endMs, stepMs: 15_000 });
const everything = expected(series, epochMs, endMs);
const samples = 4 * 240;

function assertSucceeded({ progress, error }: Run): void {
  assert.equal(error, undefined);
  assert.equal(progress.phase, 'Succeeded');
  assert.equal(unaccounted(progress), 0);
}

/** Everything is there once, nothing else is, and the server understood all. */
function assertComplete(destination: FakeDestination, result: Run): void {
  assertSucceeded(result);
  assert.deepEqual(destination.failures, []);
  assert.deepEqual(destination.contents(), everything);
  assert.equal(result.progress.samplesWritten, samples);
}

const lengthMs = ({ startMs, endMs }: ReadQuery) => endMs - startMs;
const streamed = 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse';
const protobuf = 'application/x-protobuf';

describe('a source with bad bytes', () => {
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
    'a frame that ends early': { contentType: streamed, body: goodFrame.subarray(0, goodFrame.length - 3) },
    'a frame of 2^60 bytes': { contentType: streamed, body: Buffer.concat([uvarint(1n << 60n), goodFrame]) },
    'a chunk that says more than it holds': {
      contentType: streamed,
      body: frameOf(labels, 1, goodChunk.subarray(0, 30), epochMs, epochMs + 5 * minuteMs - 1),
    },
    'an unknown chunk encoding': {
      contentType: streamed,
      body: frameOf(labels, 99, goodChunk, epochMs, epochMs + 1000),
    },
    'a frame that is no message': { contentType: streamed, body: frame(Buffer.from([0x0a, 0x7f, 1, 2])) },
  };
  const onTheWay = ['a wrong checksum', 'a frame that ends early', 'a frame of 2^60 bytes'];
  for (const [name, fault] of Object.entries(hostile)) {
    if (onTheWay.includes(name)) {
      it(`(${name}) for a while is asked for again, visibly, and never for SAMPLES`, async () => {
        await using source = await startSource(series);
        // As often as a proxy that damages what passes through would do it in a bad minute, after the first good response.
        source.onQuery = () => (source.queries.length > 1 && source.queries.length <= 16 ? fault : undefined);
        await using destination = await startDestination({ kind: 'keeps-all' });
        const result = await run(planFor({ source, destination }));
        assertComplete(destination, result);
        assert.ok(source.queries.every(({ streamed }) => streamed));
        assert.deepEqual(result.observer.warnings(), []);
        assert.equal(result.progress.retries, 15);
        assert.ok(result.observer.all('retry').every(({ side, code }) => side === 'source' && code === 'bad-answer'));
      });
    } else {
      it(`(${name}) is asked for SAMPLES instead, and nothing is there twice`, async () => {
        await using source = await startSource(series);
        source.onQuery = (query) => (query.streamed && query.startMs < epochMs + 5 * minuteMs ? fault : undefined);
        await using destination = await startDestination({ kind: 'keeps-all' });
        const result = await run(planFor({ source, destination }));
        assertComplete(destination, result);
        assert.ok(result.observer.warnings().includes('samples-instead-of-stream'));
        assert.ok(source.queries.at(-1)!.streamed, 'only where it was needed');
      });
    }

    it(`(${name}) whatever it is asked for fails with one clear error`, async () => {
      await using source = await startSource(series);
      source.onQuery = () => fault;
      await using destination = await startDestination();
      const observer = new RecordingObserver();
      const result = await run(planFor({ source, destination }), { observer });
      assert.equal(result.progress.phase, 'Failed');
      assert.equal(result.error?.side, 'source');
      assert.match(result.error?.code ?? '', /^bad-answer-/);
      assert.doesNotMatch(result.error?.message ?? '', /\n|\bat /);
      assert.ok(observer.mostInFlightBytes <= 32 * 1024 * 1024);
      assert.ok(source.queries.length < 12, `${source.queries.length} queries`);
      assert.equal(destination.marks().length, 0);
    });
  }

  for (const { title, declared, elements, code } of [
    { title: 'that may be true', declared: 600_000n * 64n, elements: 600_000, code: 'window-too-large' },
    { title: 'that can not be true', declared: 0xffff_ffffn, elements: 30_000, code: 'bad-answer-truncated' },
  ])
    it(`(a snappy bomb, with a length ${title}) is refused before it takes memory`, async () => {
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

  it('(a million labels in a series) fails with what was wrong, in little memory', async () => {
    await using source = await startSource(series);
    source.onQuery = () => ({ contentType: streamed, body: frame(manyLabels) });
    await using destination = await startDestination();
    const before = process.memoryUsage().rss;
    const { error, observer } = await run(planFor({ source, destination }, { endMs: epochMs + 5 * minuteMs }));
    assert.equal(error?.code, 'samples-rejected');
    const [rejected] = observer.all('rejected');
    assert.equal(rejected?.reason, 'invalid_labels');
    assert.match(rejected?.answer ?? '', /its labels take \d+ bytes, more than the 524288 that are copied/);
    assert.ok(process.memoryUsage().rss - before < 200 * 1024 * 1024);
    assert.deepEqual(destination.contents(), []);
  });

  it('(an empty body behind a good status) does not pass for an empty answer', async () => {
    await using source = await startSource(series);
    source.samplesOnly = true;
    source.onQuery = (query) =>
      source.queries.length === 2 && lengthMs(query) > 0 ? { contentType: protobuf, body: Buffer.alloc(0) } : undefined;
    await using destination = await startDestination();
    assertComplete(destination, await run(planFor({ source, destination })));
  });

  it('(a login page) is told at once to be the wrong place', async () => {
    await using source = await startSource(series);
    source.onQuery = () => ({ contentType: 'text/html', body: Buffer.from('<html><title>Sign in</title></html>') });
    await using destination = await startDestination();
    const { error, progress } = await run(planFor({ source, destination }));
    assert.equal(error?.code, 'wrong-content-type');
    assert.equal(error?.side, 'source');
    assert.match(error?.hint ?? '', /spec\.source\.url/);
    assert.equal(progress.retries, 0);
  });

  it('(a chunk that breaks after the first batches went out) twice is read a third time', async () => {
    await using source = await startSource(series);
    const broken = frameOf(labels, 1, goodChunk.subarray(0, 30), epochMs, epochMs + 5 * minuteMs - 1);
    let times = 0;
    source.onQuery = (query) =>
      query.startMs === epochMs && ++times <= 2
        ? { contentType: streamed, body: Buffer.concat([source.answer(query).body, broken]) }
        : undefined;
    await using destination = await startDestination({ kind: 'keeps-all' });
    const result = await run(planFor({ source, destination }, { limits: { samplesPerWrite: 50 } }));
    assertSucceeded(result);
    assert.deepEqual(destination.contents(), everything);
    assert.ok(source.queries.every((query) => query.streamed));
    assert.deepEqual(result.observer.warnings(), []);
    assert.equal(result.progress.retries, 2, 'visibly');
  });

  it('(a chunk that breaks after the first batches went out) again and again is read as SAMPLES', async () => {
    const many = regularSeries({ count: 40, fromMs: epochMs, toMs: epochMs + 5 * minuteMs, stepMs: 15_000 });
    for (const protocol of ['RemoteRead', 'PromQL'] as const) {
      await using source = await startSource(many);
      source.onQuery = (query) => {
        if (!query.streamed) return undefined;
        const { body } = source.answer(query);
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
      // As VictoriaMetrics: what was written is not seen at once.
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

describe('a side that is not there', () => {
  async function sides(): Promise<{ source: FakeSource; destination: FakeDestination }> {
    return { source: await startSource(series), destination: await startDestination() };
  }
  const nowhere = 'http://127.0.0.1:1/api/v1/read';
  const noName = 'http://host.name.invalid/api/v1/write';

  it('is named when the deadline of the start is over', async () => {
    const { source, destination } = await sides();
    await using _source = source;
    await using _destination = destination;
    const plan = planFor({ source, destination });
    const clock = () => new FastClock({ nowMs: epochMs + dayMs, speed: 100 });
    const cases = [
      [{ ...plan, source: { ...plan.source, url: nowhere } }, 'source', /refuse/],
      [{ ...plan, destination: { ...plan.destination, url: noName } }, 'destination', /host\.name\.invalid/],
      [
        planFor({ source, destination: { readUrl: nowhere, writeUrl: nowhere, queryUrl: nowhere } }),
        'progress',
        /refuse/,
      ],
    ] as const;
    for (const [broken, side, words] of cases) {
      const { error, observer } = await run(broken, { clock: clock(), startupDeadlineMs: 60_000 });
      assert.equal(error?.code, 'unreachable');
      assert.equal(error?.side, side);
      assert.match(error?.message ?? '', words);
      assert.ok(observer.all('retry').length > 0, 'it was tried again, visibly');
    }
  });

  it('after it has answered once is waited for longer than that', async () => {
    const { source, destination } = await sides();
    await using _source = source;
    await using _destination = destination;
    const clock = new FastClock({ nowMs: epochMs + dayMs, speed: 10_000 });
    let downUntilMs = 0;
    destination.onWrite = () => {
      if (downUntilMs === 0) downUntilMs = clock.now() + 10 * minuteMs;
      return destination.accepted.length > 0 && clock.now() < downUntilMs ? { status: 503 } : undefined;
    };
    assertComplete(destination, await run(planFor({ source, destination }), { clock, startupDeadlineMs: 10_000 }));
  });
});

describe('an abort', () => {
  const moments: Record<string, (source: FakeSource, destination: FakeDestination, abort: () => void) => void> = {
    'while the mark is looked for': (_, destination, abort) => {
      destination.onRead = () => {
        abort();
        return undefined;
      };
    },
    'while the source is silent': (source, _, abort) => {
      source.onQuery = () => {
        abort();
        return 'silence';
      };
    },
    'while the source is waited for': (source, _, abort) => {
      source.onQuery = () => {
        setTimeout(abort, 20);
        return { status: 503, headers: { 'retry-after': '100' } };
      };
    },
    'while the destination is writing': (_, destination, abort) => {
      destination.onWrite = async () => {
        abort();
        await new Promise((resolve) => setTimeout(resolve, 2000).unref());
        return undefined;
      };
    },
    'while the destination is waited for': (_, destination, abort) => {
      destination.onWrite = () => {
        setTimeout(abort, 20);
        return { status: 429, headers: { 'retry-after': '100' } };
      };
    },
    'while the mark is written': (_, destination, abort) => {
      destination.onWrite = async ({ isMark }) => {
        if (isMark) {
          abort();
          await new Promise((resolve) => setTimeout(resolve, 2000).unref());
        }
        return undefined;
      };
    },
  };
  for (const [moment, arrange] of Object.entries(moments)) {
    it(`${moment} ends it at once and leaves nothing behind`, async () => {
      await using source = await startSource(series);
      await using destination = await startDestination();
      const abort = new AbortController();
      let abortedAtMs = 0;
      arrange(source, destination, () => {
        abortedAtMs ||= performance.now();
        abort.abort();
      });
      const clock = new FastClock({ nowMs: epochMs + dayMs, speed: 10 });
      const { progress, error } = await run(planFor({ source, destination }), { abort: abort.signal, clock });
      assert.ok(performance.now() - abortedAtMs < 3000);
      assert.equal(progress.phase, 'Interrupted');
      assert.equal(error, undefined);
      const asked = source.queries.length + destination.reads + destination.accepted.length;
      await new Promise((resolve) => setTimeout(resolve, 30));
      assert.equal(source.queries.length + destination.reads + destination.accepted.length, asked);
    });
  }
});

describe('a failure', () => {
  it('of the source ends the deliveries that wait for another attempt', async () => {
    await using source = await startSource(series);
    source.onQuery = () => (source.queries.length > 1 ? { status: 401 } : undefined);
    await using destination = await startDestination();
    destination.onWrite = () => ({ status: 503 });
    const { error } = await run(planFor({ source, destination }, { destination: { ordering: 'Any' } }));
    assert.equal(error?.code, 'unauthorized');
    await new Promise((resolve) => setTimeout(resolve, 10));
    const { refused } = destination;
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(destination.refused, refused);
  });
});

describe('a stop', () => {
  it('between the parts of a window leaves it unmarked, its samples counted', async () => {
    const dense = ['alpha', 'beta', 'gamma'].flatMap((name) =>
      regularSeries({ name, count: 1, fromMs: epochMs, toMs: epochMs + 3000, stepMs: 100 }),
    );
    await using source = await startSource(dense);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const stop = new AbortController();
    source.onQuery = async (query) => {
      if (source.samplesIn(query) > 10) return { status: 413 };
      // The parts with beta or gamma never come.
      if (source.samplesIn(query) > 0 && destination.accepted.length > 0) {
        stop.abort();
        return 'silence';
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
      return undefined;
    };
    const plan = planFor({ source, destination }, { endMs: epochMs + 3000, limits: { samplesPerWrite: 5 } });
    const { progress } = await run(plan, { stop: stop.signal });
    assert.equal(progress.phase, 'Interrupted');
    assert.ok(progress.samplesWritten > 0);
    assert.equal(unaccounted(progress), 0);
    assert.equal(destination.marks().length, 0);
    source.onQuery = () => undefined;
    assertSucceeded(await run(plan));
    assert.deepEqual(destination.contents(), expected(dense, epochMs, epochMs + 3000));
  });
});

describe('the memory budget', () => {
  it('splits what does not fit, and is never passed', async () => {
    // About 6 MB of labels in one answer, where reading may use 4.5 MB.
    const large: Series[] = Array.from({ length: 1500 }, (_, i) => ({
      labels: [
        ['__name__', 'wide'],
        ['pad', `${i}`.padStart(4000, 'abcdefgh')],
      ],
      samples: [{ timeMs: epochMs + i * 150, bits: 0n }],
    }));
    await using source = await startSource(large);
    source.samplesOnly = true;
    await using destination = await startDestination({ kind: 'keeps-all' });
    const observer = new RecordingObserver();
    const held: number[] = [];
    observer.onProgress = (progress: Readonly<MigrationProgress>) => held.push(progress.inFlightBytes);
    const memoryBytes = 11.5 * 1024 * 1024;
    const plan = planFor(
      { source, destination },
      { endMs: epochMs + 4 * minuteMs, limits: { memoryBytes, samplesPerWrite: 10_000 } },
    );
    const result = await run(plan, { observer });
    assertSucceeded(result);
    assert.equal(result.progress.samplesWritten, 1500);
    assert.ok(result.observer.all('window-split').length > 0);
    assert.ok(Math.max(...held) <= memoryBytes);
    assert.ok(Math.max(...held) > 1024 * 1024);
    assert.deepEqual(destination.contents(), expected(large, epochMs, endMs));
  });
});
