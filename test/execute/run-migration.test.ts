// One migration to its end, undivided or in stretches.

import assert from 'node:assert/strict';
import { runMigration } from '../../src/execute/run-migration.ts';
import { FastClock } from '../migration/support/fake-clock.ts';
import { startDestination } from '../migration/support/fake-destination.ts';
import { regularSeries, startSource } from '../migration/support/fake-source.ts';
import {
  assertSucceeded,
  dayMs,
  epochMs,
  hourMs,
  minuteMs,
  planFor,
  RecordingObserver,
} from '../migration/support/plan.ts';

describe('a migration in stretches', () => {
  it('adopts a parallelism that changes before the first stretch is started', async () => {
    const range = { startMs: epochMs, endMs: epochMs + 12 * hourMs };
    await using source = await startSource(
      regularSeries({ count: 2, fromMs: epochMs, toMs: range.endMs, stepMs: 5 * minuteMs }),
    );
    await using destination = await startDestination({ kind: 'keeps-all' });
    const plan = planFor(
      { source, destination },
      {
        ...range,
        destination: { ordering: 'Any' },
        limits: { memoryBytes: 128 * 1024 * 1024 },
        execution: { mode: 'InProcess', parallelism: 3, stretchMs: undefined, order: 'OldestFirst' },
      },
    );
    const clock = new FastClock({ nowMs: epochMs + 30 * dayMs });
    const never = new AbortController().signal;
    let set: (parallelism: number) => void = () => undefined;
    const running: number[] = [];
    const observer = new RecordingObserver();
    observer.onProgress = ({ waitingFor, stretches }) => {
      if (stretches !== undefined) running.push(stretches.running.length);
      else if (waitingFor === 'progress mark') set(1);
    };
    const result = await runMigration(plan, {
      ...{ clock, random: () => 0.5, stop: never, abort: never, observer, startupDeadlineMs: 10 * minuteMs },
      onParallelismAvailable: (apply) => {
        set = apply;
      },
    });
    assertSucceeded({ ...result, observer, clock });
    assert.equal(Math.max(...running), 1);
  });

  it('is one migration, with one end, if it is divided while it runs', async () => {
    const range = { startMs: epochMs, endMs: epochMs + 12 * hourMs };
    await using source = await startSource(
      regularSeries({ count: 2, fromMs: epochMs, toMs: range.endMs, stepMs: 5 * minuteMs }),
    );
    await using destination = await startDestination({ kind: 'keeps-all' });
    const plan = planFor({ source, destination }, { ...range, destination: { ordering: 'Any' } });
    const clock = new FastClock({ nowMs: epochMs + 30 * dayMs });
    const never = new AbortController().signal;
    let set: (parallelism: number) => void = () => undefined;
    const observer = new RecordingObserver();
    const phases = new Set<string>();
    let isDivided = false;
    observer.onProgress = ({ phase, waitingFor }) => {
      phases.add(phase);
      // Threads are tested elsewhere.
      if (isDivided && waitingFor === 'progress mark') set(1);
    };
    observer.onEvent = ({ type }) => {
      if (type !== 'window-finished' || isDivided) return;
      isDivided = true;
      set(2);
    };
    const result = await runMigration(plan, {
      ...{ clock, random: () => 0.5, stop: never, abort: never, observer, startupDeadlineMs: 10 * minuteMs },
      onParallelismAvailable: (apply) => {
        set = apply;
      },
    });
    assertSucceeded({ ...result, observer, clock });
    assert.equal(observer.all('divided').length, 1);
    assert.deepEqual(observer.all('finished'), [{ type: 'finished', phase: 'Succeeded' }]);
    assert.deepEqual([...phases], ['Starting', 'Running', 'Succeeded']);
  });

  it('is interrupted if it is stopped just when it was to be divided', async () => {
    const range = { startMs: epochMs, endMs: epochMs + 12 * hourMs };
    await using source = await startSource(
      regularSeries({ count: 2, fromMs: epochMs, toMs: range.endMs, stepMs: 5 * minuteMs }),
    );
    await using destination = await startDestination({ kind: 'keeps-all' });
    const plan = planFor({ source, destination }, { ...range, destination: { ordering: 'Any' } });
    const stop = new AbortController();
    let set: (parallelism: number) => void = () => undefined;
    const observer = new RecordingObserver();
    observer.onEvent = ({ type }) => {
      if (type !== 'window-finished') return;
      set(2);
      stop.abort();
    };
    const clock = new FastClock({ nowMs: epochMs + 30 * dayMs });
    const result = await runMigration(plan, {
      ...{ clock, random: () => 0.5, abort: new AbortController().signal, observer, startupDeadlineMs: 10 * minuteMs },
      stop: stop.signal,
      onParallelismAvailable: (apply) => {
        set = apply;
      },
    });
    assert.equal(result.progress.phase, 'Interrupted');
    assert.ok(result.progress.samplesWritten > 0);
    assert.deepEqual(observer.all('finished'), [{ type: 'finished', phase: 'Interrupted' }]);
    assert.equal(observer.all('divided').length, 0);
  });
});
