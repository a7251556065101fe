// Verifications in stretches, over real HTTP with a source and a destination in memory: their result is that of an undivided one.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { MigrationPlan } from '../../../src/migration/plan/migration-plan.ts';
import { FastClock } from '../support/fake-clock.ts';
import { type Behaviour, startFakeStore } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { victoriametrics } from '../../support/stores/victoriametrics.ts';
import { startDestination } from '../support/fake-destination.ts';
import { type FakeSource, regularSeries, startSource } from '../support/fake-source.ts';
import { epochMs, hourMs, minuteMs, planFor } from '../support/plan.ts';
import { bitsOf, type Series } from '../support/remote-messages.ts';
import { runInStretches } from '../support/stretches.ts';
import { type VerifyRun, verifyRun } from '../support/verify-run.ts';

const endMs = epochMs + 16 * hourMs;
const series = regularSeries({ count: 3, fromMs: epochMs, toMs: endMs, stepMs: 5 * minuteMs });
const all = 3 * 16 * 12;

type Sides = Parameters<typeof planFor>[0];

function planIn(sides: Sides, parallelism: number, changes: Parameters<typeof planFor>[1] = {}): MigrationPlan {
  return planFor(sides, {
    endMs,
    window: { maxMs: hourMs },
    limits: { memoryBytes: 128 * 1024 * 1024 },
    execution: { mode: 'InProcess', parallelism, stretchMs: undefined, order: 'OldestFirst' },
    ...changes,
    destination: { ordering: 'Any', ...changes.destination },
  });
}

const at = (steps: number) => epochMs + steps * 5 * minuteMs;

/** Differences of every kind, in several stretches, at times of their own. */
function altered({ missing, different, extra }: { missing: number[]; different: number[]; extra: number[] }): Series[] {
  return series.map((one, i) => {
    if (i === 0) {
      const lost = new Set(missing.map(at));
      return { ...one, samples: one.samples.filter(({ timeMs }) => !lost.has(timeMs)) };
    }
    const added = i === 1 ? extra.map((steps) => ({ timeMs: at(steps) + 1, bits: bitsOf(7) })) : [];
    const changed = new Set(i === 2 ? different.map(at) : []);
    const samples = one.samples.map((sample) =>
      changed.has(sample.timeMs) ? { ...sample, bits: bitsOf(1e6 + 0.5) } : sample,
    );
    return { ...one, samples: [...samples, ...added].sort((a, b) => a.timeMs - b.timeMs) };
  });
}

const FAULTS = { missing: [3, 50, 51, 120, 191], different: [10, 26, 90, 91, 140], extra: [30, 70, 155] };

/** Everything that does not depend on how the range was divided. */
function resultOf({ verification, differences, error }: VerifyRun) {
  const { samplesCompared, equal, missing, extra, different, repeated, repaired, expected, first } = verification;
  const { finished, throughMs, reachedMs } = verification;
  const shown = (some: typeof differences) =>
    some.map(({ kind, timestampMs, labels }) => `${timestampMs} ${kind} ${labels}`);
  return {
    ...{
      samplesCompared,
      equal,
      missing,
      extra,
      different,
      repeated,
      repaired,
      expected,
      finished,
      throughMs,
      reachedMs,
    },
    first: shown(first),
    differences: shown(differences).sort(),
    error,
  };
}

