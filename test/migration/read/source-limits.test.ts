// Sources with response limits, in whole migrations: the cost of adapting, and that it happens once.
import assert from 'node:assert/strict';
import { cortex } from '../../support/stores/cortex.ts';
import { type FakeStore, startFakeStore } from '../../support/stores/fake-store.ts';
import { m3 } from '../../support/stores/m3.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { thanos } from '../../support/stores/thanos.ts';
import { startDestination } from '../support/fake-destination.ts';
import { regularSeries, startSource } from '../support/fake-source.ts';
import { dayMs, epochMs, hourMs, minuteMs, planFor, type Run, run, unaccounted } from '../support/plan.ts';
import { expected, keyOf, type Series } from '../support/remote-messages.ts';
import { KERNEL_BYTES } from '../../../src/wire/kernel/kernel.ts';

const names = [
  'container_cpu_usage_seconds_total',
  'container_memory_working_set_bytes',
  'go_goroutines',
  'http_request_duration_seconds_bucket',
  'http_requests_total',
  'kube_pod_info',
  'node_cpu_seconds_total',
  'node_memory_MemFree_bytes',
  'process_cpu_seconds_total',
  'up',
];

function seriesUntil(toMs: number, stepMs = 15_000): Series[] {
  return names.flatMap((name) => regularSeries({ name, count: 10, fromMs: epochMs, toMs, stepMs }));
}

async function copyOf(source: FakeStore, lengthMs: number): Promise<Run & { readonly missing: number }> {
  await using destination = await startFakeStore(prometheus());
  const result = await run(planFor({ source, destination }, { endMs: epochMs + lengthMs }));
  const copied = new Map(destination.series().map(({ labels, samples }) => [keyOf(labels), samples.length]));
  const missing = source.series().filter(({ labels, samples }) => copied.get(keyOf(labels)) !== samples.length).length;
  return { ...result, missing };
}

const refused = (source: FakeStore) => source.requestsOf('read').filter(({ status }) => status === 400).length;

describe('a limit of the source that a shorter window does not avoid', () => {
  const cases = [
    // 2029, 484 and 2029 requests when windows first shrank to a second and names were split in each of them.
    ['Cortex, on series', cortex({ maxFetchedSeries: 34 }), 20],
    ['M3, on series', m3({ maxFetchedSeries: 34 }), 20],
    ['Cortex, on bytes', cortex({ maxFetchedBytes: 34 * 17 * 4 }), 20],
  ] as const;
  for (const [what, behaviour, mostRequests] of cases) {
    it(`(${what}) costs a few requests, for one window`, async () => {
      await using source = await startFakeStore(behaviour);
      source.put(seriesUntil(epochMs + 4 * minuteMs));
      const { error, progress, missing, observer } = await copyOf(source, 4 * minuteMs);
      assert.equal(error, undefined);
      assert.equal(missing, 0);
      assert.equal(unaccounted(progress), 0);
      const requests = source.requestsOf('read').length;
      assert.ok(requests <= mostRequests, `${requests} requests`);
      assert.equal(progress.windows, 1, 'at the length that it began with');
      const splits = observer.all('window-split').map(({ by }) => by);
      assert.ok(splits.lastIndexOf('time') < splits.indexOf('name'), 'first in vain by time, then by name');
    });
  }

  it('is remembered for the rest of the run', async () => {
    await using source = await startFakeStore(cortex({ maxFetchedSeries: 34 }));
    source.put(seriesUntil(epochMs + 4 * hourMs, minuteMs));
    const { error, progress, missing } = await copyOf(source, 4 * hourMs);
    assert.equal(error, undefined);
    assert.equal(missing, 0);
    assert.ok(refused(source) <= 10, `${refused(source)} refusals`);
    assert.ok(progress.windows <= 8 + 3, `${progress.windows} windows of up to half an hour`);
    const requests = source.requestsOf('read').length;
    assert.ok(requests < 8 * progress.windows, `${requests} requests for ${progress.windows} windows`);
  });

  it('and that a single metric exceeds ends the migration, and names the limit to raise', async () => {
    await using source = await startFakeStore(cortex({ maxFetchedSeries: 20 }));
    source.put(regularSeries({ name: 'up', count: 30, fromMs: epochMs, toMs: epochMs + hourMs, stepMs: 15_000 }));
    const { error } = await copyOf(source, hourMs);
    assert.equal(error?.code, 'window-too-large');
    assert.equal(error.side, 'source');
    assert.match(error.hint ?? '', /max_fetched_series_per_query/);
  });
});

