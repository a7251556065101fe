// Composes the complete status of a PromMigration from its situation (decide.ts) and its timeline (migration-track.ts). Pure.

import type { Condition, PromMigrationStatus, StatusProgress } from '../../api/prom-migration-status.ts';
import type { PromMigration } from '../../api/prom-migration.ts';
import type { Moment } from '../../telemetry/clock.ts';
import { formatDuration, formatPercent, formatRate } from '../../telemetry/format.ts';
import { acceptedCondition } from './accepted-condition.ts';
import { apiTime, type DesiredCondition, findCondition, type Reason, toConditions } from './conditions.ts';
import type { Check } from './check-result.ts';
import { degradedCondition } from './degraded-condition.ts';
import type { JobReport } from './job-record.ts';
import type { Look } from './look.ts';
import type { MigrationTrack } from './migration-track.ts';
import { progressingCondition } from './progressing-condition.ts';
import { type ReadyConditions, readyConditions } from './ready-conditions.ts';
import type { Situation } from './situation.ts';
import { countFields, countOf, exactTime } from './status-counts.ts';
import { stretchFields } from './status-stretches.ts';
import { showsUnstopped } from './migration-end.ts';
import { statusText } from './status-text.ts';
import { verificationFields } from './status-verification.ts';
import { wantedVerification } from './verification-settings.ts';
import { verifiedCondition } from './verified-condition.ts';

export const PHASES = [
  'Pending',
  'Running',
  'Verifying',
  'Suspended',
  'Stalled',
  'Succeeded',
  'Failed',
  'Terminating',
] as const;
type Phase = (typeof PHASES)[number];

export interface StatusInput {
  readonly resource: PromMigration;
  readonly situation: Situation;
  readonly track: MigrationTrack;
  readonly check: Check | undefined;
  /** The last look at this generation; undefined if this process has made none. */
  readonly look?: Look | undefined;
  /** Undefined unless a Job copies. */
  readonly job?: JobReport | undefined;
  /** The Job that the migration has. */
  readonly jobName?: string | undefined;
  /** That a Job copies that must not. */
  readonly unstopped?: string | undefined;
  readonly now: Moment;
}

/** The complete status: applying it removes everything that is not in it. */
export function composeStatus(input: StatusInput): PromMigrationStatus {
  const { resource, situation, track, check, now } = input;
  const before = resource.status;
  const { generation } = resource.metadata;
  if (situation.kind === 'unchanged') return sameForGeneration(before ?? {}, input);
  const ended = situation.kind === 'ended' ? situation : undefined;
  const id = check?.ok === true ? check.id : before?.id;
  const progress = progressOf(input);
  const { range } = track;
  const settings = wantedVerification(resource.spec);
  const verification = track.verification.of(resource.spec);
  return {
    ...(generation !== undefined && { observedGeneration: generation }),
    phase: phaseOf(situation, track),
    conditions: toConditions(desiredConditions(input), before?.conditions, generation, now.wallMs),
    ...(id !== undefined && { id }),
    ...(track.startTimeMs !== undefined && { startTime: apiTime(track.startTimeMs) }),
    ...(ended !== undefined && { completionTime: apiTime(ended.atMs) }),
    ...(track.lastProgressTimeMs !== undefined && { lastProgressTime: apiTime(track.lastProgressTimeMs) }),
    ...(track.resumedFromMs !== undefined && { resumedFrom: exactTime(track.resumedFromMs) }),
    ...(range !== undefined && { range: { start: exactTime(range.startMs), end: exactTime(range.endMs) } }),
    ...stretchesOf(input),
    ...(settings !== undefined &&
      verification !== undefined && {
        verification: verificationFields(settings, verification),
      }),
    ...(progress !== undefined && { progress }),
    ...(track.recentErrors.length > 0 && {
      recentErrors: track.recentErrors.map(({ timeMs, side, code, message, count }) => ({
        time: apiTime(timeMs),
        ...(side !== undefined && { side }),
        code,
        message,
        count,
      })),
    }),
  };
}

function sameForGeneration(status: PromMigrationStatus, input: StatusInput): PromMigrationStatus {
  const { generation } = input.resource.metadata;
  if (generation === undefined) return status;
  const conditions = (status.conditions ?? []).map((condition) => ({
    ...(condition.type === 'Degraded' ? degradedAgain(condition, input) : condition),
    observedGeneration: generation,
  }));
  const { verification, ...rest } = status;
  const isVerified = wantedVerification(input.resource.spec) !== undefined;
  const end = findCondition(status.conditions, 'Succeeded');
  // The result of a verification that is no longer wanted is withdrawn, so that a later one is a new one. An operator of version 0.1.0 wrote
  // none of the conditions for kstatus.
  const derived = [...(isVerified ? [] : [verifiedOf(input)]), ...(end === undefined ? [] : readyConditions(end))];
  const kept = conditions.filter(({ type }) => !derived.some((condition) => condition.type === type));
  return {
    ...rest,
    observedGeneration: generation,
    conditions: [...kept, ...toConditions(derived, status.conditions, generation, input.now.wallMs)],
    ...(isVerified && verification && { verification }),
  };
}

