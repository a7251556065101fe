// The part of a reconcile that is about Jobs: collects what is known of them, lets decide-job.ts decide, and does it.

import type { PromMigration } from '../../api/prom-migration.ts';
import type { Clock } from '../../telemetry/clock.ts';
import { momentOf } from '../../telemetry/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { DividedRange } from '../../execute/worker-messages.ts';
import type { WorkerPool } from '../../execute/worker-pool.ts';
import { findCondition } from '../judge/conditions.ts';
import { decideJob, type JobAction } from '../judge/decide-job.ts';
import type { MigrationRecord } from '../judge/migration-record.ts';
import { trustedStatus } from '../judge/status-origin.ts';
import { KubeApiError } from '../kube/kube-errors.ts';
import type { JobFacts } from '../judge/job-facts.ts';
import { unstoppedText } from '../judge/left-job.ts';
import type { JobClient } from './job-client.ts';
import type { JobEvents } from './job-events.ts';
import type { ConfigMap } from './job-objects.ts';
import type { JobStore } from './job-store.ts';
import { jobNameOf } from './job-names.ts';

export interface JobReconcilerOptions {
  readonly store: Pick<JobStore, 'factsOf' | 'hasStrayPods' | 'isPermitted'>;
  readonly client: Pick<JobClient, 'create' | 'patch' | 'delete' | 'putSettings' | 'hasSettings'>;
  readonly events: Pick<JobEvents, 'podRefusal' | 'startFailure'>;
  /** Of the pods; undefined: no Job can be created. */
  readonly image: string | undefined;
}

export interface JobReconciliation {
  readonly key: string;
  readonly resource: PromMigration;
  readonly record: MigrationRecord;
  readonly signal: AbortSignal;
  readonly fields: Readonly<Record<string, string | number>>;
}

/** What the rest of a reconcile needs to know. */
export interface JobLook {
  /** Whether pods of other Jobs may still be writing. */
  readonly podsEnding: boolean;
  /** When an action is due that has failed, or that is not repeated yet. */
  readonly againInMs?: number;
}

/** The Job that this process has created. */
interface OwnJob {
  readonly uid: string;
  readonly divided: DividedRange;
  /** On the monotonic clock. */
  readonly createdMs: number;
  readonly settings: ConfigMap;
  hasSettings: boolean;
}

/** So long the watch may take to show a Job that was created. */
const SHOWN_MS = 30_000;

export class JobReconciler {
  readonly #options: JobReconcilerOptions;
  readonly #pool: WorkerPool;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #own = new WeakMap<MigrationRecord, OwnJob>();

