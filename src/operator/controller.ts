// The thin shell around decide.ts: takes keys from the queue, looks at how things are, has it decided what to do, and does it. Held by
// operator.ts; works only while this operator is the leader.

import type { PromMigration } from '../api/prom-migration.ts';
import { type Clock, momentOf } from '../telemetry/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Verdict, WorkerEnd } from './judge/attempt.ts';
import { type Checked, checkMigration, type SecretReading } from './check.ts';
import { type Action, decide, type Decision, type Situation } from './judge/decide.ts';
import type { RecordedEvent } from './kube/event-recorder.ts';
import { isConflict, isNotFound } from './kube/kube-errors.ts';
import { keyOf, type ObjectReference } from './kube/kube-objects.ts';
import { type MigrationNotice, noticeOf, noticesOfChange } from './judge/migration-events.ts';
import { generationOf, MigrationRecord } from './judge/migration-record.ts';
import { hasSlot, nextForSlots, type Slots } from './judge/slots.ts';
import { composeStatus } from './judge/status.ts';
import type { StatusWriter } from './status-writer.ts';
import type { WorkerPool, WorkerPoolOptions } from './execute/worker-pool.ts';
import type { FromWorker } from './execute/worker-messages.ts';
import type { WorkQueue } from './kube/work-queue.ts';

/** Hears what goes on, for the metrics. */
export interface ControllerHooks {
  report(key: string, report: FromWorker & { type: 'report' }): void;
  /** Its worker is gone, and no other one will follow unless somebody edits the spec. */
  ended(key: string): void;
  /** The resource is gone: so are its series. */
  forget(key: string): void;
  reconciled(result: 'success' | 'error', seconds: number): void;
}

export interface ControllerOptions {
  readonly store: {
    get(key: string): PromMigration | undefined;
    list(): readonly PromMigration[];
    /** Takes over the response to a request of the controller's own, unless `basis` is not the newest any more. */
    put(basis: PromMigration, response: PromMigration, passed?: readonly string[]): void;
  };
  readonly queue: WorkQueue;
  readonly pool: (listeners: Pick<WorkerPoolOptions, 'onReport' | 'onEnd'>) => WorkerPool;
  readonly writer: Pick<StatusWriter, 'write' | 'forget'>;
  readonly recorder: { record(object: ObjectReference, event: RecordedEvent): void };
  readonly readSecrets: (migration: PromMigration, signal: AbortSignal) => Promise<SecretReading>;
  /** Deletes this very object and no later one of its name. */
  readonly deleteResource: (resource: PromMigration, signal: AbortSignal) => Promise<void>;
  /** The object as it is now, or undefined when there is none. */
  readonly readResource: (resource: PromMigration, signal: AbortSignal) => Promise<PromMigration | undefined>;
  /** Whether the lease is still held; false even before anybody has told that it is lost. */
  readonly mayWork: () => boolean;
  readonly maxMigrations: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly hooks: ControllerHooks;
}

/** One reconcile of one key. */
interface Turn {
  readonly key: string;
  readonly resource: PromMigration;
  readonly record: MigrationRecord;
  readonly signal: AbortSignal;
  /** Ties the log lines of one reconcile together. */
  readonly fields: Readonly<Record<string, string | number>>;
}

const RECONCILERS = 4;
/** A write met a newer version, or another object of that name, which the watch is about to tell. */
const CONFLICT_PAUSE_MS = 1_000;
const LAST_WRITE_MS = 3_000;

