// Decides what to do about the Jobs of one migration. decide.ts decides about its worker, which only follows while a Job copies. Pure and
// level-based as well.

import type { PromMigration } from '../../api/prom-migration.ts';
import type { DecideInput } from './decide.ts';
import type { JobFacts } from './job-facts.ts';
import { jobKeyOf } from './job-key.ts';
import { findCondition } from './conditions.ts';
import { isEnded } from './migration-end.ts';
import { trustedStatus } from './status-origin.ts';
import type { WorkerState } from './worker-state.ts';

/** Fields of a Job that can be changed. */
export interface JobPatch {
  readonly parallelism?: number;
  readonly suspend?: boolean;
  readonly ttlSecondsAfterFinished?: number;
}

export type JobAction =
  | { readonly type: 'create' }
  | { readonly type: 'delete'; readonly job: JobFacts }
  | { readonly type: 'patch'; readonly job: JobFacts; readonly spec: JobPatch }
  /** The follower stops, and this Job is deleted: what is left is divided again for another one. */
  | { readonly type: 'replace'; readonly job: JobFacts }
  /** Nothing is copied any more: the follower looks a last time, and the end is judged. */
  | { readonly type: 'conclude'; readonly cause: 'job-ended' | 'job-lost' };

export interface JobInput extends Omit<DecideInput, 'podsEnding' | 'jobUnstopped' | 'preflight'> {
  /** All Jobs of this object. */
  readonly jobs: readonly JobFacts[];
  /** Whether pods of this migration run that belong to none of these Jobs. */
  readonly hasStrayPods: boolean;
  /** Whether the follower has divided the range. */
  readonly isDivided: boolean;
  /** The uid of the Job that belongs to the division. */
  readonly jobUid: string | undefined;
  /** Jobs whose end has been judged: what they have left over is divided again. */
  readonly judged: ReadonlySet<string>;
  /** Of the pods of the next Job; undefined: none can be created. */
  readonly image: string | undefined;
}

export interface JobDecision {
  readonly actions: readonly JobAction[];
  /** The Job of the current settings. */
  readonly current: JobFacts | undefined;
  /** Whether pods of other Jobs may still be writing: nothing else may write yet. */
  readonly podsEnding: boolean;
}

export function decideJob(input: JobInput): JobDecision {
  const { resource, jobs, worker } = input;
  const current = jobs.find((job) => isCurrent(job, input));
  const others = jobs.filter((job) => job !== current);
  const deletions = others.filter((job) => !job.isDeleting).map((job): JobAction => ({ type: 'delete', job }));
  const none = { actions: [], current, podsEnding: false };
  // Its owner reference deletes it. Until then, while a finalizer keeps the migration, it must not copy.
  if (resource.metadata.deletionTimestamp !== undefined) return { ...none, actions: jobs.flatMap(suspension) };
  if (isEnded(input)) return { ...none, actions: jobs.flatMap((job) => afterEnd(job, input)) };
  if (resource.spec.suspend) return { ...none, actions: jobs.flatMap(suspension) };
  if (isHeld(input)) return whileHeld(input, { current, others });
  if (worker.kind === 'running') {
    // The request of an operator that has lost its lease may arrive late. Whatever has ended is left for people to look at.
    const late = deletions.filter((action) => worker.follows || !('job' in action) || action.job.end === undefined);
    return { ...none, actions: [...whileRunning(input, worker, { current, others }), ...late] };
  }
  // Until the next attempt, people can look at the pods of the last one.
  if (worker.kind === 'idle' && worker.failures !== undefined && input.now.monotonicMs < worker.failures.retryAtMs) {
    return none;
  }
  return {
    actions: deletions,
    current,
    podsEnding: others.length > 0 || input.hasStrayPods,
  };
}

/**
 * Whether its Jobs stay as they are, or are only suspended: the manifest is not accepted, or an edit that the follower cannot adopt is not checked
 * yet. The follower continues until the pods are gone.
 */
function isHeld({ resource, worker, check }: JobInput): boolean {
  if (worker.kind !== 'running') return check?.ok === false;
  return worker.follows && worker.restartKey !== jobKeyOf(resource.spec) && check?.ok !== true;
}