  constructor(
    options: JobReconcilerOptions,
    { pool, clock, logger }: { readonly pool: WorkerPool; readonly clock: Clock; readonly logger: Logger },
  ) {
    this.#options = options;
    this.#pool = pool;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Whether its worker only follows a Job. */
  static follows(resource: PromMigration, record: MigrationRecord | undefined): boolean {
    if (resource.spec.execution?.mode !== 'Job' || record?.job.copied === true) return false;
    const worker = record?.worker;
    if (worker?.kind === 'ended' && worker.outcome.succeeded) return false;
    return findCondition(trustedStatus(resource)?.conditions, 'Succeeded')?.status !== 'True';
  }

  /** Whether the operator knows the Jobs of the migration. Without the rights on Jobs and pods it does not. */
  knowsJobs({ metadata }: PromMigration): boolean {
    return this.#options.store.isPermitted(metadata.namespace);
  }

  /** Why the migration cannot be copied in a Job; undefined if it can. */
  whyNot(resource: PromMigration): string | undefined {
    if (!this.knowsJobs(resource))
      return 'the operator may not list and watch Jobs and pods in this namespace: see its log';
    return this.#options.image === undefined ? 'the operator runs without --job-image' : undefined;
  }

  /** Whether the watch has shown a Job of the migration. */
  shows(resource: PromMigration, name: string): boolean {
    return this.#options.store.factsOf(resource, this.#clock.now()).some((job) => job.name === name);
  }

  /** The end of the range that its Job copies, if the manifest leaves it open and the Job exists. */
  frozenEndOf(resource: PromMigration): number | undefined {
    const jobs = this.#options.store.factsOf(resource, this.#clock.now());
    return jobs.find(({ frozenEndMs }) => frozenEndMs !== undefined)?.frozenEndMs;
  }

  hasJob(resource: PromMigration): boolean {
    return this.#options.store.factsOf(resource, this.#clock.now()).length > 0;
  }

  async look(reconciliation: JobReconciliation): Promise<JobLook> {
    const { resource, record } = reconciliation;
    const { job, worker, timeline } = record;
    const { store, image } = this.#options;
    const jobs = store.factsOf(resource, this.#clock.now());
    const hasStrayPods = store.hasStrayPods(resource);
    const { actions, current, podsEnding } = decideJob({
      resource,
      worker,
      timeline,
      check: record.checkOf(resource),
      checkIsFresh: false,
      slotFree: true,
      now: momentOf(this.#clock),
      jobs,
      hasStrayPods,
      isDivided: job.divided !== undefined && !this.#isExpected(record),
      jobUid: job.facts?.uid,
      judged: job.judged,
      image,
    });
    if (worker.kind === 'running' && current !== undefined) job.facts = current;
    if (actions.length === 0 && this.#own.get(record)?.hasSettings !== false) job.refusal = undefined;
    job.name = jobs[0]?.name ?? (hasStrayPods ? jobNameOf(resource) : undefined);
    job.unstopped = undefined;
    const waits = [];
    for (const action of actions) {
      const waitMs = await this.#try(action, reconciliation);
      waits.push(waitMs);
      if (waitMs !== undefined && isStop(action)) job.unstopped = this.#unstopped(action.job, reconciliation);
    }
    if (worker.kind === 'running') {
      waits.push(await this.#completeSettings(reconciliation));
      await this.#lookForObstacles(reconciliation);
    }
    const againInMs = Math.min(...waits.flatMap((waitMs) => waitMs ?? []));
    return { podsEnding, ...(againInMs !== Number.POSITIVE_INFINITY && { againInMs }) };
  }

  #unstopped({ name, pods }: JobFacts, { resource, record }: JobReconciliation): string {
    const { namespace } = resource.metadata;
    return unstoppedText({ name, pods, namespace }, record.job.refusal ?? 'another program starts it again');
  }

  /**
   * An error of the API server must not keep the status from being written.
   * @returns in how many milliseconds to try it again; undefined if it is done
   */
  async #try(action: JobAction, reconciliation: JobReconciliation): Promise<number | undefined> {
    const act = () => this.#act(action, reconciliation);
    // These are no requests, and the attempts have pauses of their own.
    if (action.type === 'conclude' || action.type === 'replace') await act();
    else return await this.#paced(action.type, nameOf(action), reconciliation, act);
    return undefined;
  }

  async #paced(
    verb: string,
    action: string,
    { record: { job }, fields }: JobReconciliation,
    act: () => Promise<void>,
  ): Promise<number | undefined> {
    const nowMs = this.#clock.monotonicMs();
    const waitMs = job.repeated.waitMs(action, nowMs);
    if (waitMs > 0) return waitMs;
    try {
      await act();
      job.repeated.done(action, false, nowMs);
      job.refusal = undefined;
      return undefined;
    } catch (error) {
      if (!(error instanceof KubeApiError)) throw error;
      job.repeated.done(action, true, nowMs);
      job.refusal = `the API server refuses to ${verb} the Job: ${error.message}`;
      this.#logger.warn('the Job could not be changed', { ...fields, problem: job.refusal });
      return job.repeated.waitMs(action, nowMs);
    }
  }

  async #act(action: JobAction, { key, resource, record, signal, fields }: JobReconciliation): Promise<void> {
    const { client } = this.#options;
    const { namespace } = resource.metadata;
    const { job } = record;
    switch (action.type) {
      case 'create': {
        const { divided } = job;
        if (divided === undefined) return;
        const createdMs = this.#clock.monotonicMs();
        const { uid, settings } = await client.create(resource, divided, signal);
        job.name = settings.metadata.name;
        this.#own.set(record, { uid, divided, createdMs, settings, hasSettings: false });
        this.#logger.info('Job created', { ...fields, stretches: divided.stretches.length });
        await this.#putSettings(record, signal);
        return;
      }
      case 'delete':
        await client.delete(namespace, action.job, signal);
        this.#logger.info('Job deleted', { ...fields, job: action.job.name });
        return;
      case 'patch':
        await client.patch(namespace, action.job, action.spec, signal);
        this.#logger.info('Job changed', { ...fields, job: action.job.name, ...action.spec });
        return;
      case 'replace':
        if (record.worker.kind !== 'running' || record.worker.stopping !== undefined) return;
        record.stopping('job-replaced');
        this.#pool.stop(key, 'drain');
        this.#logger.info('the Job is replaced', { ...fields, job: action.job.name });
        return;
      case 'conclude':
        record.stopping(action.cause);
        this.#pool.conclude(key);
        this.#logger.info('nothing is copied any more: looking for what is missing', {
          ...fields,
          cause: action.cause,
        });
    }
  }

  /** Whether the watch will show a Job that was just created. */
  #isExpected(record: MigrationRecord): boolean {
    const own = this.#own.get(record);
    if (own === undefined || own.divided !== record.job.divided) return false;
    return record.job.facts === undefined && this.#clock.monotonicMs() < own.createdMs + SHOWN_MS;
  }

  async #putSettings(record: MigrationRecord, signal: AbortSignal): Promise<void> {
    const own = this.#own.get(record);
    if (own === undefined) return;
    await this.#options.client.putSettings(own.settings, signal);
    own.hasSettings = true;
  }

  /** Creates the ConfigMap of a Job if the API server has refused it. */
  async #completeSettings(reconciliation: JobReconciliation): Promise<number | undefined> {
    const { record, signal } = reconciliation;
    const own = this.#own.get(record);
    if (own === undefined || own.hasSettings || record.job.facts?.uid !== own.uid) return undefined;
    const act = () => this.#putSettings(record, signal);
    return await this.#paced('create the ConfigMap of', `settings ${own.uid}`, reconciliation, act);
  }

  /** Neither the status of a Job nor that of a pod says why pods are missing, or why a volume cannot be mounted. Events do. */
  async #lookForObstacles(reconciliation: JobReconciliation): Promise<void> {
    const { resource, record, signal } = reconciliation;
    const { namespace } = resource.metadata;
    const { facts, missing, starting } = record.job;
    if (facts === undefined || facts.end !== undefined) return;
    const { events } = this.#options;
    const nowMs = this.#clock.monotonicMs();
    const missingMs = missing.due(facts.active < facts.wanted ? facts.uid : undefined, nowMs);
    if (missingMs !== undefined) {
      missing.message = await events.podRefusal(namespace, facts.uid, this.#clock.now() - missingMs, signal);
    }
    const pod = facts.starting;
    if (pod === undefined || starting.due(pod.uid, nowMs) === undefined) {
      if (pod === undefined) starting.due(undefined, nowMs);
      return;
    }
    starting.message = await events.startFailure(namespace, pod, signal);
    if (await this.#options.client.hasSettings(namespace, facts, signal)) return;
    const own = this.#own.get(record);
    if (own?.uid === facts.uid) {
      own.hasSettings = false;
      await this.#completeSettings(reconciliation);
    } else {
      // What an earlier operator has divided is not known any more.
      await this.#try({ type: 'replace', job: facts }, reconciliation);
    }
  }
}

/** Whether it ends what a Job copies. */
function isStop(action: JobAction): action is JobAction & { readonly type: 'delete' | 'patch' } {
  return action.type === 'delete' || (action.type === 'patch' && action.spec.suspend === true);
}

function nameOf(action: JobAction): string {
  const job = 'job' in action ? action.job.uid : '';
  return `${action.type} ${job} ${'spec' in action ? JSON.stringify(action.spec) : ''}`;
}
