// One reconcile of one migration: collects what is known about it, lets decide.ts decide what to do, and does it. Also handles the reports of
// its worker.

import type { PromMigration } from '../api/prom-migration.ts';
import { momentOf } from '../telemetry/clock.ts';
import { type Checked, checkMigration } from './check.ts';
import type { DividedRange, FromWorker, WorkerEnd } from '../execute/worker-messages.ts';
import type { WorkerPool } from '../execute/worker-pool.ts';
import type { MigrationPlan } from '../migration/plan/migration-plan.ts';
import type { BeforeCopy } from '../migration/preflight-before-copy.ts';
import { JobAccess } from './job/job-access.ts';
import { JobReconciler } from './job/job-reconciler.ts';
import { type Action, decide, type DecideInput, type Decision } from './judge/decide.ts';
import { noticeOf, noticeOfEnd, noticeOfFinding, noticeOfVerification } from './judge/migration-events.ts';
import { generationOf, MigrationRecord } from './judge/migration-record.ts';
import { hasSlot, nextForSlots, type Slots } from './judge/slots.ts';
import { isConflict, isNotFound } from './kube/kube-errors.ts';
import { logEnd, named } from './migration-log.ts';
import { MigrationNotices } from './migration-notices.ts';
import type { ReconcilerOptions } from './reconciler-options.ts';
import { type Known, StatusPublisher } from './status-publisher.ts';
import type { WriteResult } from './status-writer.ts';
import { WorkerStarts } from './worker-starts.ts';

/** One reconcile of one key. */
interface Reconciliation extends Known {
  readonly key: string;
  readonly signal: AbortSignal;
  /** Fields that connect the log lines of one reconcile. */
  readonly fields: Readonly<Record<string, string | number>>;
}

type StartAction = Action & { readonly type: 'start' | 'look' };

/** For states that change soon: a write has met a newer version, the worker of an earlier object is ending, the lease has expired. */
const AGAIN_MS = 1_000;
/** At once: Jobs need no slot, and each look needs a thread with memory. */
const MAX_LOOKS_FOR_JOBS = 2;