describe('a verification in stretches', () => {
  const stores: readonly (readonly [protocol: 'RemoteRead' | 'PromQL', behaviour: Behaviour])[] = [
    ['RemoteRead', prometheus()],
    ['PromQL', victoriametrics()],
  ];
  for (const [protocol, behaviour] of stores) {
    it(`has the result of an undivided one: ${behaviour.name}`, async () => {
      await using source = await startSource(series);
      await using destination = await startFakeStore(behaviour);
      destination.put(altered(FAULTS));
      // VictoriaMetrics keeps both.
      if (protocol === 'PromQL')
        destination.put(series.slice(2).map((one) => ({ ...one, samples: one.samples.slice(100, 102) })));
      const sides = { source, destination };
      const undivided = await verifyRun(planIn(sides, 1, { protocol }));
      const divided = await verifyRun(planIn(sides, 4, { protocol }));
      assert.deepEqual(resultOf(divided), resultOf(undivided));
      const { missing, different, extra, repeated, samplesCompared, first } = divided.verification;
      const doubled = protocol === 'PromQL' ? 2 : 0;
      assert.deepEqual(
        { missing, different, extra, repeated },
        { missing: 5, different: 5, extra: 3, repeated: doubled },
      );
      assert.deepEqual([samplesCompared, first.length, divided.error?.code], [all, 10, 'differences-found']);
      assert.equal(divided.differences.length, 13 + doubled);
      const compared = divided.observer.all('range-compared').reduce((sum, range) => sum + range.samplesCompared, 0);
      assert.equal(compared, all);
      assert.equal(divided.observer.all('finished').length, 1);
      const { total, finished, running } = divided.progress.stretches!;
      assert.deepEqual([total, finished, running], [8, 8, []]);
    });
  }

  it('succeeds with both sides equal, for a part of the range and for one with an open end too', async () => {
    await using source = await startSource(series);
    await using destination = await startFakeStore(prometheus());
    destination.put(series);
    const plan = planIn({ source, destination }, 4);
    const whole = await verifyRun(plan);
    assert.deepEqual([whole.error, whole.verification.equal], [undefined, all]);
    const part = await verifyRun(plan, { fromMs: epochMs + hourMs, toMs: epochMs + 6 * hourMs });
    assert.deepEqual([part.error, part.verification.equal], [undefined, 3 * 5 * 12]);
    const open = await verifyRun({ ...plan, endMs: undefined, lagMs: 30 * 24 * hourMs - 16 * hourMs });
    assert.deepEqual([open.error, open.verification.equal], [undefined, all]);
  });

  it('reports that there was nothing to compare once, for the whole', async () => {
    await using source = await startSource([]);
    await using destination = await startFakeStore(prometheus());
    const { error, observer } = await verifyRun(planIn({ source, destination }, 3));
    assert.equal(error, undefined);
    assert.deepEqual(observer.warnings(), ['nothing-found']);
    destination.put(series);
    assert.equal((await verifyRun(planIn({ source, destination }, 3))).error?.code, 'nothing-compared');
  });

  it('follows a copy in stretches, whose result counts the stretches of the copy', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const verification = { mode: 'Full', onDifference: 'Fail', onExtra: 'Report', settleMs: 30_000 } as const;
    const plan = planIn({ source, destination }, 4, { verification });
    const { error, progress, observer } = await runInStretches(plan);
    assert.deepEqual([error, progress.phase, progress.verification?.equal], [undefined, 'Succeeded', all]);
    assert.deepEqual([progress.stretches?.total, observer.all('stretch-finished').length], [8, 8]);
    assert.equal(observer.all('finished').length, 1);
    const lost = series[0]!.labels.find(([name]) => name === 'instance')?.[1];
    destination.shows = (labels) => !labels.some(([, value]) => value === lost);
    const again = await runInStretches(plan);
    assert.deepEqual([again.error?.code, again.progress.verification?.missing], ['differences-found', all / 3]);
  });

  it('repairs in every stretch', async () => {
    await using source = await startSource(series);
    await using destination = await startFakeStore(prometheus({ outOfOrderWindowMs: 24 * hourMs }));
    destination.put(altered({ missing: FAULTS.missing, different: [], extra: [] }));
    const plan = planIn({ source, destination }, 3);
    const { error, verification } = await verifyRun(plan, { repair: true });
    assert.deepEqual([error, verification.repaired, verification.missing], [undefined, 5, 0]);
    assert.equal((await verifyRun(plan)).verification.equal, all);
  });

  it('writes the differences of one range at a time, and no stretch runs ahead of them', async () => {
    await using source = await startSource(series);
    await using destination = await startFakeStore(prometheus());
    destination.put(altered(FAULTS));
    let keeping = 0;
    const { differences } = await verifyRun(planIn({ source, destination }, 4), {
      onKeep: async () => {
        assert.equal(++keeping, 1);
        await new Promise((resolve) => setTimeout(resolve, 10));
        keeping--;
      },
    });
    assert.equal(differences.length, 13);
  });

  it('ends with the reason of the stretch that fails, and stops the others', async () => {
    await using source = await startSource(series);
    await using destination = await startFakeStore(prometheus());
    destination.put(series);
    source.onQuery = ({ startMs }) =>
      startMs >= epochMs + 4 * hourMs && startMs < epochMs + 6 * hourMs ? { status: 401, body: 'no' } : undefined;
    const { error, progress, verification } = await verifyRun(planIn({ source, destination }, 2));
    assert.deepEqual([progress.phase, error?.side, verification.finished], ['Failed', 'source', false]);
    assert.ok(verification.samplesCompared < all);
    assert.equal(progress.stretches?.failed.length, 1);
  });

  it('ends with the reason when the differences cannot be written', async () => {
    await using source = await startSource(series);
    await using destination = await startFakeStore(prometheus());
    destination.put(altered(FAULTS));
    const { error } = await verifyRun(planIn({ source, destination }, 3), {
      onKeep: () => Promise.reject(new Error('no space left')),
    });
    assert.match(error?.message ?? '', /no space left/);
  });
});