function whileHeld(
  { jobs, jobUid, worker, check, hasStrayPods }: JobInput,
  { current, others }: { readonly current: JobFacts | undefined; readonly others: readonly JobFacts[] },
): JobDecision {
  const actions = check === undefined ? [] : jobs.flatMap(suspension);
  if (worker.kind !== 'running') return { actions, current, podsEnding: others.length > 0 || hasStrayPods };
  const mayWrite = ({ pods, isSuspended, isDeleting, end }: JobFacts) =>
    pods > 0 || !(isSuspended || isDeleting || end !== undefined);
  return { actions, current: jobs.find(({ uid }) => uid === jobUid), podsEnding: jobs.some(mayWrite) };
}

function isCurrent(job: JobFacts, { resource, judged, worker, jobUid }: JobInput): boolean {
  const { spec } = resource;
  if (spec.execution?.mode !== 'Job' || job.isDeleting || judged.has(job.uid)) return false;
  if (worker.kind === 'running') return jobUid === undefined ? job.key === jobKeyOf(spec) : job.uid === jobUid;
  // It has failed, maybe under an earlier operator, and the spec has been edited since.
  return !hasFailed(resource) && job.key === jobKeyOf(spec);
}

function hasFailed(resource: PromMigration): boolean {
  return findCondition(trustedStatus(resource)?.conditions, 'Succeeded')?.status === 'False';
}

/** Kubernetes may delete it as soon as its end is in the status: not before, because it would be created again. */
function afterEnd(job: JobFacts, { resource, worker }: JobInput): JobAction[] {
  if (job.isDeleting) return [];
  const failed = worker.kind === 'ended' ? !worker.outcome.succeeded : hasFailed(resource);
  if (job.end === undefined) return failed ? suspension(job) : [];
  const { ttlSecondsAfterFinished } = resource.spec.execution.job;
  if (ttlSecondsAfterFinished === undefined || job.ttlSecondsAfterFinished !== undefined) return [];
  if (resource.status?.completionTime === undefined) return [];
  return [{ type: 'patch', job, spec: { ttlSecondsAfterFinished } }];
}

function whileRunning(
  { resource, isDivided, jobUid, image }: JobInput,
  worker: WorkerState & { kind: 'running' },
  { current, others }: { readonly current: JobFacts | undefined; readonly others: readonly JobFacts[] },
): JobAction[] {
  if (!worker.follows || worker.stopping !== undefined) return [];
  // A Job of other settings, or of another mode, is replaced when the follower has stopped.
  if (worker.restartKey !== jobKeyOf(resource.spec)) return [];
  if (jobUid !== undefined && current?.uid !== jobUid) return [{ type: 'conclude', cause: 'job-lost' }];
  if (current === undefined) {
    // It may have copied something since the range was divided.
    const [other] = others;
    if (other !== undefined) return [{ type: 'replace', job: other }];
    return isDivided ? [{ type: 'create' }] : [];
  }
  if (current.end !== undefined) return [{ type: 'conclude', cause: 'job-ended' }];
  // The last look may take long, and the other pods would write meanwhile.
  if (isRejected(resource, current)) return [...suspension(current), { type: 'conclude', cause: 'job-ended' }];
  if (current.imageFails && image !== undefined && image !== current.image) return [{ type: 'replace', job: current }];
  const { parallelism } = resource.spec.execution;
  const spec = {
    ...(current.parallelism !== parallelism && { parallelism }),
    ...(current.isSuspended && { suspend: false }),
  };
  return Object.keys(spec).length === 0 ? [] : [{ type: 'patch', job: current, spec }];
}

/** Nothing if it does not copy. */
function suspension(job: JobFacts): JobAction[] {
  if (job.isSuspended || job.isDeleting || job.end !== undefined) return [];
  return [{ type: 'patch', job, spec: { suspend: true } }];
}

/** spec.rejectedSamples Fail: nothing newer is written. */
function isRejected({ spec }: PromMigration, { failures }: JobFacts): boolean {
  return spec.rejectedSamples === 'Fail' && failures.some(({ reason }) => reason?.code === 'samples-rejected');
}
