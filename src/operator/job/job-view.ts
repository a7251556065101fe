// What decisions need of a Job and its pods. Pure.

import { parseTerminationText } from '../../migration/report/termination-message.ts';
import { presentableText } from '../../telemetry/log-text.ts';
import type { JobFacts, JobFailure } from '../judge/job-facts.ts';
import { CONTAINER, JOB_KEY, JOB_STARTS, startIn } from './job-names.ts';
import type { Job, Pod } from './job-objects.ts';
import { indexesIn } from './job-ranges.ts';

const INDEX = 'batch.kubernetes.io/job-completion-index';
/** As many as status.stretches.failed shows. */
const MAX_FAILURES = 10;
/** A container that waits for one of these is not on its way. */
const ON_ITS_WAY: readonly (string | undefined)[] = ['ContainerCreating', 'PodInitializing', undefined];

/** @param pods of this Job, in any order */
export function factsOf(job: Job, pods: readonly Pod[]): JobFacts {
  const { metadata, spec, status } = job;
  const isTrue = (type: string) => status?.conditions?.some((one) => one.type === type && one.status === 'True');
  const done = indexesIn(status?.completedIndexes).length + indexesIn(status?.failedIndexes).length;
  const isSuspended = spec.suspend === true;
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    key: metadata.annotations?.[JOB_KEY],
    isDeleting: metadata.deletionTimestamp !== undefined,
    isSuspended,
    parallelism: spec.parallelism,
    active: status?.active ?? 0,
    wanted: isSuspended ? 0 : Math.min(spec.parallelism, spec.completions - done),
    end: isTrue('Failed') ? 'Failed' : isTrue('Complete') ? 'Complete' : undefined,
    ttlSecondsAfterFinished: spec.ttlSecondsAfterFinished,
    failures: indexesIn(status?.failedIndexes)
      .slice(0, MAX_FAILURES)
      .map((index) => failureOf(job, pods, index)),
    obstacle: obstacleOf(pods),
  };
}

function failureOf({ metadata }: Job, pods: readonly Pod[], index: number): JobFailure {
  const startMs = startIn(metadata.annotations?.[JOB_STARTS] ?? '', index);
  const ends = pods
    .filter((pod) => pod.metadata.labels?.[INDEX] === String(index))
    .flatMap((pod) => endOf(pod) ?? [])
    .sort((a, b) => (a.finishedAt < b.finishedAt ? 1 : -1));
  // The last attempt may have been killed, while an earlier one has said why it failed.
  const said = ends.find(({ reason }) => reason !== undefined && reason.code !== 'interrupted');
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
  const waiting = stateOf(status)?.waiting;
  if (ON_ITS_WAY.includes(waiting?.reason)) return undefined;
  return `pod ${metadata.name} does not start: ${waiting?.reason}: ${presentableText(waiting?.message ?? '')}`;
}
