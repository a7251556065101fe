// Sources and checks that the tests of this folder share.

import assert from 'node:assert/strict';
import { type FakeStore, startFakeStore } from '../../../support/stores/fake-store.ts';
import { prometheus } from '../../../support/stores/prometheus.ts';
import { epochMs, hourMs, type Run, unaccounted } from '../../support/plan.ts';
import { encodeHistogram } from '../../../support/stores/messages.ts';
import type { Series } from '../../support/remote-messages.ts';
import { differences, testSeries } from './store-cases.ts';

export async function prometheusWith(series: readonly Series[] = testSeries()): Promise<FakeStore> {
  const source = await startFakeStore(prometheus());
  source.put(series);
  return source;
}

/** The whole hour was copied, and every sample is accounted for; some may be rejected. */
export function assertSucceeded({ progress, error }: Run): void {
  assert.equal(error, undefined);
  assert.equal(progress.phase, 'Succeeded');
  assert.equal(progress.watermarkMs, epochMs + hourMs);
  assert.equal(unaccounted(progress), 0);
}

/** Everything expected is stored once, and the counts agree. */
export function assertComplete(result: Run, destination: FakeStore, due: readonly Series[]): void {
  assertSucceeded(result);
  assert.deepEqual(result.progress.samplesRejected, {});
  assert.deepEqual(differences(destination.series(), due), []);
  assert.equal(destination.counts().twice, 0);
  assert.deepEqual(destination.failures, []);
}

/** Aborts a run that sends more requests than expected, so that a test fails instead of running on. */
export function abortAfter(store: FakeStore, requests: number): { readonly abort: AbortSignal } {
  const abort = new AbortController();
  const { onRequest } = store;
  store.onRequest = (request) => {
    if (store.requests.length > requests) abort.abort();
    return onRequest(request);
  };
  return { abort: abort.signal };
}

export function countOf(series: readonly Series[]): number {
  return series.reduce((sum, { samples, histograms = [] }) => sum + samples.length + histograms.length, 0);
}

/** A series of native histograms with custom buckets, one every 30 s of the hour. */
export function histogramSeries(name: string): Series {
  const times = Array.from({ length: 120 }, (_, k) => epochMs + k * 30_000);
  return {
    labels: [['__name__', name]],
    samples: [],
    histograms: times.map((timeMs, k) => ({
      timeMs,
      message: encodeHistogram({
        countInt: 3 * (k + 1),
        sum: 1.5 * (k + 1),
        schema: -53,
        zeroCountInt: 0,
        positiveSpans: [{ offset: 0, length: 2 }],
        positiveDeltas: [k + 1, k + 1],
        customValues: [0.5, 1],
        timestamp: timeMs,
      }),
    })),
  };
}
