// The Jobs of one migration in memory, as the API server would show them.

import type { JobReconcilerOptions } from '../../../src/operator/job/job-reconciler.ts';
import type { JobFacts } from '../../../src/operator/judge/job-facts.ts';
import { jobKeyOf } from '../../../src/operator/judge/job-key.ts';

export class FakeJobs implements JobReconcilerOptions {
  jobs: JobFacts[] = [];
  readonly requests: string[] = [];
  /** Why the API server refuses to create one. */
  refusal: string | undefined;
  /** What the API server answers to a change. */
  patchError: Error | undefined;
  /** Why the Job controller could not create pods. */
  podRefusal: string | undefined;
  hasStrayPods = false;
  readonly store = { factsOf: () => this.jobs, hasStrayPods: () => this.hasStrayPods };

  readonly client: JobReconcilerOptions['client'] = {
    create: async ({ spec }, { stretches }) => {
      this.requests.push(`create ${stretches.length}`);
      if (this.refusal !== undefined) return this.refusal;
      const uid = `job-${this.requests.length}`;
      this.jobs.push({
        name: uid,
        uid,
        key: jobKeyOf(spec),
        isDeleting: false,
        isSuspended: spec.suspend,
        parallelism: spec.execution.parallelism,
        active: 0,
        wanted: spec.execution.parallelism,
        end: undefined,
        ttlSecondsAfterFinished: undefined,
        failures: [],
        obstacle: undefined,
      });
      return undefined;
    },
    patch: async (_namespace, { uid }, { suspend, ...spec }) => {
      if (this.patchError !== undefined) throw this.patchError;
      this.requests.push(`patch ${JSON.stringify({ ...spec, ...(suspend !== undefined && { suspend }) })}`);
      this.change({ ...spec, ...(suspend !== undefined && { isSuspended: suspend }) }, uid);
    },
    delete: async (_namespace, { uid }) => {
      this.requests.push('delete');
      this.change({ isDeleting: true }, uid);
    },
    podRefusal: async () => {
      this.requests.push('events');
      return this.podRefusal;
    },
  };

  /** Of all Jobs, or of one. */
  change(changes: Partial<JobFacts>, uid?: string): void {
    this.jobs = this.jobs.map((job) => (uid === undefined || job.uid === uid ? { ...job, ...changes } : job));
  }
}
