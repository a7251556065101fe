// Migrations in stretches, over real HTTP with a source and a destination in memory.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { countsOfAllRuns } from '../../src/migration/report/counts.ts';
import type { MigrationPlan } from '../../src/migration/plan/migration-plan.ts';
import { FastClock } from './support/fake-clock.ts';
import { type FakeDestination, startDestination } from './support/fake-destination.ts';
import { type FakeSource, regularSeries, startSource } from './support/fake-source.ts';
import { assertSucceeded, epochMs, hourMs, minuteMs, planFor, RecordingObserver, run } from './support/plan.ts';
import { expected } from './support/remote-messages.ts';
import { runInStretches } from './support/stretches.ts';

const HOURS = 22;
const range = { startMs: epochMs + hourMs, endMs: epochMs + (HOURS + 1) * hourMs };
const series = regularSeries({
  count: 3,
  fromMs: epochMs,
  toMs: epochMs + (HOURS + 2) * hourMs,
  stepMs: 5 * minuteMs,
});
const due = expected(series, range.startMs, range.endMs);
const samples = due.reduce((sum, one) => sum + one.samples.length, 0);

type Sides = { readonly source: FakeSource; readonly destination: FakeDestination };

function planIn(
  sides: Sides,
  execution: Partial<MigrationPlan['execution']>,
  changes: Parameters<typeof planFor>[1] = {},
) {
  const { destination, limits, ...others } = changes;
  return planFor(sides, {
    ...range,
    destination: { ordering: 'Any', ...destination },
    limits: { memoryBytes: 128 * 1024 * 1024, inFlightWrites: 16, ...limits },
    execution: { mode: 'InProcess', parallelism: 3, stretchMs: undefined, order: 'OldestFirst', ...execution },
    ...others,
  });
}

describe('a migration in stretches', () => {
  for (const protocol of ['RemoteRead', 'PromQL'] as const) {
    it(`copies everything once, and shows one migration: ${protocol}`, async () => {
      await using source = await startSource(series);
      await using destination = await startDestination({ kind: 'keeps-all' });
      const plan = planIn({ source, destination }, {}, { protocol });
      const reported = new RecordingObserver();
      const written: number[] = [];
      reported.onProgress = ({ samplesWritten }) => written.push(samplesWritten);
      const result = await runInStretches(plan, { observer: reported });
      assertSucceeded(result);
      const { progress, observer } = result;
      assert.ok(
        written.every((count, index) => count >= (written[index - 1] ?? 0)),
        'rates are computed from sums that never decrease',
      );
      assert.deepEqual(destination.contents(), due);
      assert.deepEqual(
        [progress.samplesRead, progress.samplesWritten, progress.watermarkMs, progress.reachedMs],
        [samples, samples, range.endMs, range.endMs],
      );
      assert.deepEqual(progress.stretches, { total: 12, finished: 12, running: [], failed: [] });
      assert.equal(observer.all('started').length, 1);
      assert.equal(observer.all('finished').length, 1);
      assert.equal(observer.all('stretch-finished').length, 12);
      assert.deepEqual(observer.all('divided'), [
        { type: 'divided', stretches: 12, finished: 0, lengthMs: 2 * hourMs, remaining: [range] },
      ]);

      const again = await runInStretches(plan);
      assertSucceeded(again);
      assert.equal(again.observer.all('already-finished').length, 1);
      assert.equal(countsOfAllRuns(again.progress)?.samplesWritten, samples);
    });
  }

  it('marks each stretch where it begins before anything of it is written', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const begun = new Set<number>();
    destination.onWrite = ({ isMark, series: written }) => {
      const times = written.flatMap((one) => one.samples.map(({ timeMs }) => timeMs));
      if (isMark) for (const timeMs of times) begun.add(timeMs + 1);
      else {
        const startMs = Math.floor(Math.min(...times) / (2 * hourMs)) * 2 * hourMs;
        assert.ok(startMs < range.startMs || begun.has(startMs), new Date(startMs).toISOString());
      }
      return undefined;
    };
    assertSucceeded(await runInStretches(planIn({ source, destination }, {})));
    assert.deepEqual(destination.failures, []);
  });

  it('writes nothing of a stretch whose first mark is rejected, even if samples may be skipped', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    destination.problemOf = (labels) =>
      labels.some(([name, value]) => name === 'shard' && value !== '0')
        ? { status: 400, text: 'out of bounds' }
        : undefined;
    const plan = planIn({ source, destination }, {}, { rejectedSamples: 'Skip' });
    const { error } = await runInStretches(plan);
    assert.equal(error?.code, 'mark-rejected');
    const written = destination.contents().flatMap((one) => one.samples.map(({ timeMs }) => timeMs));
    assert.ok(written.every((timeMs) => timeMs < epochMs + 2 * hourMs));
  });

  it('copies the newest first if that is wanted, and each stretch from its start', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const plan = planIn({ source, destination }, { parallelism: 1, order: 'NewestFirst' });
    const { observer } = await runInStretches(plan);
    const starts = observer.all('stretch-finished').map(({ startMs }) => startMs);
    assert.deepEqual(
      starts,
      starts.toSorted((a, b) => b - a),
    );
    assert.deepEqual(destination.contents(), due);
  });

  it('stops the others behind their windows if one fails for good, and keeps what they have done', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const badMs = epochMs + 9 * hourMs;
    destination.problemOf = (_, { timeMs }) =>
      timeMs === badMs ? { status: 400, text: 'out of order sample' } : undefined;
    const plan = planIn({ source, destination }, {});
    const { progress, error } = await runInStretches(plan);
    assert.equal(progress.phase, 'Failed');
    assert.equal(error?.code, 'samples-rejected');
    const failed = progress.stretches?.failed ?? [];
    assert.deepEqual(
      failed.map(({ startMs, code }) => [startMs, code]),
      [[epochMs + 8 * hourMs, 'samples-rejected']],
    );
    destination.problemOf = () => undefined;
    assertSucceeded(await runInStretches(plan));
    assert.deepEqual(destination.contents(), due);
  });

  it('does not wait for an outage when one stretch has failed for good', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    destination.problemOf = (labels, { timeMs }) => {
      if (labels.some(([name]) => name === 'shard')) return undefined;
      return timeMs < epochMs + 2 * hourMs
        ? { status: 400, text: 'out of order sample' }
        : { status: 503, text: 'down' };
    };
    const { error } = await runInStretches(planIn({ source, destination }, {}));
    assert.equal(error?.code, 'samples-rejected');
  });

  it('finds the stretches of a run whose clock was ahead', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const plan = planIn({ source, destination }, {}, { endMs: undefined, lagMs: 0 });
    assertSucceeded(await runInStretches(plan, { clock: new FastClock({ nowMs: range.endMs }) }));
    const behind = new FastClock({ nowMs: range.endMs - 9 * hourMs });
    const again = await runInStretches(plan, { clock: behind });
    assertSucceeded(again);
    assert.equal(again.progress.samplesRead, 0);
  });

  it('goes on as stretches when it was begun in stretches, and as stretches when it was begun undivided', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const sides = { source, destination };
    const abort = new AbortController();
    destination.onStored = () => {
      if (destination.accepted.length > 14) abort.abort();
    };
    const interrupted = await runInStretches(planIn(sides, {}), { abort: abort.signal });
    assert.equal(interrupted.progress.phase, 'Interrupted');
    await destination.settled();
    const undivided = planIn(sides, { parallelism: 1 });
    await assert.rejects(run(undivided), { name: 'BeganInStretches' });
    assertSucceeded(await runInStretches(undivided));
    assert.deepEqual(destination.contents(), due);

    await using other = await startDestination({ kind: 'keeps-all' });
    const half = planIn({ source, destination: other }, {}, { endMs: epochMs + 9.5 * hourMs });
    assertSucceeded(await run(half));
    assertSucceeded(await runInStretches(planIn({ source, destination: other }, {})));
    assert.deepEqual(other.contents(), due);
  });

  it('adopts another parallelism while it runs', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    let set: (parallelism: number) => void = () => undefined;
    const most: number[] = [];
    const settings = [1, 6, 2];
    const plan = planIn({ source, destination }, { parallelism: 3 });
    const observer = new RecordingObserver();
    observer.onProgress = ({ stretches: { finished = 0, running = [] } = {} }) => {
      if (finished >= 2 && finished % 2 === 0 && settings.length > 0) set(settings.shift() as number);
      most.push(running.length);
    };
    const result = await runInStretches(plan, {
      observer,
      onParallelismAvailable: (apply) => {
        set = apply;
      },
    });
    assertSucceeded(result);
    assert.deepEqual(destination.contents(), due);
    assert.ok(Math.max(...most) <= 6);
  });
});

