// How many stretches of a migration run at once, over real HTTP: at the start, and when that changes while they run.

import assert from 'node:assert/strict';
import type { MigrationPlan } from '../../src/migration/plan/migration-plan.ts';
import { type FakeDestination, startDestination } from './support/fake-destination.ts';
import { type FakeSource, regularSeries, startSource } from './support/fake-source.ts';
import { assertSucceeded, epochMs, hourMs, minuteMs, planFor, RecordingObserver, type Run } from './support/plan.ts';
import { expected } from './support/remote-messages.ts';
import { runInStretches } from './support/stretches.ts';

const MIB = 1024 * 1024;
const range = { startMs: epochMs, endMs: epochMs + 40 * hourMs };
const series = regularSeries({ count: 2, fromMs: range.startMs, toMs: range.endMs, stepMs: 10 * minuteMs });
const due = expected(series, range.startMs, range.endMs);

function planIn(
  sides: { source: FakeSource; destination: FakeDestination },
  parallelism: number,
  limits: Partial<MigrationPlan['limits']>,
): MigrationPlan {
  return planFor(sides, {
    ...range,
    destination: { ordering: 'Any' },
    limits: { memoryBytes: 512 * MIB, inFlightWrites: 16, ...limits },
    execution: { mode: 'InProcess', parallelism, stretchMs: 2 * hourMs, order: 'OldestFirst' },
  });
}

interface Watched {
  readonly observer: RecordingObserver;
  readonly most: () => number;
  /** What the progress has said one after the other about fewer stretches than are wanted. */
  readonly limits: readonly (string | undefined)[];
}

function watch(): Watched {
  const observer = new RecordingObserver();
  let most = 0;
  const limits: (string | undefined)[] = [];
  observer.onProgress = ({ stretches }) => {
    most = Math.max(most, stretches?.running.length ?? 0);
    if (stretches?.limited !== limits.at(-1)) limits.push(stretches?.limited);
  };
  return { observer, most: () => most, limits };
}

function limitsNamed({ observer }: Pick<Run, 'observer'>): string[] {
  return observer.all('warning').flatMap(({ code, message }) => (code === 'parallelism-limited' ? [message] : []));
}

describe('stretches at once', () => {
  it('are as many as wanted if their limits are enough for them', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const { observer, most } = watch();
    const result = await runInStretches(planIn({ source, destination }, 12, {}), { observer });
    assertSucceeded(result);
    assert.equal(most(), 12);
    assert.deepEqual(limitsNamed(result), []);
  });

  it('are as many as the memory allows, which a warning says', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const { observer, most, limits } = watch();
    const plan = planIn({ source, destination }, 16, { memoryBytes: 64 * MIB });
    const result = await runInStretches(plan, { observer });
    assertSucceeded(result);
    assert.deepEqual(destination.contents(), due);
    assert.ok(most() >= 2 && most() < 16, `${most()} at once`);
    const [message, ...others] = limitsNamed(result);
    assert.deepEqual(others, []);
    assert.match(
      message ?? '',
      new RegExp(`^${most()} stretches run at once instead of 16, .* spec\\.limits\\.memory`),
    );
    assert.deepEqual(limits, [message, undefined], 'the progress says it until no other stretch waits');
  });

  it('fail if the memory is not enough for a single one', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const { error } = await runInStretches(planIn({ source, destination }, 4, { memoryBytes: 8 * MIB }));
    assert.equal(error?.code, 'memory-too-small');
  });

  it('have no more writes in flight together than spec.limits.inFlightWrites', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const { observer, most } = watch();
    const result = await runInStretches(planIn({ source, destination }, 8, { inFlightWrites: 3 }), { observer });
    assertSucceeded(result);
    assert.equal(most(), 3);
    assert.match(
      limitsNamed(result)[0] ?? '',
      /^3 stretches run at once instead of 8, .* spec\.limits\.inFlightWrites/,
    );
  });

  it('are as many as the memory allows when more are wanted while they run', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const observer = new RecordingObserver();
    let most = 0;
    let set: (parallelism: number) => void = () => undefined;
    observer.onProgress = ({ stretches: { finished = 0, running = [] } = {} }) => {
      most = Math.max(most, running.length);
      if (finished >= 3) set(16);
    };
    const result = await runInStretches(planIn({ source, destination }, 2, { memoryBytes: 64 * MIB }), {
      observer,
      onParallelismAvailable: (apply) => {
        set = apply;
      },
    });
    assertSucceeded(result);
    assert.deepEqual(destination.contents(), due);
    assert.ok(most > 2 && most < 16, `${most} at once`);
    assert.equal(limitsNamed(result).length, 1);
  });

  it('are no longer limited when fewer are wanted', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const observer = new RecordingObserver();
    const limited: boolean[] = [];
    let set: (parallelism: number) => void = () => undefined;
    observer.onProgress = ({ stretches }) => {
      if (stretches === undefined) return;
      limited[stretches.finished] = stretches.limited !== undefined;
      if (stretches.finished >= 3) set(2);
    };
    const result = await runInStretches(planIn({ source, destination }, 8, { inFlightWrites: 3 }), {
      observer,
      onParallelismAvailable: (apply) => {
        set = apply;
      },
    });
    assertSucceeded(result);
    assert.equal(limited[1], true);
    assert.equal(limited[6], false);
  });
});
