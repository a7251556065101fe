// Starts the workers of migrations: those that copy, those that follow a Job, and those that look at both sides first.

import { crashOf, type WorkerPool } from '../execute/worker-pool.ts';
import type { WorkerEnd } from '../execute/worker-messages.ts';
import type { MigrationPlan } from '../migration/plan/migration-plan.ts';
import { type Clock, momentOf } from '../telemetry/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { JobAccess } from './job/job-access.ts';
import { JobReconciler } from './job/job-reconciler.ts';
import type { Action } from './judge/decide.ts';
import type { Known } from './status-publisher.ts';

export interface WorkerStartsOptions {
  readonly pool: WorkerPool;
  readonly jobs: JobAccess;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Starting extends Known {
  readonly key: string;
  readonly fields: Readonly<Record<string, string | number>>;
}

export class WorkerStarts {
  readonly #options: WorkerStartsOptions;

  constructor(options: WorkerStartsOptions) {
    this.#options = options;
  }

  /** @returns the end of the attempt if no thread can be started: the pod's limit of processes or of memory */
  start(starting: Starting, plan: MigrationPlan, action: Action & { type: 'start' | 'look' }): WorkerEnd | undefined {
    return action.type === 'look' ? this.#look(starting, plan) : this.#copy(starting, plan, action);
  }

  #look({ key, resource, record, fields }: Starting, plan: MigrationPlan): WorkerEnd | undefined {
    const { pool, logger } = this.#options;
    const follow = JobReconciler.follows(resource, record);
    const failure = failureOf(() => pool.start(key, { plan, preflight: true, ...(follow && { follow }) }));
    record.looking(resource);
    if (failure === undefined) logger.info('looking at both sides before the copy', fields);
    return failure;
  }

  #copy(
    { key, resource, record, fields }: Starting,
    plan: MigrationPlan,
    { resume }: Action & { type: 'start' },
  ): WorkerEnd | undefined {
    const { pool, jobs, clock, logger } = this.#options;
    const follow = JobReconciler.follows(resource, record);
    const frozenEndMs = follow && plan.endMs === undefined ? jobs.frozenEndOf(resource) : undefined;
    const resumeVerification = record.track.verification.resumable(resource.spec);
    const failure = failureOf(() =>
      pool.start(key, {
        plan: frozenEndMs === undefined ? plan : { ...plan, endMs: frozenEndMs },
        ...(follow && { follow }),
        ...(resume !== undefined && { resume }),
        ...(resumeVerification !== undefined && { resumeVerification }),
      }),
    );
    record.started(resource, momentOf(clock), follow);
    if (failure !== undefined) return failure;
    record.job.frozenEndMs = frozenEndMs;
    logger.info('worker started', fields);
    return undefined;
  }
}

function failureOf(start: () => void): WorkerEnd | undefined {
  try {
    start();
    return undefined;
  } catch (error) {
    return crashOf(error);
  }
}
