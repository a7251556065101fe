// The threads of stretches start while the marks are being found.

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { copyInStretches } from '../../src/migration/copy-in-stretches.ts';
import { startHere } from '../../src/execute/start-here.ts';
import { WorkerThreads } from '../../src/execute/worker-threads.ts';
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
import { ManualClock } from '../operator/support/manual-clock.ts';
import { jobOf, migrationOf } from '../operator/support/migrations.ts';

const range = { startMs: epochMs, endMs: epochMs + 6 * hourMs };
const series = regularSeries({ count: 2, fromMs: epochMs, toMs: range.endMs, stepMs: 5 * minuteMs });

describe('the threads of stretches', () => {
  it('are prepared before the destination has settled: as many as will run, for plans like theirs', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination({ kind: 'keeps-all' });
    const plan = planFor(
      { source, destination },
      {
        ...range,
        destination: { ordering: 'Any' },
        limits: { memoryBytes: 128 * 1024 * 1024, inFlightWrites: 8 },
        execution: { mode: 'InProcess', parallelism: 8, stretchMs: undefined, order: 'OldestFirst' },
      },
    );
    const clock = new FastClock({ nowMs: epochMs + 30 * dayMs });
    const never = new AbortController().signal;
    const observer = new RecordingObserver();
    const prepared: { readonly memoryBytes: number; readonly count: number; readonly divided: boolean }[] = [];
    const started: number[] = [];
    const context = { clock, random: () => 0.5, stop: never, abort: never, observer, startupDeadlineMs: 10 * minuteMs };
    const run = () =>
      copyInStretches(plan, {
        ...context,
        start: (job, of) => {
          started.push(job.plan.limits.memoryBytes);
          return startHere(job, of, context);
        },
        prepare: ({ limits: { memoryBytes } }, count) =>
          prepared.push({ memoryBytes, count, divided: observer.all('divided').length > 0 }),
      });
    assertSucceeded({ ...(await run()), observer, clock });
    assert.equal(started.length, 3);
    assert.deepEqual(prepared, [{ memoryBytes: started[0], count: 3, divided: false }]);
    // Nothing is left to do: no thread is needed.
    await run();
    assert.equal(prepared.at(-1)?.count, 0);
  });

  it('take the jobs that follow', () => {
    const started: EventEmitter[] = [];
    const threads = new WorkerThreads(
      new ManualClock(),
      4,
      () => 64,
      (heapMib) => {
        const worker = Object.assign(new EventEmitter(), {
          postMessage: () => {},
          terminate: () => Promise.resolve(1),
        });
        started.push(worker);
        return { worker: worker as unknown as Worker, heapMib, jobs: 0 };
      },
    );
    const job = jobOf(migrationOf());
    threads.prepare(job, 3);
    threads.prepare(job, 3);
    assert.equal(started.length, 3);
    for (let jobs = 0; jobs < 3; jobs++) threads.spawn(job);
    assert.equal(started.length, 3);
    threads.spawn(job);
    assert.equal(started.length, 4);
    threads.close();
  });
});
