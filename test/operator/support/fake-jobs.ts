// The Jobs of one migration in memory, as the API server would show them.

import type { JobReconcilerOptions } from '../../../src/operator/job/job-reconciler.ts';
import type { JobFacts } from '../../../src/operator/judge/job-facts.ts';
import type { DividedRange } from '../../../src/execute/worker-messages.ts';
import { jobKeyOf } from '../../../src/operator/judge/job-key.ts';
import { jobFacts } from './job-facts.ts';

export class FakeJobs implements JobReconcilerOptions {
  jobs: JobFacts[] = [];
  readonly requests: string[] = [];
  /** What the last Job was created of. */
  divided: DividedRange | undefined;
  /** Why the API server refuses to create one. */
  refusal: string | undefined;
  /** What the API server answers to a change. */
  patchError: Error | undefined;
  /** Why the Job controller could not create pods. */
  podRefusal: string | undefined;
  hasStrayPods = false;
  readonly store = { factsOf: () => this.jobs, hasStrayPods: () => this.hasStrayPods };

  readonly client: JobReconcilerOptions['client'] = {
    create: async ({ spec }, divided) => {
      this.requests.push(`create ${divided.stretches.length}`);
      if (this.refusal !== undefined) return this.refusal;
      const uid = `job-${this.requests.length}`;
      const { parallelism } = spec.execution;
      const facts = { name: uid, uid, key: jobKeyOf(spec), isSuspended: spec.suspend, parallelism };
      this.divided = divided;
      const { frozenEndMs } = divided;
      this.jobs.push(jobFacts({ ...facts, frozenEndMs, active: 0, wanted: parallelism }));
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
