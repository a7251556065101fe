// The Jobs of one migration in memory, as the API server would show them.

import type { DividedRange } from '../../../src/execute/worker-messages.ts';
import { buildSettings } from '../../../src/operator/job/build-job.ts';
import type { JobReconcilerOptions } from '../../../src/operator/job/job-reconciler.ts';
import type { JobFacts } from '../../../src/operator/judge/job-facts.ts';
import { jobKeyOf } from '../../../src/operator/judge/job-key.ts';
import { KubeApiError } from '../../../src/operator/kube/kube-errors.ts';
import { jobFacts } from './job-facts.ts';
import { nowMs } from './migrations.ts';

export class FakeJobs implements JobReconcilerOptions {
  jobs: JobFacts[] = [];
  readonly requests: string[] = [];
  /** What the last Job was created of. */
  divided: DividedRange | undefined;
  image: string | undefined = 'image:1';
  /** Why the API server refuses to create one. */
  refusal: string | undefined;
  /** Why it refuses the ConfigMap. */
  settingsRefusal: string | undefined;
  /** Whether the Job has its ConfigMap. */
  settings = false;
  /** Whether the watch is late: it does not show the Job that is created. */
  isLate = false;
  /** What the API server answers to a change. */
  patchError: Error | undefined;
  /** Why the Job controller could not create pods. */
  podRefusal: string | undefined;
  startFailure: string | undefined;
  hasStrayPods = false;
  /** Whether the operator has the rights on Jobs and pods. */
  isPermitted = true;
  readonly store = {
    factsOf: () => this.jobs,
    hasStrayPods: () => this.hasStrayPods,
    isPermitted: () => this.isPermitted,
  };

  readonly client: JobReconcilerOptions['client'] = {
    create: async ({ spec }, divided) => {
      this.requests.push(`create ${divided.stretches.length}`);
      refuse(this.refusal);
      const uid = `job-${this.requests.length}`;
      this.divided = divided;
      const { parallelism } = spec.execution;
      const { frozenEndMs } = divided;
      const key = jobKeyOf(spec);
      const facts = { name: uid, uid, key, createdMs: nowMs, isSuspended: spec.suspend, parallelism, frozenEndMs };
      const job = jobFacts({ ...facts, image: this.image, active: 0, wanted: parallelism });
      if (!this.isLate) this.jobs.push(job);
      const created = { metadata: { name: uid }, spec: { completions: 1, parallelism } };
      return { uid, settings: buildSettings(created, uid, {}) };
    },
    putSettings: async () => {
      this.requests.push('settings');
      refuse(this.settingsRefusal);
      this.settings = true;
    },
    hasSettings: async () => {
      this.requests.push('look for settings');
      return this.settings;
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
  };

  readonly events: JobReconcilerOptions['events'] = {
    podRefusal: async () => {
      this.requests.push('events');
      return this.podRefusal;
    },
    startFailure: async () => {
      this.requests.push('events of a pod');
      return this.startFailure;
    },
  };

  /** Of all Jobs, or of one. */
  change(changes: Partial<JobFacts>, uid?: string): void {
    this.jobs = this.jobs.map((job) => (uid === undefined || job.uid === uid ? { ...job, ...changes } : job));
  }

  /** How often a request was made. */
  count(request: string): number {
    return this.requests.filter((one) => one === request).length;
  }
}

function refuse(message: string | undefined): void {
  if (message !== undefined) throw new KubeApiError({ status: 403, reason: 'Forbidden', message });
}
