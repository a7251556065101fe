// The entry point of a migration's own thread: runs the engine as `prom-migrator run` does, and reports to the main thread.
// It does not depend on Kubernetes.

import { isMainThread, type MessagePort, parentPort } from 'node:worker_threads';
import type { MigrationPlan } from '../migration/plan/migration-plan.ts';
import type { FollowContext } from '../migration/follow-stretches.ts';
import { MigrationError } from '../migration/report/migration-error.ts';
import type { PreflightContext } from '../migration/preflight.ts';
import {
  initialProgress,
  type MigrationEvent,
  type MigrationObserver,
  type MigrationProgress,
  type MigrationResult,
  type ResultError,
} from '../migration/report/observer.ts';
import { type Clock, SYSTEM_CLOCK } from '../telemetry/clock.ts';
import type { FromWorker, Rates } from './worker-messages.ts';
import { runMigration } from './run-migration.ts';
import { runStretch } from './run-stretch.ts';
import { type ToWorker, unpackJob, type WorkerJob } from './to-worker.ts';

const REPORT_MS = 1_000;
const HEARTBEAT_MS = 5_000;
/** Between two reports. A storm of retries does not justify more of the main thread's time. */
const MAX_EVENTS = 2_000;

const AT_ONCE: readonly MigrationEvent['type'][] = ['resumed', 'already-finished', 'finished'];

/** Collects what the engine reports and sends it on in batches. */
class Reporter implements MigrationObserver {
  readonly #post: (message: FromWorker) => void;
  readonly #rebase: (progress: MigrationProgress) => MigrationProgress;
  #latest: Readonly<MigrationProgress> | undefined;
  #events: MigrationEvent[] = [];
  #dirty = false;

  constructor(post: (message: FromWorker) => void, rebase: (progress: MigrationProgress) => MigrationProgress) {
    this.#post = post;
    this.#rebase = rebase;
  }

  progress(progress: Readonly<MigrationProgress>): void {
    this.#latest = progress;
    this.#dirty = true;
  }

  event(event: MigrationEvent): void {
    if (this.#events.length < MAX_EVENTS) this.#events.push(event);
    this.#dirty = true;
    if (AT_ONCE.includes(event.type)) this.flush();
  }

  /** @returns whether there was something to report */
  flush(): boolean {
    if (!this.#dirty || this.#latest === undefined) return false;
    this.#dirty = false;
    const events = this.#events;
    this.#events = [];
    this.#post({ type: 'report', progress: this.#rebase({ ...this.#latest }), events });
    return true;
  }
}

/** Sends differences to the main thread, and waits until they are written. */
class Handing {
  readonly #post: (message: FromWorker) => void;
  #written: (error: ResultError | undefined) => void = () => undefined;

  constructor(post: (message: FromWorker) => void) {
    this.#post = post;
  }

  readonly handOn = (lines: string, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#written = (error) => {
        signal.removeEventListener('abort', onAbort);
        if (error === undefined) resolve();
        else reject(new MigrationError(error.code, error.message, error));
      };
      this.#post({ type: 'differences', lines });
    });

  written(error: ResultError | undefined): void {
    this.#written(error);
  }
}

/** Without marks in the destination the engine begins at the plan's start, so the plan is limited to the rest of the range. */
function planOfRest({ plan, resume }: WorkerJob): MigrationPlan {
  if (resume === undefined || plan.progress.protocol !== 'None') return plan;
  return { ...plan, startMs: Math.max(plan.startMs, resume.fromMs), endMs: resume.endMs };
}

