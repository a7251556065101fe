// A whole migration into and out of each store: into an empty one, behind newer data, and resumed after an abort in the middle of a window.

import assert from 'node:assert/strict';
import { type FakeStore, startFakeStore } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { FastClock } from '../support/fake-clock.ts';
import { dayMs, epochMs, hourMs, planFor, run } from '../support/plan.ts';
import { assertComplete, assertSucceeded, prometheusWith } from './support/copies.ts';
import {
  changed,
  differences,
  type DestinationCase,
  destinationCases,
  sourceCases,
  testSeries,
} from './support/store-cases.ts';

const samples = 6 * 120;

function intoPlan(source: FakeStore, destination: FakeStore, { protocol, ordering }: DestinationCase) {
  return planFor(
    { source, destination },
    { protocol, destination: { ordering }, limits: { samplesPerWrite: 30 }, window: { maxMs: hourMs / 4 } },
  );
}

for (const store of destinationCases) {
  describe(`a migration into ${store.name}`, () => {
    const clock = () => new FastClock({ nowMs: epochMs + 30 * dayMs });
    const due = changed(testSeries(), store.stores);

    it('copies everything into an empty store', async () => {
      await using source = await prometheusWith();
      const time = clock();
      await using destination = await startFakeStore(store.open(), { now: () => time.now() });
      const result = await run(intoPlan(source, destination, store), { clock: time });
      assertComplete(result, destination, due);
      assert.equal(result.progress.samplesWritten, samples);
      assert.equal(destination.marks().at(-1)!.timeMs, epochMs + hourMs - 1);
    });

    const { openForOldData } = store;
    if (openForOldData !== undefined)
      it('copies everything into a store with newer data, however long it takes', async () => {
        const newer = testSeries(epochMs + 2 * hourMs, epochMs + 3 * hourMs);
        await using source = await prometheusWith();
        const time = clock();
        await using destination = await startFakeStore(openForOldData(), { now: () => time.now() });
        destination.put(newer);
        // Longer than a first mark may take to become visible.
        source.onRequest = ({ query }) => (query!.startMs > epochMs + hourMs / 2 ? { delayMs: 40 } : undefined);
        const result = await run(intoPlan(source, destination, store), { clock: time });
        assertSucceeded(result);
        assert.equal(result.progress.samplesWritten, samples);
        const stored = destination.series().map((series) => ({
          ...series,
          samples: series.samples.filter(({ timeMs }) => timeMs < epochMs + hourMs),
        }));
        assert.deepEqual(differences(stored, due), []);
        assert.equal(destination.counts().twice, 0);
      });

    for (const [where, writes, openFor] of [
      ['an empty store', 2, store.open],
      ['an empty store', 13, store.open],
      ['a store with newer data', 13, openForOldData],
    ] as const) {
      if (openFor === undefined) continue;
      it(`into ${where}, resumed after an abort at write ${writes}, has every sample exactly once`, async () => {
        await using source = await prometheusWith();
        const time = clock();
        await using destination = await startFakeStore(openFor(), { now: () => time.now() });
        if (openFor === openForOldData) destination.put(testSeries(epochMs + 2 * hourMs, epochMs + 3 * hourMs));
        const plan = intoPlan(source, destination, store);
        const abort = new AbortController();
        destination.onCarriedOut = () => {
          if (destination.requestsOf('write').length === writes) abort.abort();
        };
        const first = await run(plan, { clock: time, abort: abort.signal });
        assert.equal(first.progress.phase, 'Interrupted');
        await destination.settled();
        const second = await run(plan, { clock: time });
        assertSucceeded(second);
        assert.deepEqual(second.progress.samplesRejected, {});
        assert.ok(second.progress.samplesAlreadyPresent > 0, 'something was there already');
        assert.equal(destination.counts().twice, 0);
        const stored = destination.series().map((series) => ({
          ...series,
          samples: series.samples.filter(({ timeMs }) => timeMs < epochMs + hourMs),
        }));
        assert.deepEqual(differences(stored, due), []);
      });
    }
  });
}

for (const { name, open, shows, adds, selectors } of sourceCases) {
  describe(`a migration out of ${name}`, () => {
    const planOf = (source: FakeStore, destination: FakeStore) =>
      planFor(
        { source, destination },
        { window: { maxMs: hourMs / 4 }, limits: { samplesPerWrite: 30 }, ...(selectors && { selectors }) },
      );

    it('copies everything', async () => {
      await using source = await startFakeStore(open());
      source.put(testSeries());
      await using destination = await startFakeStore(prometheus());
      const result = await run(planOf(source, destination));
      assertComplete(result, destination, changed(testSeries(), shows, adds));
      assert.equal(result.progress.samplesWritten, samples);
    });

    // The process of thanos-remote-read ends when a client hangs up, also in the middle of a response to another one.
    it('copies everything although it dies in the middle of a response, and is away for a while', async () => {
      await using source = await startFakeStore(open());
      source.put(testSeries());
      await using destination = await startFakeStore(prometheus());
      let reads = 0;
      source.onRequest = () => {
        reads++;
        if (reads === 4) return { cutAfterBytes: 30 };
        return reads > 4 && reads < 8 ? { disconnects: 'before commit' } : undefined;
      };
      const result = await run(planOf(source, destination));
      assertComplete(result, destination, changed(testSeries(), shows, adds));
      assert.ok(reads >= 8 && result.progress.retries > 0);
    });

    it('copies everything when it is resumed', async () => {
      await using source = await startFakeStore(open());
      source.put(testSeries());
      await using destination = await startFakeStore(prometheus());
      const plan = planOf(source, destination);
      const abort = new AbortController();
      destination.onCarriedOut = () => {
        if (destination.requestsOf('write').length === 13) abort.abort();
      };
      assert.equal((await run(plan, { abort: abort.signal })).progress.phase, 'Interrupted');
      await destination.settled();
      const result = await run(plan);
      assertComplete(result, destination, changed(testSeries(), shows, adds));
      assert.ok(result.progress.samplesRead < samples, 'it began at a mark');
    });
  });
}