/** Only what concerns its Job can have changed since the end. */
function degradedAgain(condition: Condition, input: StatusInput): Condition {
  if (input.unstopped === undefined && !showsUnstopped(input.resource)) return condition;
  const { generation } = input.resource.metadata;
  return toConditions([degradedCondition(input)], [condition], generation, input.now.wallMs)[0] ?? condition;
}

function stretchesOf({ track, situation, job, jobName }: StatusInput): Pick<PromMigrationStatus, 'stretches'> {
  const { stretches } = track;
  if (stretches === undefined && jobName === undefined) return {};
  return {
    stretches: {
      ...(stretches !== undefined && stretchFields(stretches, situation.kind === 'running', job)),
      ...(jobName !== undefined && { job: jobName }),
    },
  };
}

function phaseOf(situation: Exclude<Situation, { kind: 'unchanged' }>, track: MigrationTrack): Phase {
  switch (situation.kind) {
    case 'rejected':
    case 'preflight':
    case 'waiting':
    case 'waitingForPods':
    case 'interrupted':
      return 'Pending';
    case 'suspended':
      return 'Suspended';
    case 'deleting':
      return 'Terminating';
    case 'running':
    case 'pausing':
      if (situation.stalledMs !== undefined) return 'Stalled';
      return track.verifying ? 'Verifying' : 'Running';
    case 'ended':
      return situation.outcome.succeeded ? 'Succeeded' : 'Failed';
  }
}

function progressOf({ resource, track, situation }: StatusInput): StatusProgress | undefined {
  const { throughMs, counts } = track;
  const completed = track.completed(resource.spec);
  if (completed === undefined || throughMs === undefined) return undefined;
  const moving = situation.kind === 'running';
  const { remainingMs, samplesPerSecond, destinationLimit } = track;
  return {
    percent: Math.floor(completed * 100 + 1e-9),
    display: formatPercent(completed),
    through: exactTime(throughMs),
    ...(counts !== undefined && countFields(counts)),
    ...(moving && { samplesPerSecond: countOf(samplesPerSecond), rate: formatRate(samplesPerSecond) }),
    ...(moving && destinationLimit !== undefined && { destinationLimit: countOf(destinationLimit) }),
    ...(moving && remainingMs !== undefined && { remaining: formatDuration(roundedMs(remainingMs)) }),
  };
}

/** An estimate has no milliseconds. */
function roundedMs(durationMs: number): number {
  return Math.ceil(durationMs / 1000) * 1000;
}

type Conditions = readonly [
  DesiredCondition<'Accepted'>,
  DesiredCondition<'Progressing'>,
  DesiredCondition<'Degraded'>,
  DesiredCondition<'Succeeded'>,
  DesiredCondition<'Verified'>,
  ...ReadyConditions,
];

function desiredConditions(input: StatusInput): Conditions {
  const { situation } = input;
  const { resource, check, look } = input;
  const accepted = acceptedCondition({ resource, situation, check, look });
  const degraded = degradedCondition(input);
  const progressing = progressingCondition(input, degraded);
  const verified = verifiedOf(input);
  if (situation.kind === 'ended') {
    const { succeeded, reason, message } = situation.outcome;
    const end: DesiredCondition<'Succeeded'> = {
      type: 'Succeeded',
      status: succeeded ? 'True' : 'False',
      reason,
      message: statusText(message),
    };
    return [accepted, progressing, degraded, end, verified, ...readyConditions(end)];
  }
  const hindrance =
    accepted.status === 'False'
      ? accepted
      : degraded.reason === 'SamplesSkipped' || degraded.status !== 'True'
        ? progressing
        : degraded;
  // Its reasons are among those of Succeeded, except for two that never prevent the end.
  const open: DesiredCondition<'Succeeded'> = {
    type: 'Succeeded',
    status: 'Unknown',
    reason: hindrance.reason as Reason<'Succeeded'>,
    message: hindrance.message,
  };
  return [accepted, progressing, degraded, open, verified, ...readyConditions(open)];
}

function verifiedOf({ resource: { spec }, situation, track }: StatusInput): DesiredCondition<'Verified'> {
  return verifiedCondition({ spec, situation, verification: track.verification.of(spec) });
}