describe('a migration in stretches that is killed', () => {
  for (const [protocol, exports] of [
    ['RemoteRead', false],
    ['PromQL', true],
  ] as const) {
    it(`has every sample exactly once, however the range is divided after a kill: ${protocol}`, async () => {
      const lengths = fc.constantFrom(undefined, 4 * hourMs, 6 * hourMs, 10 * hourMs);
      const start = fc.record({
        abortAfter: fc.integer({ min: 0, max: 30 }),
        parallelism: fc.constantFrom(1, 2, 5),
        stretchMs: lengths,
        order: fc.constantFrom('OldestFirst', 'NewestFirst'),
        undivided: fc.boolean(),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(start, { minLength: 1, maxLength: 5 }), async (starts) => {
          await using source = await startSource(series);
          await using destination = await startDestination({ kind: 'keeps-all', exports });
          let countdown = 0;
          let abort = new AbortController();
          destination.onStored = () => {
            if (countdown-- === 0) abort.abort();
          };
          const limits = { inFlightWrites: 4, samplesPerWrite: 20 };
          for (const { abortAfter, undivided, ...execution } of starts) {
            countdown = abortAfter;
            abort = new AbortController();
            const plan = planIn({ source, destination }, execution, { protocol, limits, window: { maxMs: hourMs } });
            const started = undivided ? run(plan, { abort: abort.signal }) : undefined;
            const isOther = (await started?.catch(() => undefined)) === undefined;
            if (isOther) await runInStretches(plan, { abort: abort.signal });
            await destination.settled();
          }
          countdown = -1;
          const plan = planIn({ source, destination }, {}, { protocol, limits });
          const last = await runInStretches(plan);
          assertSucceeded(last);
          assert.deepEqual(destination.contents(), due);
          assert.deepEqual(destination.failures, []);
          assert.equal(countsOfAllRuns(last.progress)?.samplesRead, samples);
        }),
        { numRuns: 25 },
      );
    });
  }
});
