// A migration whose stretches are copied elsewhere is followed by its marks, over real HTTP.
import assert from 'node:assert/strict';
import { type FollowContext, followStretches } from '../../src/migration/follow-stretches.ts';
import { migrate } from '../../src/migration/migrate.ts';
import type { MigrationPlan } from '../../src/migration/plan/migration-plan.ts';
import { countsOfAllRuns } from '../../src/migration/report/counts.ts';
import type { MigrationResult } from '../../src/migration/report/observer.ts';
import { stretchPlan } from '../../src/migration/stretches/stretch-plan.ts';
import type { FoundStretches } from '../../src/migration/stretches/find-stretches.ts';
import { FastClock } from './support/fake-clock.ts';
import { type FakeDestination, startDestination } from './support/fake-destination.ts';
import { type FakeSource, regularSeries, startSource } from './support/fake-source.ts';
import { dayMs, epochMs, hourMs, minuteMs, planFor, RecordingObserver } from './support/plan.ts';
import { expected } from './support/remote-messages.ts';

const range = { startMs: epochMs + hourMs, endMs: epochMs + 9 * hourMs };
const series = regularSeries({ count: 2, fromMs: epochMs, toMs: epochMs + 10 * hourMs, stepMs: 5 * minuteMs });
const due = expected(series, range.startMs, range.endMs);
const samples = due.reduce((sum, one) => sum + one.samples.length, 0);

type Divided = Pick<FoundStretches, 'stretches' | 'frozenEndMs'>;

function planIn(sides: { source: FakeSource; destination: FakeDestination }, protocol: 'RemoteRead' | 'PromQL') {
  const execution = { mode: 'Job', parallelism: 2, stretchMs: undefined, order: 'OldestFirst' } as const;
  return planFor(sides, { ...range, protocol, destination: { ordering: 'Any' }, execution });
}

/** Follows the plan. `copy` is what a Job would do with the stretches, one after the other. */
class Followed {
  readonly observer = new RecordingObserver();
  readonly #clock = new FastClock({ nowMs: epochMs + 30 * dayMs });
  readonly #plan: MigrationPlan;
  readonly #stop = new AbortController();
  readonly #conclude = new AbortController();
  readonly result: Promise<MigrationResult>;
  readonly divided: Promise<Divided>;

  constructor(plan: MigrationPlan) {
    this.#plan = plan;
    let onDivided: FollowContext['onDivided'] = () => undefined;
    this.divided = new Promise((resolve) => {
      onDivided = resolve;
    });
    this.result = followStretches(plan, {
      ...this.#context(this.observer),
      stop: this.#stop.signal,
      onDivided,
      conclude: this.#conclude.signal,
    });
  }

  async copy({ stretches, frozenEndMs }: Divided): Promise<void> {
    for (const stretch of stretches) {
      const plan = stretchPlan(this.#plan, stretch, 1, frozenEndMs);
      const { error, progress } = await migrate(plan, this.#context(new RecordingObserver()));
      assert.equal(progress.phase, 'Succeeded', error?.message ?? '');
    }
  }

  conclude(): void {
    this.#conclude.abort();
  }

  stop(): void {
    this.#stop.abort();
  }

  #context(observer: RecordingObserver) {
    const never = new AbortController().signal;
    return { clock: this.#clock, random: () => 0.5, stop: never, abort: never, observer, startupDeadlineMs: minuteMs };
  }
}

describe('a migration that is followed', () => {
  for (const protocol of ['RemoteRead', 'PromQL'] as const) {
    it(`succeeds as soon as the marks cover the range: ${protocol}`, async () => {
      await using source = await startSource(series);
      await using destination = await startDestination({ kind: 'keeps-all' });
      const followed = new Followed(planIn({ source, destination }, protocol));
      const divided = await followed.divided;
      assert.equal(divided.stretches.length, 5);
      await followed.copy(divided);
      const { progress, error } = await followed.result;
      assert.equal(error, undefined);
      assert.equal(progress.phase, 'Succeeded');
      assert.deepEqual(
        [progress.samplesWritten, progress.watermarkMs, progress.reachedMs, progress.resumedFromMs],
        [samples, range.endMs, range.endMs, undefined],
      );
      assert.deepEqual(progress.stretches, { total: 5, finished: 5, failed: [], running: [] });
      assert.equal(followed.observer.all('started').length, 1);
      assert.equal(followed.observer.all('stretch-finished').length, 5);
      assert.deepEqual(destination.contents(), due);
    });
  }

  it('shows how far it has come, and which stretches are under way', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const plan = planIn({ source, destination }, 'RemoteRead');
    const followed = new Followed(plan);
    const divided = await followed.divided;
    const [first, second] = divided.stretches;
    assert.ok(first && second);
    await followed.copy({ ...divided, stretches: [first, { ...second, endMs: second.startMs + hourMs }] });
    followed.conclude();
    const { progress } = await followed.result;
    assert.equal(progress.phase, 'Interrupted');
    assert.deepEqual(progress.stretches, {
      total: 5,
      finished: 1,
      failed: [],
      running: [{ startMs: second.startMs, endMs: second.endMs, completedRatio: 0.5 }],
    });
    assert.equal(progress.watermarkMs, second.startMs + hourMs);
    assert.equal(progress.reachedMs, second.startMs + hourMs);

    const again = new Followed(plan);
    const rest = await again.divided;
    assert.deepEqual(
      rest.stretches.map(({ fromMs }) => fromMs),
      [second.startMs + hourMs, ...divided.stretches.slice(2).map(({ fromMs }) => fromMs)],
    );
    await again.copy(rest);
    const end = await again.result;
    assert.equal(end.progress.phase, 'Succeeded');
    assert.equal(end.progress.resumedFromMs, second.startMs + hourMs);
    assert.equal(countsOfAllRuns(end.progress)?.samplesWritten, samples);
    assert.deepEqual(destination.contents(), due);
  });

  it('has nothing to divide if everything is there', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const plan = planIn({ source, destination }, 'PromQL');
    const first = new Followed(plan);
    await first.copy(await first.divided);
    await first.result;
    const second = new Followed(plan);
    assert.equal((await second.result).progress.phase, 'Succeeded');
    assert.equal(second.observer.all('already-finished').length, 1);
    assert.equal(second.observer.all('divided').length, 0);
  });

  it('ends at once when it is stopped', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const followed = new Followed(planIn({ source, destination }, 'RemoteRead'));
    await followed.divided;
    followed.stop();
    assert.equal((await followed.result).progress.phase, 'Interrupted');
  });
});
