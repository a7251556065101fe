// Stretches in a store that hides what is older than its first sample: Thanos Query does not query a Receive for a range that ends before the
// Receive's in-order head. With several stretches at once, the first sample is in any of them, and what lies before it is hidden.

import assert from 'node:assert/strict';
import type { MigrationPlan } from '../../../src/migration/plan/migration-plan.ts';
import { countsOfAllRuns } from '../../../src/migration/report/counts.ts';
import { type FakeStore, startFakeStore } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { thanos } from '../../support/stores/thanos.ts';
import { FastClock } from '../support/fake-clock.ts';
import { assertSucceeded, dayMs, epochMs, hourMs, planFor } from '../support/plan.ts';
import { bitsOf, staleBits } from '../support/remote-messages.ts';
import { runInStretches } from '../support/stretches.ts';
import { verifyRun } from '../support/verify-run.ts';
import { changed, differences, testSeries } from './support/store-cases.ts';

const endMs = epochMs + 12 * hourMs;
/** Without stale markers, which no PromQL result shows. */
const history = changed(testSeries(epochMs, endMs), (bits) => (bits === staleBits ? bitsOf(0.5) : bits));
const live = testSeries(epochMs + 29 * dayMs, epochMs + 29 * dayMs + hourMs);
const samples = history.reduce((sum, one) => sum + one.samples.length, 0);

async function openThanos(hasNewer: boolean): Promise<[FakeStore, FastClock]> {
  const clock = new FastClock({ nowMs: epochMs + 30 * dayMs });
  const store = await startFakeStore(thanos({ outOfOrderWindowMs: 60 * dayMs }), { now: () => clock.now() });
  if (hasNewer) store.put(live);
  return [store, clock];
}

function copied(store: FakeStore) {
  const series = store.series().map((one) => ({ ...one, samples: one.samples.filter(({ timeMs }) => timeMs < endMs) }));
  return series.sort((a, b) => (JSON.stringify(a.labels) < JSON.stringify(b.labels) ? -1 : 1));
}

function stored(store: FakeStore): number {
  return copied(store).reduce((sum, one) => sum + one.samples.length, 0);
}

/** Resolves when the requests in flight at an abort have arrived. */
async function quiet(store: FakeStore): Promise<void> {
  for (let seen = -1; seen < store.requests.length; ) {
    seen = store.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    await store.settled();
  }
}

/** After how many writes, and the length of the stretches: they differ, so that one begins in the middle of another that was interrupted. */
type Kill = readonly [writes: number, stretchMs: number];

const SEVERAL: readonly Kill[] = [
  [3, 4 * hourMs],
  [30, 4 * hourMs],
  [30, 2 * hourMs],
  [30, 6 * hourMs],
];

const CASES: readonly [where: string, hasNewer: boolean, kills: readonly Kill[]][] = [
  ['into an empty store', false, SEVERAL],
  ['behind newer data', true, [[60, 4 * hourMs]]],
];

describe('stretches into Thanos', () => {
  for (const protocol of ['PromQL', 'RemoteRead'] as const) {
    for (const order of ['OldestFirst', 'NewestFirst'] as const) {
      for (const [where, hasNewer, kills] of CASES) {
        it(`find what earlier runs have written: ${where}, ${order}, by ${protocol}`, async () => {
          await using source = await startFakeStore(prometheus());
          source.put(history);
          const [store, clock] = await openThanos(hasNewer);
          await using destination = store;
          const planWith = (stretchMs: number): MigrationPlan =>
            planFor(
              { source, destination },
              {
                ...{ startMs: epochMs, endMs, protocol },
                destination: { ordering: 'Any' },
                limits: { memoryBytes: 128 * 1024 * 1024, inFlightWrites: 8, samplesPerWrite: 60 },
                window: { maxMs: hourMs / 2 },
                execution: { mode: 'InProcess', parallelism: 4, stretchMs, order },
              },
            );
          for (const [writes, stretchMs] of kills) {
            const abort = new AbortController();
            const before = destination.requestsOf('write').length;
            destination.onCarriedOut = () => {
              if (destination.requestsOf('write').length - before === writes) abort.abort();
            };
            const { progress } = await runInStretches(planWith(stretchMs), { clock, abort: abort.signal });
            assert.equal(progress.phase, 'Interrupted');
            await quiet(destination);
          }
          destination.onCarriedOut = () => undefined;
          const there = stored(destination);
          const last = await runInStretches(planWith(2 * hourMs), { clock });
          assertSucceeded(last);
          assert.deepEqual(differences(copied(destination), history), []);
          assert.equal(destination.counts().twice, 0);
          assert.equal(last.progress.samplesWritten, samples - there, 'what was there is not written again');
          assert.equal(countsOfAllRuns(last.progress)?.samplesRead, samples);
          assert.deepEqual(last.progress.samplesRejected, {});
          const { error, verification } = await verifyRun(planWith(2 * hourMs), { clock });
          assert.equal(error, undefined);
          assert.deepEqual([verification.samplesCompared, verification.missing], [samples, 0]);
        });
      }
    }
  }
});
