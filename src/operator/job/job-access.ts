// What a reconcile needs of Jobs, whether this operator may manage them or not. An operator that may not still has to know whether a Job copies:
// two copies at once could write samples twice.

import type { PromMigration } from '../../api/prom-migration.ts';
import type { WorkerPool } from '../../execute/worker-pool.ts';
import type { Clock } from '../../telemetry/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type FoundJob, hasSucceeded, mayCopy, mayHaveJob } from '../judge/left-job.ts';
import { type JobLook, type JobReconciliation, JobReconciler, type JobReconcilerOptions } from './job-reconciler.ts';

export interface JobAccessOptions {
  /** Undefined: migrations with mode Job are not accepted. */
  readonly jobs: JobReconcilerOptions | undefined;
  /** Finds the Job that a migration still has, without the right to watch Jobs. */
  readonly findJob: (migration: PromMigration, signal: AbortSignal) => Promise<FoundJob>;
  readonly pool: WorkerPool;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A Job may be gone, or was stopped, without a change of the migration. */
const LOOK_EVERY_MS = 30_000;

export class JobAccess {
  readonly #options: JobAccessOptions;
  readonly #managed: JobReconciler | undefined;

  constructor(options: JobAccessOptions) {
    this.#options = options;
    const { jobs } = options;
    this.#managed = jobs && new JobReconciler(jobs, options);
  }

  /** Why the migration cannot be copied in a Job; undefined if it can. */
  whyNot(resource: PromMigration): string | undefined {
    return this.#managed === undefined ? 'the operator runs with --no-jobs' : this.#managed.whyNot(resource);
  }

  /** The end of the range that its Job copies, if the manifest leaves it open and the Job exists. */
  frozenEndOf(resource: PromMigration): number | undefined {
    return this.#managed?.frozenEndOf(resource);
  }

  /** Whether the operator sees a Job of the migration. */
  hasJob(resource: PromMigration): boolean {
    return this.#managed?.knowsJobs(resource) === true && this.#managed.hasJob(resource);
  }

  async look(reconciliation: JobReconciliation): Promise<JobLook> {
    const { resource, record } = reconciliation;
    const { job, worker } = record;
    if (this.#managed?.knowsJobs(resource) === true) {
      job.left.forget();
      return await this.#managed.look(reconciliation);
    }
    job.unstopped = undefined;
    if (worker.kind === 'running') {
      if (worker.follows) job.refusal = this.whyNot(resource);
    } else if ((job.name !== undefined || mayCopy(resource)) && !hasSucceeded(resource)) {
      await this.#lookFor(reconciliation);
      const why = this.whyNot(resource) ?? '';
      job.unstopped = job.left.unstopped(why, resource.metadata.namespace);
      if (job.name !== undefined) return { podsEnding: false, againInMs: LOOK_EVERY_MS };
    }
    return { podsEnding: false };
  }

  /** Why the operator must not copy the migration itself yet; undefined if it may. Looks again. */
  async whyWait(reconciliation: JobReconciliation): Promise<string | undefined> {
    const { resource, record } = reconciliation;
    if (!mayHaveJob(resource)) return undefined;
    if (this.#managed?.knowsJobs(resource) === true) return await this.#whyNotShown(this.#managed, reconciliation);
    await this.#lookFor(reconciliation);
    return record.job.left.whyWait(resource.metadata.namespace);
  }

  /** After a failover the watch may be late with the Job of an earlier leader. What it shows is handled where Jobs are. */
  async #whyNotShown(managed: JobReconciler, { resource, signal }: JobReconciliation): Promise<string | undefined> {
    const found = await this.#options.findJob(resource, signal);
    if (found.kind === 'unknown')
      return `the Job ${found.name} may still copy, and it cannot be looked at: ${found.reason}`;
    if (found.kind !== 'there' || managed.shows(resource, found.name)) return undefined;
    return `the pods of the Job ${found.name} may copy, and the watch of Jobs does not show it yet; the operator looks again`;
  }

  async #lookFor({ resource, record, signal }: JobReconciliation): Promise<void> {
    const { findJob, clock } = this.#options;
    const { left } = record.job;
    left.looked(await findJob(resource, signal), resource.status?.stretches?.job, clock.monotonicMs());
    record.job.name = left.name;
  }
}
