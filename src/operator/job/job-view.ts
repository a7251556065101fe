// What decisions need of a Job and its pods. Pure.

import { INTERRUPTED, parseTerminationText } from '../../migration/report/termination-message.ts';
import { presentableText } from '../../telemetry/log-text.ts';
import type { JobFacts, JobFailure } from '../judge/job-facts.ts';
import { CONTAINER, JOB_FROZEN_END, JOB_IMAGE, JOB_KEY, JOB_STARTS, startIn } from './job-names.ts';
import type { Job, Pod } from './job-objects.ts';
import { indexesIn } from './job-ranges.ts';

const INDEX = 'batch.kubernetes.io/job-completion-index';
const DISRUPTED = 'DisruptionTarget';
/** A stretch is reported that has failed so often without success. */
const REPEATED_ATTEMPTS = 2;
/** A pod that has run for so long since the last failure has got past its reason. Longer than any pause of a Job between two pods. */
const LASTING_MS = 10 * 60_000;
/** As many as status.stretches.failed shows. */
const MAX_FAILURES = 10;
/** A container that waits for one of these is not on its way. */
const ON_ITS_WAY: readonly (string | undefined)[] = ['ContainerCreating', 'PodInitializing', undefined];
const NO_IMAGE = ['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull'];

/**
 * @param pods of this Job, in any order
 * @param nowMs a timestamp
 */
export function factsOf(job: Job, pods: readonly Pod[], nowMs: number): JobFacts {
  const { metadata, spec, status } = job;
  const { annotations = {} } = metadata;
  const isTrue = (type: string) => status?.conditions?.some((one) => one.type === type && one.status === 'True');
  const failed = indexesIn(status?.failedIndexes);
  const over = new Set([...indexesIn(status?.completedIndexes), ...failed]);
  const isSuspended = spec.suspend === true;
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    createdMs: timeIn(metadata.creationTimestamp) ?? 0,
    key: annotations[JOB_KEY],
    frozenEndMs: timeIn(annotations[JOB_FROZEN_END]),
    image: annotations[JOB_IMAGE],
    imageFails: pods.some((pod) => NO_IMAGE.includes(waitingOf(pod)?.reason ?? '')),
    isDeleting: metadata.deletionTimestamp !== undefined,
    isSuspended,
    parallelism: spec.parallelism,
    active: status?.active ?? 0,
    pods: pods.filter((pod) => pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed').length,
    wanted: isSuspended ? 0 : Math.min(spec.parallelism, spec.completions - over.size),
    end: isTrue('Failed') ? 'Failed' : isTrue('Complete') ? 'Complete' : undefined,
    ttlSecondsAfterFinished: spec.ttlSecondsAfterFinished,
    failures: failed.slice(0, MAX_FAILURES).map((index) => failureOf(job, podsOf(pods, index), index)),
    retried: isSuspended ? [] : retriedOf(job, pods, over, nowMs),
    obstacle: obstacleOf(pods),
    starting: startingOf(pods),
  };
}

