// VictoriaMetrics' own flusher hides rows while it writes them to a part, and /internal/force_flush does not wait for it: samples that are
// invisible right after a flush may still be stored.

import assert from 'node:assert/strict';
import { FLUSHING_MS } from '../../../src/migration/progress/settling.ts';
import { type FakeStore, startFakeStore } from '../../support/stores/fake-store.ts';
import type { Fault } from '../../support/stores/faults.ts';
import { victoriametrics } from '../../support/stores/victoriametrics.ts';
import { encodeXorChunk } from '../../wire/support/chunk-encoder.ts';
import { FastClock } from '../support/fake-clock.ts';
import { regularSeries, startSource } from '../support/fake-source.ts';
import { dayMs, epochMs, hourMs, minuteMs, planFor, run } from '../support/plan.ts';
import { frameOf } from '../support/remote-messages.ts';
import { assertComplete, countOf, prometheusWith } from './support/copies.ts';
import { changed, testSeries, withoutNan } from './support/store-cases.ts';

const due = changed(testSeries(), withoutNan);

/** Slow enough that a request takes less of its time than the delays. */
function slowClock(): FastClock {
  return new FastClock({ nowMs: epochMs + 30 * dayMs, speed: 6 });
}

function startFlushing(clock: FastClock): Promise<FakeStore> {
  return startFakeStore(victoriametrics({ flushingForMs: 1900 }), { now: () => clock.now() });
}

function planInto(source: FakeStore, destination: FakeStore) {
  return planFor(
    { source, destination },
    {
      protocol: 'PromQL',
      destination: { ordering: 'Any' },
      limits: { samplesPerWrite: 120 },
      window: { maxMs: hourMs / 4 },
    },
  );
}

describe('samples that VictoriaMetrics is flushing during a read-back', () => {
  const lost: Readonly<Record<string, Fault>> = {
    'are not sent again after a 500 from a proxy': { status: 500, commits: true },
    'are not sent again after a reset': { disconnects: 'after commit' },
    'do not count as rejected after a 202': { status: 202, commits: true },
  };
  for (const [what, fault] of Object.entries(lost)) {
    it(what, async () => {
      await using source = await prometheusWith();
      const clock = slowClock();
      await using destination = await startFlushing(clock);
      let writes = 0;
      destination.onRequest = ({ kind, isMark }) =>
        kind === 'write' && !isMark && ++writes % 5 === 2 ? fault : undefined;
      const result = await run(planInto(source, destination), { clock });
      assertComplete(result, destination, due);
      assert.ok(writes > 5, `${writes} writes`);
    });
  }

  // The first write comes before any mark, the eighth after one.
  for (const writes of [1, 8]) {
    it(`are found by the run after one that was aborted at write ${writes}`, async () => {
      await using source = await prometheusWith();
      const clock = slowClock();
      await using destination = await startFlushing(clock);
      const plan = planInto(source, destination);
      const abort = new AbortController();
      destination.onCarriedOut = () => {
        if (destination.requestsOf('write').length === writes) abort.abort();
      };
      const first = await run(plan, { clock, abort: abort.signal });
      assert.equal(first.progress.phase, 'Interrupted');
      await destination.settled();
      const second = await run(plan, { clock });
      assertComplete(second, destination, due);
      const { samplesAlreadyPresent, samplesRead } = second.progress;
      assert.ok(samplesAlreadyPresent > 0, 'something was there');
      assert.ok(writes === 1 || samplesRead < countOf(testSeries()), 'it resumed at a mark');
    });
  }

  it('are not sent again when the window is read again because of a corrupt chunk', async () => {
    const series = regularSeries({ count: 4, fromMs: epochMs, toMs: epochMs + hourMs, stepMs: 15_000 });
    await using source = await startSource(series);
    const goodChunk = encodeXorChunk(series[0]!.samples.slice(0, 20));
    const broken = frameOf([['__name__', 'zz']], 1, goodChunk.subarray(0, 30), epochMs, epochMs + 5 * minuteMs - 1);
    const contentType = 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse';
    let times = 0;
    source.onQuery = (query) =>
      query.startMs === epochMs && ++times === 1
        ? { contentType, body: Buffer.concat([source.response(query).body, broken]) }
        : undefined;
    const clock = slowClock();
    await using destination = await startFlushing(clock);
    const plan = planFor(
      { source, destination },
      { protocol: 'PromQL', destination: { ordering: 'Any' }, limits: { samplesPerWrite: 50 } },
    );
    const { error, progress } = await run(plan, { clock });
    assert.equal(error, undefined);
    assert.equal(progress.retries, 1);
    assert.deepEqual(destination.counts(), { floats: 4 * 240, histograms: 0, twice: 0 });
    assert.ok(progress.samplesAlreadyPresent > 0, 'some of it was on its way already');
  });

  it('are not awaited in a store that has no data in the range', async () => {
    await using source = await prometheusWith();
    const clock = slowClock();
    await using destination = await startFlushing(clock);
    destination.put([{ labels: [['__name__', 'other']], samples: [{ timeMs: epochMs + 10 * dayMs, bits: 1n }] }]);
    let waited: readonly number[] = [];
    destination.onRequest = ({ kind, isMark }) => {
      if (kind === 'write' && !isMark && waited.length === 0) waited = [...clock.sleeps];
      return undefined;
    };
    const result = await run(planInto(source, destination), { clock });
    assert.equal(result.error, undefined);
    assert.ok(waited.includes(500) && !waited.includes(FLUSHING_MS));
  });
});