describe('a limit of the source on samples', () => {
  it('is met by shorter windows alone', async () => {
    const series = seriesUntil(epochMs + 30 * minuteMs);
    await using source = await startSource(series);
    source.onQuery = (query) =>
      source.samplesIn(query) > 1000 ? { status: 400, text: 'exceeded sample limit (1000)' } : undefined;
    await using destination = await startDestination({ kind: 'keeps-all' });
    const result = await run(planFor({ source, destination }, { endMs: epochMs + 30 * minuteMs }));
    assert.equal(result.error, undefined);
    assert.deepEqual(destination.contents(), expected(series, epochMs, epochMs + 30 * minuteMs));
    assert.ok(result.observer.all('window-split').every(({ by }) => by === 'time'));
    // 12,000 samples, at most 1,000 at once.
    assert.ok(source.queries.length < 40, `${source.queries.length} queries`);
  });
});

describe('a stride over an empty stretch', () => {
  it('that reaches a metric whose labels do not fit into memory writes no long window', async () => {
    const dataMs = epochMs + 20 * dayMs;
    // About 6 MB of labels, half of them in any half hour, where reads may use 4.5 MB.
    const large: Series[] = Array.from({ length: 1500 }, (_, i) => ({
      labels: [
        ['__name__', 'wide'],
        ['pad', `${i}`.padStart(4000, 'abcdefgh')],
      ],
      samples: [{ timeMs: dataMs + i * 2400, bits: 0n }],
    }));
    await using source = await startSource(large);
    source.samplesPerChunk = 1;
    await using destination = await startDestination({ kind: 'keeps-all' });
    const plan = planFor({ source, destination }, { endMs: dataMs + hourMs });
    const result = await run({ ...plan, limits: { ...plan.limits, memoryBytes: 11.5 * 1024 * 1024 + KERNEL_BYTES } });
    assert.equal(result.error, undefined);
    assert.deepEqual(destination.contents(), expected(large, epochMs, dataMs + hourMs));
    const windows = result.observer.all('window-finished');
    const longest = (ofThese: typeof windows) => Math.max(...ofThese.map(({ fromMs, toMs }) => toMs - fromMs));
    assert.ok(longest(windows) > dayMs, 'the empty days were crossed in strides');
    assert.ok(longest(windows.filter(({ samplesRead }) => samplesRead > 0)) <= plan.window.maxMs);
  });
});

describe('thanos-remote-read, which cannot serve native histograms', () => {
  it('ends the migration immediately, and names the metrics to exclude', async () => {
    await using source = await startFakeStore(thanos());
    source.put(regularSeries({ count: 2, fromMs: epochMs, toMs: epochMs + hourMs, stepMs: minuteMs }));
    source.put([
      {
        labels: [['__name__', 'latency_seconds']],
        samples: [],
        // Only a timestamp.
        histograms: [{ timeMs: epochMs + 40 * minuteMs, message: new Uint8Array([0x78, 0]) }],
      },
    ]);
    await using destination = await startFakeStore(prometheus());
    const { error, progress } = await run(planFor({ source, destination }));
    assert.equal(error?.code, 'histograms-not-served');
    assert.equal(error.side, 'source');
    assert.match(error.hint ?? '', /spec\.selectors/);
    assert.equal(progress.retries, 0);
  });
});
