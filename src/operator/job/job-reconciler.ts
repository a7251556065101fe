// The part of a reconcile that is about Jobs: collects what is known of them, lets decide-job.ts decide, and does it.

import type { PromMigration } from '../../api/prom-migration.ts';
import type { Clock } from '../../telemetry/clock.ts';
import { momentOf } from '../../telemetry/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { WorkerPool } from '../../execute/worker-pool.ts';
import { findCondition } from '../judge/conditions.ts';
import { decideJob, type JobAction, type JobDecision } from '../judge/decide-job.ts';
import type { MigrationRecord } from '../judge/migration-record.ts';
import { trustedStatus } from '../judge/status-origin.ts';
import { KubeApiError } from '../kube/kube-errors.ts';
import type { JobClient } from './job-client.ts';
import type { JobStore } from './job-store.ts';

export interface JobReconcilerOptions {
  readonly store: Pick<JobStore, 'factsOf' | 'hasStrayPods'>;
  readonly client: Pick<JobClient, 'create' | 'patch' | 'delete' | 'podRefusal'>;
}

interface Reconciliation {
  readonly key: string;
  readonly resource: PromMigration;
  readonly record: MigrationRecord;
  readonly signal: AbortSignal;
  readonly fields: Readonly<Record<string, string | number>>;
}

/** How often a refused Job is created again. */
const REFUSED_EVERY_MS = 30_000;
/** How long pods may be missing before the events are read: a pod that has ended is not replaced at once. Then they are read as often. */
const MISSING_MS = 15_000;

export class JobReconciler {
  readonly #options: JobReconcilerOptions;
  readonly #pool: WorkerPool;
  readonly #clock: Clock;
  readonly #logger: Logger;

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

  /** The end of the range that its Job copies, if the manifest leaves it open and the Job exists. */
  frozenEndOf(resource: PromMigration): number | undefined {
    const jobs = this.#options.store.factsOf(resource, this.#clock.now());
    return jobs.find(({ frozenEndMs }) => frozenEndMs !== undefined)?.frozenEndMs;
  }

  /** @returns whether the pods of an earlier Job are ending */
  async look(reconciliation: Reconciliation): Promise<Pick<JobDecision, 'podsEnding'>> {
    const { resource, record } = reconciliation;
    const { job, worker, timeline } = record;
    const decision = decideJob({
      resource,
      worker,
      timeline,
      check: record.checkOf(resource),
      checkIsFresh: false,
      slotFree: true,
      now: momentOf(this.#clock),
      jobs: this.#options.store.factsOf(resource, this.#clock.now()),
      hasStrayPods: this.#options.store.hasStrayPods(resource),
      isDivided: job.divided !== undefined,
      jobUid: job.facts?.uid,
      judged: job.judged,
    });
    if (worker.kind === 'running' && decision.current !== undefined) job.facts = decision.current;
    for (const action of decision.actions) await this.#try(action, reconciliation);
    if (worker.kind === 'running') await this.#lookForRefusal(reconciliation);
    return decision;
  }

  /** A request that the API server answers with an error must not keep the status from being written. */
  async #try(action: JobAction, reconciliation: Reconciliation): Promise<void> {
    try {
      await this.#act(action, reconciliation);
    } catch (error) {
      if (!(error instanceof KubeApiError)) throw error;
      const message = `the API server refuses to ${action.type} the Job: ${error.message}`;
      reconciliation.record.job.refusal = { message, atMs: this.#clock.monotonicMs() };
      this.#logger.warn('the Job could not be changed', { ...reconciliation.fields, problem: message });
    }
  }

  async #act(action: JobAction, { key, resource, record, signal, fields }: Reconciliation): Promise<void> {
    const { client } = this.#options;
    const { namespace } = resource.metadata;
    const { job } = record;
    switch (action.type) {
      case 'create': {
        const atMs = this.#clock.monotonicMs();
        if (job.divided === undefined || (job.refusal !== undefined && atMs < job.refusal.atMs + REFUSED_EVERY_MS))
          return;
        const message = await client.create(resource, job.divided, signal);
        job.refusal = message === undefined ? undefined : { message, atMs };
        if (message === undefined)
          this.#logger.info('Job created', { ...fields, stretches: job.divided.stretches.length });
        else this.#logger.warn('the Job was refused', { ...fields, problem: message });
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
      case 'conclude':
        record.stopping(action.cause);
        this.#pool.conclude(key);
        this.#logger.info('nothing is copied any more: looking for what is missing', {
          ...fields,
          cause: action.cause,
        });
    }
  }

  /** The status of a Job does not say why it has fewer pods than it should. Its events do. */
  async #lookForRefusal({ resource, record, signal }: Reconciliation): Promise<void> {
    const { job } = record;
    if (job.facts === undefined || job.facts.end !== undefined) return;
    const atMs = this.#clock.monotonicMs();
    if (job.facts.active >= job.facts.wanted) {
      job.refusal = undefined;
      job.missingSinceMs = undefined;
      return;
    }
    job.missingSinceMs ??= atMs;
    if (atMs < job.missingSinceMs + MISSING_MS) return;
    job.missingSinceMs = atMs;
    const message = await this.#options.client.podRefusal(resource.metadata.namespace, job.facts, signal);
    job.refusal = message === undefined ? undefined : { message, atMs };
  }
}