describe('a verification in stretches that is interrupted', () => {
  /** A mark is due after ten seconds: some milliseconds of the test's clock. */
  function slowly(source: FakeSource): void {
    source.onQuery = async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return undefined;
    };
  }

  it('finds the differences again of a stretch that had finished, and leaves out the stretches without any', async () => {
    await using source = await startSource(series);
    await using destination = await startFakeStore(prometheus({ outOfOrderWindowMs: 24 * hourMs }));
    destination.put(altered({ missing: [3], different: [], extra: [] }));
    slowly(source);
    const sides = { source, destination };
    const abort = new AbortController();
    let marked = 0;
    destination.onCarriedOut = ({ isMark }) => {
      // Before the last mark, which ends the verification: there are eleven stretches without a difference.
      if (isMark && ++marked === 9) abort.abort();
    };
    const first = await verifyRun(planIn(sides, 4), { abort: abort.signal });
    assert.equal(first.progress.phase, 'Interrupted');

    const before = source.queries.length;
    // Slow enough that the last mark arrives before the verification stops waiting for it.
    const clock = new FastClock({ nowMs: epochMs + 720 * hourMs, speed: 50 });
    const second = await verifyRun(planIn(sides, 2), { clock });
    assert.equal(second.error?.code, 'differences-found');
    assert.deepEqual([second.verification.missing, second.verification.samplesCompared], [1, all]);
    assert.equal(second.observer.all('verification-resumed').length, 1);
    assert.ok(source.queries.length - before < 16, `${source.queries.length - before} windows`);

    // It is over, whatever it has found: the next one reads everything.
    const third = await verifyRun(planIn(sides, 4));
    assert.equal(third.observer.all('verification-resumed').length, 0);
    assert.deepEqual([third.verification.missing, third.verification.samplesCompared], [1, all]);
  });

  it('has the same result at the end, however the range is divided after each interruption', async () => {
    const starts = fc.array(
      fc.record({
        queries: fc.integer({ min: 2, max: 24 }),
        parallelism: fc.constantFrom(1, 2, 4),
        aborts: fc.boolean(),
      }),
      { minLength: 1, maxLength: 4 },
    );
    let resumed = 0;
    await using source = await startSource(series);
    await using reference = await startFakeStore(prometheus());
    reference.put(altered(FAULTS));
    const uninterrupted = resultOf(await verifyRun(planIn({ source, destination: reference }, 1)));
    await fc.assert(
      fc.asyncProperty(starts, fc.constantFrom(1, 3), async (interruptions, last) => {
        await using destination = await startFakeStore(prometheus({ outOfOrderWindowMs: 24 * hourMs }));
        destination.put(altered(FAULTS));
        for (const { queries, parallelism, aborts } of interruptions) {
          const end = new AbortController();
          let left = queries;
          source.onQuery = async () => {
            if (--left === 0) end.abort();
            await new Promise((resolve) => setTimeout(resolve, 5));
            return undefined;
          };
          const plan = planIn({ source, destination }, parallelism);
          const run = await verifyRun(plan, aborts ? { abort: end.signal } : { stop: end.signal });
          // One that has ended marks its end. Then the next one is a new one.
          resumed += run.observer.all('verification-resumed').length;
        }
        source.onQuery = async () => undefined;
        const run = await verifyRun(planIn({ source, destination }, last));
        resumed += run.observer.all('verification-resumed').length;
        assert.deepEqual(resultOf(run), uninterrupted);
      }),
      { numRuns: 12 },
    );
    assert.ok(resumed > 5, `${resumed} resumed`);
  });
});
