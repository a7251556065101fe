// Responses that are larger than the memory: they are handed on while they arrive. Whole runs over real HTTP; the source fails after some of
// the window was written.
import assert from 'node:assert/strict';
import { type FakeDestination, startDestination } from './support/fake-destination.ts';
import { type FakeSource, type Fault, regularSeries, startSource } from './support/fake-source.ts';
import {
  assertSucceeded,
  dayMs,
  epochMs,
  minuteMs,
  planFor,
  RecordingObserver,
  type Run,
  run,
} from './support/plan.ts';
import { expected, frameOf, type Series } from './support/remote-messages.ts';
import { KERNEL_BYTES } from '../../src/wire/kernel/kernel.ts';

const streamed = 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse';
const windowMs = 30 * minuteMs;
const endMs = epochMs + windowMs;
const names = 20;
const seriesPerName = 150;
const series = Array.from({ length: names }, (_, i) => wide(`metric_${String(i).padStart(2, '0')}`)).flat();
const samples = series.length * 3;
const everything = expected(series, epochMs, endMs);
/** A response takes 6 MB. Reading may use 5 MiB, and a part is a quarter of that. */
const memoryBytes = 12 * 1024 * 1024 + KERNEL_BYTES;
const readBudgetBytes = 5 * 1024 * 1024;

/** Series with 2 kB of labels and three samples. */
function wide(name: string, atMs = epochMs): Series[] {
  const padding = 'x'.repeat(2000);
  return regularSeries({ name, count: seriesPerName, fromMs: atMs, toMs: endMs, stepMs: 10 * minuteMs }).map(
    ({ labels, samples: list }) => ({ labels: [...labels, ['padding', padding] as const], samples: list }),
  );
}

function smallPlan(
  sides: { source: FakeSource; destination: FakeDestination },
  changes: Parameters<typeof planFor>[1] = {},
) {
  // The clock is fast: a response of megabytes takes minutes to begin.
  const timeouts = { connectMs: 10_000, firstByteMs: 10_000_000, silenceMs: 10_000_000 };
  return planFor(sides, { endMs, ...changes, source: { timeouts }, limits: { memoryBytes, ...changes.limits } });
}

/** Everything is stored exactly once, and the fake server reported no failures. */
function assertComplete(destination: FakeDestination, result: Run): void {
  assertSucceeded(result);
  assert.deepEqual(destination.failures, []);
  assert.deepEqual(destination.contents(), everything);
  assert.equal(result.progress.samplesRead, samples);
  assert.equal(result.progress.samplesWritten + result.progress.samplesAlreadyPresent, samples);
  assert.ok(result.observer.mostInFlightBytes <= readBudgetBytes, `${result.observer.mostInFlightBytes} bytes`);
}