function timeIn(text: string | undefined): number | undefined {
  const timeMs = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

function podsOf(pods: readonly Pod[], index: number): Pod[] {
  return pods.filter((pod) => indexOf(pod) === index);
}

function indexOf({ metadata: { labels } }: Pod): number {
  return Number(labels?.[INDEX] ?? Number.NaN);
}

/** @param over the indexes that have succeeded, or failed for good */
function retriedOf(job: Job, pods: readonly Pod[], over: ReadonlySet<number>, nowMs: number): JobFailure[] {
  const failing = new Set(pods.filter(({ status }) => status?.phase === 'Failed').map(indexOf));
  return [...failing]
    .filter((index) => !over.has(index))
    .sort((a, b) => a - b)
    .filter((index) => keepsFailing(podsOf(pods, index), nowMs))
    .slice(0, MAX_FAILURES)
    .map((index) => failureOf(job, podsOf(pods, index), index));
}

/** @param pods of one index. Disruptions and signals do not count, as for Kubernetes. */
function keepsFailing(pods: readonly Pod[], nowMs: number): boolean {
  const ends = pods
    .filter(({ status }) => !status?.conditions?.some(({ type, status: is }) => type === DISRUPTED && is === 'True'))
    .flatMap((pod) => endOf(pod) ?? [])
    .filter(({ reason }) => reason?.code !== INTERRUPTED.code);
  if (ends.length < REPEATED_ATTEMPTS) return false;
  const lastMs = Math.max(...ends.map(({ finishedAt }) => timeIn(finishedAt) ?? 0));
  return nowMs - lastMs < LASTING_MS || !pods.some(({ status }) => status?.phase === 'Running');
}

/** @param pods of this index */
function failureOf({ metadata }: Job, pods: readonly Pod[], index: number): JobFailure {
  const startMs = startIn(metadata.annotations?.[JOB_STARTS] ?? '', index);
  const ends = pods.flatMap((pod) => endOf(pod) ?? []).sort((a, b) => (a.finishedAt < b.finishedAt ? 1 : -1));
  // The last attempt may have been killed, while an earlier one has said why it failed.
  const said = ends.find(({ reason }) => reason !== undefined && reason.code !== INTERRUPTED.code);
  const last = ends[0];
  return { startMs, reason: (said ?? last)?.reason, exit: last?.exit ?? 'its pods failed, and are gone' };
}

interface PodEnd {
  readonly finishedAt: string;
  readonly reason: JobFailure['reason'];
  readonly exit: string;
}

function endOf({ metadata, status }: Pod): PodEnd | undefined {
  if (status?.phase !== 'Failed') return undefined;
  const terminated = stateOf(status)?.terminated;
  const exit =
    terminated === undefined
      ? presentableText(status.message ?? 'it has no container status')
      : `exit code ${terminated.exitCode}${terminated.reason === undefined ? '' : `, ${terminated.reason}`}`;
  return {
    finishedAt: terminated?.finishedAt ?? '',
    reason: terminated?.message === undefined ? undefined : parseTerminationText(terminated.message),
    exit: `pod ${metadata.name} failed: ${exit}`,
  };
}

function stateOf({ containerStatuses }: NonNullable<Pod['status']>) {
  return containerStatuses?.find(({ name }) => name === CONTAINER)?.state;
}

function waitingOf({ status }: Pick<Pod, 'status'>) {
  return status === undefined ? undefined : stateOf(status)?.waiting;
}

/** The first one by name, so that it stays the same. */
function startingOf(pods: readonly Pod[]): JobFacts['starting'] {
  const [first] = pods
    .filter(({ metadata, status }) => {
      if (metadata.deletionTimestamp !== undefined || status?.phase !== 'Pending') return false;
      const scheduled = status.conditions?.find(({ type }) => type === 'PodScheduled');
      return scheduled?.status === 'True' && ON_ITS_WAY.includes(waitingOf({ status })?.reason);
    })
    .map(({ metadata: { name, uid = '' } }) => ({ name, uid }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return first;
}

function obstacleOf(pods: readonly Pod[]): string | undefined {
  const texts = pods
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .flatMap((pod) => whyNotRunning(pod) ?? []);
  if (texts.length === 0) return undefined;
  const others = texts.length === 1 ? '' : ` (and ${texts.length - 1} more)`;
  return `${texts.sort()[0]}${others}`;
}

function whyNotRunning({ metadata, status }: Pod): string | undefined {
  if (status?.phase !== 'Pending') return undefined;
  const scheduled = status.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False') {
    return `pod ${metadata.name} is not scheduled: ${presentableText(scheduled.message ?? scheduled.reason ?? '')}`;
  }
  const waiting = waitingOf({ status });
  if (ON_ITS_WAY.includes(waiting?.reason)) return undefined;
  return `pod ${metadata.name} does not start: ${waiting?.reason}: ${presentableText(waiting?.message ?? '')}`;
}