export class Reconciler {
  readonly pool: WorkerPool;
  readonly publisher: StatusPublisher;
  /** By key: what is known of each migration since this operator leads. */
  readonly records = new Map<string, MigrationRecord>();
  readonly #options: ReconcilerOptions;
  readonly #jobs: JobAccess;
  readonly #starts: WorkerStarts;
  readonly #notices: MigrationNotices;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.publisher = new StatusPublisher(options);
    this.#notices = new MigrationNotices(options);
    this.pool = options.pool({
      onReport: (key, report) => this.#onReport(key, report),
      onDivided: (key, divided) => this.#onDivided(key, divided),
      onPreflight: (key, found) => this.#onPreflight(key, found),
      onEnd: (key, end) => this.#onEnd(key, end),
    });
    this.#jobs = new JobAccess({ ...options, pool: this.pool });
    this.#starts = new WorkerStarts({ ...options, pool: this.pool, jobs: this.#jobs });
  }

  /** @returns in how many milliseconds to reconcile again even if nothing changes */
  async look(key: string, signal: AbortSignal, fields: Reconciliation['fields']): Promise<number | undefined> {
    const resource = this.#options.store.get(key);
    if (resource === undefined) {
      this.#gone(key);
      return undefined;
    }
    if (!this.#mayWork()) return AGAIN_MS;
    const record = this.#recordOf(key, resource);
    // Another object of this name, while the worker of the earlier one is ending.
    if (record === undefined) return AGAIN_MS;
    let reconciliation: Reconciliation = { key, resource, record, signal, fields };
    let { podsEnding, againInMs: jobAgainInMs } = await this.#jobs.look(reconciliation);
    if (!this.#mayWork()) return AGAIN_MS;
    let decision = this.#decide(reconciliation, { checkIsFresh: false, podsEnding });
    let checked: Checked | undefined;
    if (decision.actions.some((action) => action.type === 'check')) {
      checked = await this.#check(reconciliation);
      // It may have been suspended or deleted since.
      const newest = this.#options.store.get(key);
      if (newest === undefined || newest.metadata.uid !== record.uid) return 0;
      reconciliation = { ...reconciliation, resource: newest };
      // What is not accepted must not be copied by a Job either, and a Job may have appeared meanwhile.
      ({ podsEnding, againInMs: jobAgainInMs } = await this.#jobs.look(reconciliation));
      if (!this.#mayWork()) return AGAIN_MS;
      decision = this.#decide(reconciliation, { checkIsFresh: true, podsEnding });
    }
    let againInMs = soonest(decision.againInMs, jobAgainInMs);
    for (const action of decision.actions) {
      // If the lease was lost, or the operator was asked to stop, the decision is void.
      if (!this.#mayWork()) return AGAIN_MS;
      if (isStart(action) && !this.#start(reconciliation, checked?.plan, action)) return undefined;
      againInMs = soonest(againInMs, await this.#act(action, reconciliation));
    }
    return againInMs;
  }

  #mayWork(): boolean {
    const { permission, leaseHeld } = this.#options;
    return permission() === 'work' && leaseHeld();
  }

  #decide({ resource, record }: Reconciliation, given: Pick<DecideInput, 'checkIsFresh' | 'podsEnding'>): Decision {
    const now = momentOf(this.#options.clock);
    const preflight = record.preflightState(resource, this.#jobs.hasJob(resource), now.monotonicMs);
    const mayLook = preflight.kind !== 'due' || this.pool.lookingForJobs < MAX_LOOKS_FOR_JOBS;
    return decide({
      resource,
      check: record.checkOf(resource),
      ...given,
      jobUnstopped: record.job.unstopped !== undefined,
      worker: record.worker,
      timeline: record.timeline,
      preflight,
      slotFree: JobReconciler.follows(resource, record) ? mayLook : hasSlot(resource, this.#slots()),
      now,
    });
  }

  #slots(): Slots {
    const { store, maxMigrations, clock } = this.#options;
    return {
      resources: store.list(),
      record: (key) => this.records.get(key),
      follows: (resource, record) => JobReconciler.follows(resource, record),
      free: maxMigrations - this.pool.copying,
      nowMs: clock.monotonicMs(),
    };
  }

  async #check(reconciliation: Reconciliation): Promise<Checked> {
    const { resource, record, signal, fields } = reconciliation;
    const { readSecrets, allowsAmbient, clock, logger } = this.#options;
    const read = (migration: PromMigration) => readSecrets(migration, signal);
    const noJobs = this.#jobs.whyNot(resource);
    const whyWait = () => this.#jobs.whyWait(reconciliation);
    const options = { read, noJobs, whyWait, allowsAmbient, failures: record.checkFailures };
    const checked = await checkMigration(resource, options, clock);
    const { check } = checked;
    if (record.checked(resource, check) && !check.ok) {
      logger.warn('not accepted', { ...fields, reason: check.reason, problem: check.message });
    }
    // The slot of a migration that cannot run is available to the next one.
    if (!check.ok) this.wakeWaiting();
    return checked;
  }

  /** @returns whether its worker runs now. Otherwise it is reconciled again. */
  #start(reconciliation: Reconciliation, plan: MigrationPlan | undefined, action: StartAction): boolean {
    if (plan === undefined) return false;
    const failure = this.#starts.start(reconciliation, plan, action);
    if (failure !== undefined) this.#onEnd(reconciliation.key, failure);
    return failure === undefined;
  }

  /** @returns in how many milliseconds to reconcile again, if something has to wait */
  async #act(action: Action, reconciliation: Reconciliation): Promise<number | undefined> {
    const { key, resource, record, signal, fields } = reconciliation;
    const { clock, logger, queue } = this.#options;
    switch (action.type) {
      case 'check':
      case 'look':
      case 'start':
        return undefined;
      case 'stop':
        record.stopping(action.cause);
        this.pool.stop(key, action.how);
        logger.info('stopping worker', { ...fields, cause: action.cause });
        return undefined;
      case 'rates':
        record.rates(action.rates);
        this.pool.setRates(key, action.rates);
        logger.info('limits changed', { ...fields, ...action.rates });
        return undefined;
      case 'parallelism':
        record.parallelism(action.parallelism);
        this.pool.setParallelism(key, action.parallelism);
        logger.info('parallelism changed', { ...fields, parallelism: action.parallelism });
        return undefined;
      case 'end':
        record.ended(action.outcome, generationOf(resource), clock.now());
        queue.add(key);
        return undefined;
      case 'delete':
        await this.#options.deleteResource(resource, signal).catch((error: unknown) => {
          if (!isNotFound(error) && !isConflict(error)) throw error;
        });
        logger.info('deleted because spec.ttlSecondsAfterFinished has passed', fields);
        return undefined;
      case 'status':
        if (action.situation.kind === 'suspended') record.track.suspended();
        else if (action.situation.kind === 'waiting') record.track.paused();
        return laterMs(await this.publisher.publish(reconciliation, action.situation, { signal }));
    }
  }

  #onReport(key: string, report: FromWorker & { type: 'report' }): void {
    const record = this.records.get(key);
    // A worker that was aborted because another operator leads still sends a last report.
    if (record === undefined || this.#options.permission() === 'nothing') return;
    const { clock, hooks, queue, logger } = this.#options;
    const comparedBefore = record.track.verification.current;
    if (record.report(report, momentOf(clock))) queue.add(key);
    hooks.report(key, report);
    for (const event of report.events) {
      if (event.type === 'warning') logger.warn(event.message, { ...named(key), code: event.code });
    }
    const notices = report.events.map((event) => noticeOf(event, report.progress));
    this.#notices.report(key, record, [...notices, noticeOfVerification(comparedBefore, report.progress)]);
  }

  #onPreflight(key: string, found: BeforeCopy): void {
    const record = this.records.get(key);
    if (record === undefined || this.#options.permission() === 'nothing') return;
    const { clock, hooks, store } = this.#options;
    const unreported = record.preflight.found(found, store.get(key) ?? {}, clock.monotonicMs());
    hooks.preflight(key, found.findings);
    this.#notices.report(key, record, unreported.map(noticeOfFinding));
  }

  #onDivided(key: string, divided: DividedRange): void {
    const record = this.records.get(key);
    if (record === undefined) return;
    // For the follower, the end of an existing Job is as if the manifest had it.
    record.job.divided = { ...divided, frozenEndMs: divided.frozenEndMs ?? record.job.frozenEndMs };
    this.#options.queue.add(key);
  }

  #onEnd(key: string, end: WorkerEnd): void {
    const { clock, logger, hooks, queue, permission } = this.#options;
    const record = this.records.get(key);
    const verdict = record?.workerEnded(end, momentOf(clock));
    if (record !== undefined && verdict !== undefined) {
      logEnd(logger, key, verdict, clock.monotonicMs());
      if (verdict.kind === 'outcome') hooks.ended(key);
      // The log has its end already.
      if (permission() !== 'nothing') this.#notices.record(key, record, noticeOfEnd(verdict));
    }
    if (permission() === 'nothing') return;
    queue.add(key);
    this.wakeWaiting();
  }

  /** Undefined while the worker of an earlier object of this name has not ended. */
  #recordOf(key: string, resource: PromMigration): MigrationRecord | undefined {
    let record = this.records.get(key);
    if (record !== undefined && record.uid !== resource.metadata.uid) {
      this.#gone(key);
      record = undefined;
    }
    if (record === undefined) {
      if (this.pool.has(key)) return undefined;
      record = new MigrationRecord(resource, momentOf(this.#options.clock));
      this.records.set(key, record);
    }
    record.seen(resource);
    return record;
  }

  #gone(key: string): void {
    const { hooks, queue, logger } = this.#options;
    if (this.pool.has(key)) {
      logger.info('deleted: its worker is terminated', named(key));
      this.pool.stop(key, 'abort');
    }
    this.records.delete(key);
    this.publisher.forget(key);
    hooks.forget(key);
    queue.forget(key);
    this.wakeWaiting();
  }

  /** Queues the migrations that may take the free slots. */
  wakeWaiting(): void {
    if (this.#options.permission() !== 'work') return;
    for (const key of nextForSlots(this.#slots())) this.#options.queue.add(key);
  }
}

function isStart(action: Action): action is StartAction {
  return action.type === 'start' || action.type === 'look';
}

function soonest(oneMs: number | undefined, otherMs: number | undefined): number | undefined {
  return oneMs === undefined || otherMs === undefined ? (oneMs ?? otherMs) : Math.min(oneMs, otherMs);
}

function laterMs(result: WriteResult): number | undefined {
  if (result.kind === 'later') return result.afterMs;
  return result.kind === 'conflict' ? AGAIN_MS : undefined;
}