describe('a response that is larger than the memory', () => {
  it('is read once, as one window with one mark, and written while it arrives', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    let writtenBeforeEnd = 0;
    const observer = new RecordingObserver();
    observer.onEvent = (event) => {
      if (event.type === 'request' && event.side === 'source') writtenBeforeEnd = destination.accepted.length;
    };
    const result = await run(smallPlan({ source, destination }), { observer });
    assertComplete(destination, result);
    assert.equal(source.queries.length, 1);
    assert.equal(destination.marks().length, 1);
    assert.equal(result.progress.windows, 1);
    assert.equal(result.progress.samplesWritten, samples);
    assert.equal(result.progress.series, series.length);
    assert.deepEqual(observer.all('window-split'), []);
    assert.ok(writtenBeforeEnd >= 3, `${writtenBeforeEnd} requests were written before the response had ended`);
  });

  it('is read once in every window, whatever the number of its series', async () => {
    const hours = expected(series, epochMs, endMs).flatMap(({ labels, samples: list }) => ({
      labels,
      samples: [0, 1, 2, 3].flatMap((k) => list.map(({ timeMs, bits }) => ({ timeMs: timeMs + k * windowMs, bits }))),
    }));
    await using source = await startSource(hours);
    source.samplesPerChunk = 3;
    await using destination = await startDestination();
    const result = await run(smallPlan({ source, destination }, { endMs: epochMs + 4 * windowMs }));
    assertSucceeded(result);
    assert.deepEqual(destination.contents(), expected(hours, epochMs, epochMs + 4 * windowMs));
    const { length } = source.queries.filter(({ endMs: last, startMs }) => last - startMs > 1);
    assert.equal(length, 4, 'and one probe');
    assert.equal(destination.marks().length, 4);
  });

  it('waits under back-pressure, which does not count as silence of the source', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    // The clock is fast: the source may be silent for a second, and waits for longer.
    const until = Date.now() + 2500;
    destination.onWrite = ({ isMark }) => (!isMark && Date.now() < until ? { status: 503 } : undefined);
    const plan = smallPlan({ source, destination });
    const timeouts = { ...plan.source.timeouts, silenceMs: 1_000_000 };
    const result = await run({ ...plan, source: { ...plan.source, timeouts } });
    assertComplete(destination, result);
    assert.equal(source.queries.length, 1);
    assert.ok(result.observer.all('retry').every(({ side }) => side === 'destination'));
  });

  it('is held, and read by name, if the destination cannot be read back', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    source.onQuery = () => (source.queries.length === 1 ? { cutAfterBytes: 4_000_000 } : undefined);
    // Nothing of the first response counts, and the clock is fast: ten minutes are 0.6 s.
    const options = { startupDeadlineMs: dayMs };
    const result = await run(smallPlan({ source, destination }, { protocol: 'None' }), options);
    assertComplete(destination, result);
    assert.ok(result.observer.all('window-split').length > 0);
  });
});

describe('a response that fails after some of it was written', () => {
  const damage: Record<string, (body: Buffer) => Fault> = {
    'a closed connection': () => ({ cutAfterBytes: 5_000_000 }),
    'a wrong checksum': (body) => {
      const damaged = Buffer.from(body);
      damaged[5_500_000]! ^= 1;
      return { contentType: streamed, body: damaged };
    },
    'a truncated frame': (body) => ({ contentType: streamed, body: body.subarray(0, body.length - 3) }),
  };
  for (const [name, faultOf] of Object.entries(damage)) {
    it(`by ${name} is read again and compared: nothing is lost or stored twice`, async () => {
      await using source = await startSource(series);
      await using destination = await startDestination({ kind: 'keeps-all' });
      source.onQuery = (query) => (source.queries.length === 1 ? faultOf(source.response(query).body) : undefined);
      const result = await run(smallPlan({ source, destination }));
      assertComplete(destination, result);
      assert.ok(result.progress.samplesAlreadyPresent > 0, 'some of it had been written');
      assert.equal(result.observer.all('retry').filter(({ side }) => side === 'source').length, 1);
    });
  }

  it('with an error text instead of its end is read again and compared', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    source.onQuery = (query) => {
      if (source.queries.length > 1) return undefined;
      const some = new Set(series.slice(0, 2500));
      source.series = [...some];
      const { body } = source.response(query);
      source.series = series;
      return {
        contentType: streamed,
        body: Buffer.concat([body, Buffer.from('expanding series: context canceled\n')]),
      };
    };
    const result = await run(smallPlan({ source, destination }));
    assertComplete(destination, result);
    assert.ok(result.progress.samplesAlreadyPresent > 0);
  });

  it('every time, in every window, is read in the end: a window that is read again is held', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    source.onQuery = (query) =>
      query.endMs - query.startMs > 20 * minuteMs ? { cutAfterBytes: 4_000_000 } : undefined;
    const result = await run(smallPlan({ source, destination }));
    assertComplete(destination, result);
    assert.ok(source.queries.length < 60, `${source.queries.length} queries`);
  });

  it('because a late chunk cannot be decoded is read as SAMPLES', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const last = series.at(-1)!;
    const bad = frameOf(last.labels, 99, Buffer.alloc(20), epochMs, endMs - 1);
    source.onQuery = (query) => {
      if (!query.streamed) return undefined;
      const { body } = source.response(query);
      return body.length > 5_000_000 || body.includes(Buffer.from('metric_19'))
        ? { contentType: streamed, body: Buffer.concat([body, bad]) }
        : undefined;
    };
    const result = await run(smallPlan({ source, destination }));
    assertComplete(destination, result);
    assert.ok(result.observer.warnings().includes('samples-instead-of-stream'));
  });
});