/** Runs one job to its end; never rejects. `port` is the main thread. */
export async function runJob(
  job: WorkerJob,
  port: Pick<MessagePort, 'postMessage' | 'on' | 'off'>,
  clock: Clock,
  random: () => number,
): Promise<void> {
  const post = (message: FromWorker) => port.postMessage(message);
  const { resumeVerification, known, verification, startupDeadlineMs = Number.POSITIVE_INFINITY } = job;
  const plan = planOfRest(job);
  const rested = plan !== job.plan;
  const reporter = new Reporter(post, (progress) =>
    rested ? { ...progress, startMs: job.plan.startMs, resumedFromMs: plan.startMs } : progress,
  );
  const stop = new AbortController();
  const abort = new AbortController();
  const conclude = new AbortController();
  const ended = new AbortController();
  let applyRates: ((rates: Rates) => void) | undefined;
  let rates: Rates | undefined;
  let applyParallelism: ((parallelism: number) => void) | undefined;
  let parallelism: number | undefined;
  const handing = new Handing(post);
  const onMessage = (message: ToWorker) => {
    if (message.type === 'stop') stop.abort();
    else if (message.type === 'abort') abort.abort();
    else if (message.type === 'differences-written') handing.written(message.error);
    else if (message.type === 'conclude') conclude.abort();
    else if (message.type === 'rates') {
      rates = message.rates;
      applyRates?.(rates);
    } else if (message.type === 'parallelism') {
      parallelism = message.parallelism;
      applyParallelism?.(parallelism);
    }
  };
  port.on('message', onMessage);
  const reporting = report(reporter, post, clock, ended.signal);
  const context = {
    clock,
    random,
    stop: stop.signal,
    abort: abort.signal,
    observer: reporter,
    // For the operator an outage at the start has no deadline: it keeps retrying, and its conditions show the outage.
    startupDeadlineMs,
    ...(resumeVerification !== undefined && { resumeVerification }),
    onRatesAvailable: (set: (rates: Rates) => void) => {
      applyRates = set;
      if (rates !== undefined) set(rates);
    },
  };
  const onParallelismAvailable = (set: (parallelism: number) => void) => {
    applyParallelism = set;
    if (parallelism !== undefined) set(parallelism);
  };
  const isStretch = plan.stretch !== undefined || verification !== undefined;
  const result = job.preflight
    ? await look(job, { clock, random, signal: AbortSignal.any([stop.signal, abort.signal]) }, post)
    : job.follow
      ? await follow(plan, { ...context, conclude: conclude.signal, onDivided: (found) => post(dividedRange(found)) })
      : isStretch
        ? await runStretch(
            { plan, known, ...(verification !== undefined && { verification }) },
            context,
            handing.handOn,
          )
        : await runMigration(plan, { ...context, onParallelismAvailable });
  ended.abort();
  await reporting;
  reporter.flush();
  port.off('message', onMessage);
  post({ type: 'ended', result });
}

/** Loaded here, because a thread that copies does not need it. */
async function follow(plan: MigrationPlan, context: FollowContext): Promise<MigrationResult> {
  const { followStretches } = await import('../migration/follow-stretches.ts');
  return await followStretches(plan, context);
}

/** As for `follow`. */
async function look(
  { plan, follow }: WorkerJob,
  context: PreflightContext,
  post: (message: FromWorker) => void,
): Promise<MigrationResult> {
  const { lookBeforeCopy } = await import('./look-before-copy.ts');
  const found = await lookBeforeCopy(plan, context, follow === true);
  if (found !== undefined) post({ type: 'preflight', ...found });
  return { progress: { ...initialProgress(plan.startMs, plan.endMs ?? plan.startMs), phase: 'Interrupted' } };
}

function dividedRange({ frozenEndMs, stretches }: Parameters<FollowContext['onDivided']>[0]): FromWorker {
  return {
    type: 'divided',
    frozenEndMs,
    stretches: stretches.map(({ shard, startMs, endMs }) => ({ shard, startMs, endMs })),
  };
}

async function report(
  reporter: Reporter,
  post: (message: FromWorker) => void,
  clock: Clock,
  ended: AbortSignal,
): Promise<void> {
  let heardAtMs = clock.monotonicMs();
  for (;;) {
    try {
      await clock.sleep(REPORT_MS, ended);
    } catch {
      return;
    }
    const nowMs = clock.monotonicMs();
    if (reporter.flush()) heardAtMs = nowMs;
    else if (nowMs - heardAtMs >= HEARTBEAT_MS) {
      post({ type: 'heartbeat' });
      heardAtMs = nowMs;
    }
  }
}

/** Runs one job after the other, for as long as the main thread lets it. An uncaught error ends the thread, and the exit reports it. */
async function serve(port: MessagePort): Promise<never> {
  const jobs: WorkerJob[] = [];
  let wake: () => void = () => {};
  port.on('message', (message: ToWorker) => {
    if (message.type !== 'job') return;
    const job = unpackJob(message.job);
    if (message.port !== undefined) {
      void runJob(job, message.port, SYSTEM_CLOCK, Math.random);
      return;
    }
    jobs.push(job);
    wake();
  });
  for (;;) {
    const job = jobs.shift();
    if (job !== undefined) await runJob(job, port, SYSTEM_CLOCK, Math.random);
    else {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
}

// Tests also import this file, on the main thread.
if (!isMainThread && parentPort !== null) void serve(parentPort);
