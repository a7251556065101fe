// Runs each stretch of a migration in a worker thread of its own, so that the stretches share neither a core nor a heap.

import type { MigrationPlan } from '../migration/plan/migration-plan.ts';
import type { MigrationProgress, MigrationResult, ResultError } from '../migration/report/observer.ts';
import { initialProgress, resultError } from '../migration/report/observer.ts';
import type { StretchJob, StretchListener, StretchTask } from '../migration/stretches/stretch-task.ts';
import type { Clock } from '../telemetry/clock.ts';
import { WorkerPool } from './worker-pool.ts';
import { WorkerThreads } from './worker-threads.ts';
import type { WorkerEnd } from './worker-messages.ts';

interface Started {
  readonly job: StretchJob;
  readonly listener: StretchListener;
  readonly end: (result: MigrationResult) => void;
  progress: MigrationProgress | undefined;
}

export interface StretchThreadsOptions {
  readonly clock: Clock;
  /** How long to retry a side that has never responded. */
  readonly startupDeadlineMs: number;
}

export class StretchThreads {
  readonly #threads: WorkerThreads;
  readonly #pool: WorkerPool;
  readonly #startupDeadlineMs: number;
  /** By shard. */
  readonly #started = new Map<string, Started>();

  constructor({ clock, startupDeadlineMs }: StretchThreadsOptions) {
    this.#startupDeadlineMs = startupDeadlineMs;
    // There are never more threads than stretches at once, and each of them takes the next stretch.
    this.#threads = new WorkerThreads(clock, Number.POSITIVE_INFINITY);
    this.#pool = new WorkerPool({
      spawn: this.#threads.spawn,
      clock,
      // The migration itself bounds how long a stop may take.
      drainMs: Number.POSITIVE_INFINITY,
      onReport: (shard, { progress, events }) => {
        const started = this.#started.get(shard);
        if (started === undefined) return;
        started.progress = progress;
        started.listener.progress(progress);
        for (const event of events) started.listener.event(event);
      },
      onDifferences: (shard, lines) => void this.#write(shard, lines),
      onEnd: (shard, end) => {
        const started = this.#started.get(shard);
        this.#started.delete(shard);
        started?.end(resultOf(end, started));
      },
    });
  }

  /** Never throws: a thread that can't be started is a stretch that has failed. */
  readonly start = (job: StretchJob, listener: StretchListener): StretchTask => {
    const shard = job.verification?.shard ?? job.plan.stretch?.shard ?? '';
    let end: (result: MigrationResult) => void = () => undefined;
    const result = new Promise<MigrationResult>((resolve) => {
      end = resolve;
    });
    const started: Started = { job, listener, end, progress: undefined };
    this.#started.set(shard, started);
    try {
      const { plan, known, verification } = job;
      const startupDeadlineMs = this.#startupDeadlineMs;
      this.#pool.start(shard, {
        ...{ plan, startupDeadlineMs },
        ...(known !== undefined && { known }),
        ...(verification !== undefined && { verification }),
      });
    } catch (error) {
      this.#started.delete(shard);
      end(failed(`no thread could be started for a stretch: ${textOf(error)}`, started));
    }
    return {
      result,
      stop: () => this.#pool.stop(shard, 'drain'),
      abort: () => this.#pool.stop(shard, 'abort'),
      setRates: (rates) => this.#pool.setRates(shard, rates),
    };
  };

  /** Starts the threads for stretches that will follow: a thread takes half a second to start. */
  prepare(plan: MigrationPlan, count: number): void {
    this.#threads.prepare({ plan }, count);
  }

  /** The thread waits meanwhile. */
  async #write(shard: string, lines: string): Promise<void> {
    let error: ResultError | undefined;
    try {
      const { differencesIn } = await import('./handed-differences.ts');
      await this.#started.get(shard)?.listener.differences?.(differencesIn(lines));
    } catch (caught) {
      error = resultError(caught);
    }
    this.#pool.differencesWritten(shard, error);
  }

  /** Ends the threads that wait for a job. */
  close(): void {
    this.#threads.close();
  }
}

function resultOf(end: WorkerEnd, started: Started): MigrationResult {
  switch (end.kind) {
    case 'result':
      return end.result;
    case 'crashed': {
      const hint =
        end.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'lower spec.limits.memory or spec.window.targetSamples' : '';
      return failed(`the thread of a stretch crashed: ${end.message} (${end.code})`, started, hint);
    }
    case 'hung':
      return failed(`the thread of a stretch did not respond for ${Math.round(end.silentMs / 1000)} s`, started);
    // It was asked to end immediately, and did not.
    case 'terminated':
      return { progress: { ...lastProgress(started), phase: 'Interrupted' } };
  }
}

function failed(message: string, started: Started, hint = ''): MigrationResult {
  const error = { code: 'internal' as const, message, ...(hint !== '' && { hint }) };
  return { progress: { ...lastProgress(started), phase: 'Failed' }, error };
}

function lastProgress({ job: { plan }, progress }: Started): MigrationProgress {
  return progress ?? initialProgress(plan.startMs, plan.endMs ?? plan.startMs);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
