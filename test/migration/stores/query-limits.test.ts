// Sources whose limits count series or bytes of a query: a shorter window does not help, fewer names do.

import assert from 'node:assert/strict';
import { cortex } from '../../support/stores/cortex.ts';
import { type Behaviour, startFakeStore } from '../../support/stores/fake-store.ts';
import { m3 } from '../../support/stores/m3.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { epochMs, hourMs, minuteMs, planFor, run } from '../support/plan.ts';
import type { Series } from '../support/remote-messages.ts';
import { abortAfter, assertComplete, countOf } from './support/copies.ts';
import { changed, testSeries } from './support/store-cases.ts';

/** Twelve names with six series each. */
const series: Series[] = Array.from({ length: 12 }, (_, i) =>
  testSeries(epochMs, epochMs + hourMs / 4).map(({ labels, samples }) => ({
    labels: labels.map(([name, value]) => [name, name === '__name__' ? `name_${i}` : value] as const),
    samples,
    histograms: [],
  })),
).flat();
const due = changed(series, (bits) => (bits === 1n << 63n ? 0n : bits));

const stores: readonly (readonly [string, () => Behaviour])[] = [
  ['max_fetched_series_per_query of Cortex', () => cortex({ maxFetchedSeries: 20 })],
  ['max_fetched_data_bytes_per_query of Cortex', () => cortex({ maxFetchedBytes: 2500 })],
  ['the series limit of M3', () => m3({ maxFetchedSeries: 20 })],
];

describe('a limit on the size of one query', () => {
  for (const [name, open] of stores) {
    it(`(${name}) is met by splitting names, at a length that works, and is remembered`, async () => {
      await using source = await startFakeStore(open());
      source.put(series);
      await using destination = await startFakeStore(prometheus());
      const result = await run(planFor({ source, destination }), abortAfter(source, 500));
      assertComplete(result, destination, due);
      assert.equal(result.progress.samplesWritten, countOf(series));
      const reads = source.requestsOf('read');
      const lengthMs = ({ query }: (typeof reads)[number]) => query!.endMs - query!.startMs + 1;
      // Halving the time is tried only a few times, without effect.
      const shortest = Math.min(...reads.map(lengthMs));
      assert.ok(shortest > 15_000, `a window of ${shortest} ms`);
      const responded = reads.filter(({ status }) => status === 200);
      assert.ok(Math.min(...responded.map(lengthMs)) >= 5 * minuteMs, 'names are split at the longest window');
      const later = reads.filter(({ query }) => query!.startMs >= epochMs + 5 * minuteMs);
      assert.ok(later.length > 0);
      assert.deepEqual(
        later.filter(({ status }) => status !== 200),
        [],
        'what was learned is remembered',
      );
    });
  }
});