export class Controller {
  readonly #options: ControllerOptions;
  readonly #pool: WorkerPool;
  readonly #records = new Map<string, MigrationRecord>();
  #reconciles = 0;
  #leading = false;
  #draining = false;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#pool = options.pool({
      onReport: (key, report) => this.#onReport(key, report),
      onEnd: (key, end) => this.#onEnd(key, end),
    });
  }

  /** Worker threads there are. */
  get workers(): number {
    return this.#pool.size;
  }

  /** Works until the signal is aborted. What was known before is forgotten: another leader may have worked meanwhile. */
  async lead(signal: AbortSignal): Promise<void> {
    const { queue, store } = this.#options;
    this.#records.clear();
    this.#leading = true;
    for (const resource of store.list()) queue.add(keyOf(resource));
    await Promise.all(Array.from({ length: RECONCILERS }, () => this.#work(signal)));
    this.#leading = false;
  }

  /** Not the leader any more: every worker ends at once, and nothing is written. Resolves when there is none left. */
  async abandon(): Promise<void> {
    this.#leading = false;
    for (const record of this.#records.values()) record.stopping('not-leader');
    this.#pool.stopAll('abort');
    await this.#pool.idle();
    this.#records.clear();
  }

  /** The end of an operator that still leads: no new window, `graceMs` for those in flight, the last status of each written. */
  async drain(graceMs: number): Promise<void> {
    const { clock, logger } = this.#options;
    this.#draining = true;
    const running = [...this.#records].filter(([, record]) => record.worker.kind === 'running');
    logger.info('stopping: no new windows', { migrations: running.length });
    for (const [, record] of running) record.stopping('shutdown');
    this.#pool.stopAll('drain');
    const over = new AbortController();
    await Promise.race([this.#pool.idle(), clock.sleep(graceMs, over.signal).catch(() => undefined)]);
    over.abort();
    if (this.#pool.size > 0) {
      logger.warn('the grace period is over, ending the windows in flight', { migrations: this.#pool.size });
      this.#pool.stopAll('abort');
      await this.#pool.idle();
    }
    await Promise.all(running.map(([key, record]) => this.#writeLast(key, record)));
  }

  /** The resource of this key has changed or is gone, or was listed. */
  changed(key: string): void {
    if (this.#leading) this.#options.queue.add(key);
    else if (this.#options.store.get(key) === undefined) this.#options.hooks.forget(key);
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { queue } = this.#options;
    for (;;) {
      let key: string;
      try {
        key = await queue.next(signal);
      } catch {
        return;
      }
      await this.#reconcile(key, signal).finally(() => queue.done(key));
    }
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<void> {
    const { queue, logger, hooks, clock } = this.#options;
    const startMs = clock.monotonicMs();
    const fields = { ...named(key), reconcile: ++this.#reconciles };
    try {
      const againInMs = await this.#step(key, signal, fields);
      queue.forget(key);
      if (againInMs !== undefined) queue.addAfter(key, Math.max(1, againInMs));
      hooks.reconciled('success', (clock.monotonicMs() - startMs) / 1000);
    } catch (error) {
      if (signal.aborted) return;
      hooks.reconciled('error', (clock.monotonicMs() - startMs) / 1000);
      logger.warn('reconcile failed, trying again', { ...fields, error });
      queue.retry(key);
      // Its place is for the next one until then.
      this.#records.get(key)?.hindered(clock.monotonicMs());
      this.#wakeWaiting();
    }
  }

  /** @returns in how many milliseconds to look again although nothing has changed */
  async #step(key: string, signal: AbortSignal, fields: Turn['fields']): Promise<number | undefined> {
    const resource = this.#options.store.get(key);
    if (resource === undefined) {
      this.#gone(key);
      return undefined;
    }
    if (this.#draining) return undefined;
    const record = this.#recordOf(key, resource);
    // Another object of this name, while the worker of the earlier one is ending.
    if (record === undefined) return CONFLICT_PAUSE_MS;
    const turn: Turn = { key, resource, record, signal, fields };
    let decision = this.#decide(turn, false);
    let checked: Checked | undefined;
    if (decision.actions.some((action) => action.type === 'check')) {
      checked = await this.#check(turn);
      decision = this.#decide(turn, true);
    }
    let { againInMs } = decision;
    for (const action of decision.actions) {
      const soonerMs = await this.#act(action, turn, checked);
      if (soonerMs !== undefined) againInMs = Math.min(soonerMs, againInMs ?? soonerMs);
    }
    return againInMs;
  }

  #decide({ resource, record }: Turn, checkIsFresh: boolean): Decision {
    return decide({
      resource,
      check: record.checkOf(resource),
      checkIsFresh,
      worker: record.worker,
      course: record.course,
      slotFree: hasSlot(resource, this.#slots()),
      now: momentOf(this.#options.clock),
    });
  }

  #slots(): Slots {
    const { store, maxMigrations, clock } = this.#options;
    return {
      resources: store.list(),
      record: (key) => this.#records.get(key),
      free: maxMigrations - this.#pool.size,
      nowMs: clock.monotonicMs(),
    };
  }

  async #check({ resource, record, signal, fields }: Turn): Promise<Checked> {
    const { readSecrets, clock, logger } = this.#options;
    const read = (migration: PromMigration) => readSecrets(migration, signal);
    const checked = await checkMigration(resource, read, record.checkFailures, clock);
    const { check } = checked;
    if (record.checked(resource, check) && !check.ok) {
      logger.warn('not accepted', { ...fields, reason: check.reason, problem: check.message });
    }
    // The place of one that cannot run is the next one's.
    if (!check.ok) this.#wakeWaiting();
    return checked;
  }

  /** @returns in how many milliseconds to look again, if something has to wait */
  async #act(action: Action, turn: Turn, checked: Checked | undefined): Promise<number | undefined> {
    const { key, resource, record, signal, fields } = turn;
    const { clock, logger, queue } = this.#options;
    switch (action.type) {
      case 'check':
        return undefined;
      case 'start':
        if (checked?.job === undefined || this.#draining || !this.#leading || !this.#options.mayWork())
          return undefined;
        record.started(resource, momentOf(clock));
        this.#pool.start(key, { ...checked.job, ...(action.resume !== undefined && { resume: action.resume }) });
        logger.info('worker started', fields);
        return undefined;
      case 'stop':
        record.stopping(action.cause);
        this.#pool.stop(key, action.how);
        logger.info('worker is told to stop', { ...fields, cause: action.cause });
        return undefined;
      case 'rates':
        record.rates(action.rates);
        this.#pool.setRates(key, action.rates);
        logger.info('limits changed', { ...fields, ...action.rates });
        return undefined;
      case 'end':
        record.ended(action.outcome, generationOf(resource), clock.now());
        queue.add(key);
        return undefined;
      case 'delete':
        await this.#options.deleteResource(resource, signal).catch((error: unknown) => {
          if (!isNotFound(error) && !isConflict(error)) throw error;
        });
        logger.info('deleted, as spec.ttlSecondsAfterFinished wants it', fields);
        return undefined;
      case 'status':
        if (action.situation.kind === 'suspended') record.track.suspended();
        else if (action.situation.kind === 'waiting') record.track.paused();
        return await this.#writeStatus(key, resource, record, action.situation, { signal });
    }
  }

  /** @returns in how many milliseconds to look again, if the write has to wait */
  async #writeStatus(
    key: string,
    resource: PromMigration,
    record: MigrationRecord,
    situation: Situation,
    settings: { readonly signal: AbortSignal; readonly hurry?: boolean },
  ): Promise<number | undefined> {
    const { writer, store, clock, recorder, mayWork } = this.#options;
    if (!mayWork()) return undefined;
    const check = record.checkOf(resource);
    const status = composeStatus({ resource, situation, track: record.track, check, now: momentOf(clock) });
    const result = await writer.write(resource, status, settings);
    if (result.kind === 'later') return result.afterMs;
    if (result.kind === 'conflict') {
      const newest = await this.#options.readResource(resource, settings.signal);
      if (newest !== undefined) store.put(resource, newest);
      return CONFLICT_PAUSE_MS;
    }
    if (result.kind !== 'written') return undefined;
    store.put(resource, result.resource, result.passed);
    for (const notice of noticesOfChange(resource.status, status)) {
      recorder.record(referenceTo(result.resource), notice);
      // The ends are in the log already, with more about them.
      if (notice.action !== 'Finish') this.#logNotice(key, notice);
    }
    return undefined;
  }

  /** The last word on a migration whose worker was drained. */
  async #writeLast(key: string, record: MigrationRecord): Promise<void> {
    const resource = this.#options.store.get(key);
    if (resource === undefined || resource.metadata.uid !== record.uid) return;
    const { worker } = record;
    const situation: Situation = worker.kind === 'ended' ? worker : { kind: 'interrupted' };
    try {
      const settings = { hurry: true, signal: AbortSignal.timeout(LAST_WRITE_MS) };
      await this.#writeStatus(key, resource, record, situation, settings);
    } catch (error) {
      this.#options.logger.warn('the last status could not be written', { ...named(key), error });
    }
  }

  #onReport(key: string, report: FromWorker & { type: 'report' }): void {
    const record = this.#records.get(key);
    // A worker that is told to end because another operator leads still has a last word.
    if (record === undefined || !this.#leading) return;
    const { clock, hooks, queue, recorder, store, logger } = this.#options;
    const now = momentOf(clock);
    if (record.report(report, now)) queue.add(key);
    hooks.report(key, report);
    const resource = store.get(key);
    for (const event of report.events) {
      if (event.type === 'warning') logger.warn(event.message, { ...named(key), code: event.code });
      const notice = noticeOf(event, report.progress);
      if (notice === undefined || resource?.metadata.uid !== record.uid || !record.isNews(notice, now.monotonicMs))
        continue;
      if (resource !== undefined) recorder.record(referenceTo(resource), notice);
      this.#logNotice(key, notice);
    }
  }

  #onEnd(key: string, end: WorkerEnd): void {
    const verdict = this.#records.get(key)?.workerEnded(end, momentOf(this.#options.clock));
    if (verdict !== undefined) this.#logEnd(key, verdict);
    if (verdict?.kind === 'outcome') this.#options.hooks.ended(key);
    if (!this.#leading) return;
    this.#options.queue.add(key);
    this.#wakeWaiting();
  }

  #logEnd(key: string, verdict: Verdict): void {
    const { logger, clock } = this.#options;
    if (verdict.kind === 'stopped') logger.info('worker stopped', { ...named(key), cause: verdict.cause });
    else if (verdict.kind === 'again') {
      const { reason, message, count, retryAtMs } = verdict.failures;
      const nextInSeconds = Math.round(retryAtMs - clock.monotonicMs()) / 1000;
      logger.warn(`attempt ended: ${message}`, { ...named(key), reason, attempts: count, nextInSeconds });
    } else {
      const { succeeded, reason, message } = verdict.outcome;
      if (succeeded) logger.info('migration finished', { ...named(key), reason });
      else logger.error(`migration failed: ${message}`, { ...named(key), reason });
    }
  }

  #logNotice(key: string, { type, reason, note }: MigrationNotice): void {
    const { logger } = this.#options;
    if (type === 'Warning') logger.warn(note, { ...named(key), event: reason });
    else logger.info(note, { ...named(key), event: reason });
  }

  /** Undefined while the worker of an earlier object of this name has not ended. */
  #recordOf(key: string, resource: PromMigration): MigrationRecord | undefined {
    let record = this.#records.get(key);
    if (record !== undefined && record.uid !== resource.metadata.uid) {
      this.#gone(key);
      record = undefined;
    }
    if (record === undefined) {
      if (this.#pool.has(key)) return undefined;
      record = new MigrationRecord(resource, momentOf(this.#options.clock));
      this.#records.set(key, record);
    }
    record.seen(resource);
    return record;
  }

  #gone(key: string): void {
    const { writer, hooks, queue, logger } = this.#options;
    if (this.#pool.has(key)) {
      logger.info('deleted: its worker is ended', named(key));
      this.#pool.stop(key, 'abort');
    }
    this.#records.delete(key);
    writer.forget(key);
    hooks.forget(key);
    queue.forget(key);
    this.#wakeWaiting();
  }

  #wakeWaiting(): void {
    if (!this.#leading || this.#draining) return;
    for (const key of nextForSlots(this.#slots())) this.#options.queue.add(key);
  }
}

function referenceTo({ apiVersion, kind, metadata }: PromMigration): ObjectReference {
  const { name, namespace = 'default', uid = '', resourceVersion = '' } = metadata;
  return { apiVersion, kind, namespace, name, uid, resourceVersion };
}

function named(key: string): { readonly namespace: string; readonly migration: string } {
  const [namespace = '', migration = ''] = key.split('/');
  return { namespace, migration };
}