describe('a response that can only be written as a whole', () => {
  it('because a label set is in two places is read again, and the next windows are held', async () => {
    // The second half of each of the first series comes at the end.
    const early = (list: readonly Series[]) =>
      list.map(({ labels, samples: all }) => ({
        labels,
        samples: all.filter(({ timeMs }) => timeMs < epochMs + 10 * minuteMs),
      }));
    const late = (list: readonly Series[]) =>
      list.map(({ labels, samples: all }) => ({
        labels,
        samples: all.filter(({ timeMs }) => timeMs >= epochMs + 10 * minuteMs),
      }));
    const first = series.slice(0, 10);
    await using source = await startSource([...early(first), ...series.slice(10), ...late(first)]);
    await using destination = await startDestination({ kind: 'strict' });
    const result = await run(smallPlan({ source, destination }));
    assertComplete(destination, result);
    assert.ok(result.progress.samplesAlreadyPresent > 0);
    assert.ok(result.observer.all('retry').length === 0, 'that is no failure of the source');
  });

  for (const [kind, ordering] of [
    ['keeps-all', 'Any'],
    // Samples of the second part would be older than those of the first part.
    ['strict', 'InOrder'],
  ] as const)
    it(`because relabelling merges series from two parts has every sample once: ${ordering}`, async () => {
      // More than a part of any size, in a memory in which it can be merged.
      const more = Array.from({ length: 10 }, (_, i) => wide(`metric_${30 + i}`)).flat();
      const others = wide('metric_99', epochMs + 5 * minuteMs);
      const merged = [...series, ...more, ...others];
      const relabelings = [
        {
          sourceLabels: ['__name__'],
          separator: ';',
          regex: 'metric_(00|99)',
          targetLabel: '__name__',
          replacement: 'merged',
          action: 'replace' as const,
          modulus: 0,
        },
      ];
      await using source = await startSource(merged);
      await using destination = await startDestination({ kind });
      const result = await run(
        smallPlan(
          { source, destination },
          { relabelings, destination: { ordering }, limits: { memoryBytes: 80 * 1024 * 1024 + KERNEL_BYTES } },
        ),
      );
      assertSucceeded(result);
      assert.equal(result.progress.samplesAlreadyPresent > 0, ordering === 'Any');
      const found = destination.contents().filter(({ labels }) => labels.some(([, value]) => value === 'merged'));
      assert.equal(found.length, seriesPerName);
      for (const one of found) assert.equal(one.samples.length, 3 + others[0]!.samples.length);
    });
});

describe('a run that ends between two parts', () => {
  for (const end of ['stop', 'abort'] as const) {
    it(`by ${end} marks nothing of the window, and the next run writes what is missing`, async () => {
      await using source = await startSource(series);
      await using destination = await startDestination({ kind: 'keeps-all' });
      const controller = new AbortController();
      destination.onStored = async ({ isMark }) => {
        if (!isMark) controller.abort();
        await new Promise((resolve) => setTimeout(resolve, 50));
      };
      const { progress } = await run(smallPlan({ source, destination }), { [end]: controller.signal });
      await destination.settled();
      assert.equal(progress.phase, 'Interrupted');
      assert.equal(destination.marks().length, 0);
      destination.onStored = () => undefined;
      const result = await run(smallPlan({ source, destination }));
      assertComplete(destination, result);
      assert.ok(result.progress.samplesAlreadyPresent > 0);
    });
  }
});
