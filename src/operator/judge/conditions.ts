// The conditions of a PromMigration: every type and every reason as data (the documentation prints it), and the rule that keeps the transition
// time correct. Pure.

import type { Condition } from '../../api/prom-migration-status.ts';

/** What each reason means. The list is closed: no other reason is ever written. */
export const CONDITION_REASONS = {
  Accepted: {
    Valid: 'True: the manifest is valid and the objects that it refers to exist',
    NoResumePoint:
      'True, but destination.progress.protocol has the value None: the resume point is only in this status. If the status is lost or edited, the migration resumes at a wrong point, and after an interruption samples may be written twice',
    InvalidSpec: 'False: spec has an error that the API server could not detect; the message names the field',
    SecretNotFound:
      'False: a Secret or ConfigMap, or a key in it, does not exist; the message names both. The operator checks again with growing pauses',
    SecretNotReadable: "False: the operator's service account may not read a Secret or ConfigMap of this namespace",
    SecretUnusable:
      'False: the content of a Secret or ConfigMap cannot be used: it is empty, not PEM, or a key that does not match its certificate',
    JobsDisabled:
      'False: spec.execution.mode is Job, or a Job of the migration still exists, but the operator has no Jobs: it runs with --no-jobs or without --job-image, or lacks the rights',
    AmbientCredentialsDisabled:
      "False: the migration would use the identity of the operator's own pod, and the operator runs without --ambient-credentials",
    PreflightFindings:
      'True: the manifest is valid, and both sides were looked at before the copy; the message has what was found, with its code and its cure. spec.preflight Enforce would not have let the copy start if a finding blocks',
    PreflightIncomplete:
      'True: the manifest is valid, but a side could not be looked at before the copy; the message says why. The copy starts',
    PreflightBlocked:
      'False: spec.preflight is Enforce, and a finding blocks the copy; the message names what to change. The operator looks again with growing pauses of up to five minutes',
    PreflightNotJudged:
      'False: spec.preflight is Enforce, and a side could not be looked at; the message says why. The operator looks again with growing pauses of up to five minutes',
    PreflightRunning: 'Unknown: spec.preflight is Enforce, and both sides are being looked at',
    NotChecked: 'Unknown: the operator has not checked the manifest yet',
  },
  Progressing: {
    Preflight: 'True: both sides are looked at before the copy begins (spec.preflight)',
    Starting: 'True: a worker has started and looks for the resume point',
    Copying: 'True: windows are being copied',
    Verifying: 'True: everything is copied, and source and destination are compared',
    Retrying: 'True: a side fails, or an attempt has failed; the operator retries. See the condition Degraded',
    NotAccepted: 'False: see the condition Accepted',
    WaitingForWorker:
      'False: as many migrations as --max-migrations allows are running; those waiting start in order of creation',
    WaitingForPods:
      'False: the pods of an earlier Job of this migration are ending; the copy resumes when they are gone',
    Suspended: 'False: spec.suspend is true',
    NoProgress:
      'False: no window was finished, and no sample written or compared, for spec.progressDeadlineSeconds; the operator keeps trying',
    OperatorStopped:
      'False: the operator was shut down; the migration resumes when it runs again. The pods of a Job continue without it',
    Deleting:
      'False: the resource is being deleted and its worker has stopped; the finalizer of another controller keeps the resource',
    Finished: 'False: see the condition Succeeded',
  },
  Degraded: {
    AsExpected: 'False: everything works as expected',
    SourceFailing: 'True: requests to the source fail and are retried',
    DestinationFailing: 'True: requests to the destination fail and are retried',
    ProgressFailing: 'True: requests to spec.destination.progress fail and are retried',
    CredentialsRefused:
      'True: a side rejects the credentials or the certificates; the operator reads the Secrets again with growing pauses',
    WorkerCrashed:
      'True: the worker ended unexpectedly, for example because it ran out of memory; the operator restarts it with growing pauses',
    WorkerHung: 'True: the worker did not respond for a minute and was terminated; the operator restarts it',
    JobIncomplete:
      'True: the Job has ended or was deleted before everything was in the destination, or its pods failed too often although its marks progressed; what is left is divided again',
    StretchesFailing:
      'True: stretches have failed for good, or their pods keep failing, while the others continue; the message counts them and says why the first one fails',
    PodsNotRunning:
      'True: the Job or some of its pods cannot be created or started: no node has room, the image cannot be pulled, a Secret is missing, a quota is exhausted. The message says which; Kubernetes retries',
    JobNotStopped:
      'True: the Job of the migration may still copy, although nothing may be copied now, and the operator cannot stop it: it manages no Jobs, or the API server refuses the change. The message names the Job, the reason and the cure',
    SamplesSkipped:
      'True: the destination rejected samples and spec.rejectedSamples is Skip: these samples are missing there',
  },
  Succeeded: {
    Completed: 'True: everything is in the destination',
    CompletedWithSkips: 'True: finished, but samples that the destination rejected are missing there',
    CompletedWithDifferences:
      'True: finished, but the verification found differences and spec.verification.onDifference is Report. See the condition Verified',
    NothingFound: 'True: finished, but the source returned no samples: check selectors, tenant and retention',
    DifferencesFound:
      'False: the verification found differences that spec.verification.onDifference does not permit. See the condition Verified',
    SamplesRejected: 'False: the destination rejects samples and spec.rejectedSamples is Fail',
    StretchesFailed:
      'False: pods of the Job failed more often than spec.execution.job.backoffLimitPerIndex allows, and no mark has progressed since the Job was created. See status.stretches.failed',
    SourceRefused: 'False: the source rejects the requests; a configuration change is required',
    DestinationRefused: 'False: the destination rejects the requests; a configuration change is required',
    ProgressRefused: 'False: spec.destination.progress rejects the requests; a configuration change is required',
    ProgressNotKept: 'False: the destination does not store or does not return the progress series',
    SourceUnreadable: "False: the source's responses cannot be decoded",
    DestinationUnreadable: "False: the destination's responses cannot be decoded while it is compared",
    LimitTooSmall: 'False: spec.limits or the window bounds are too small to copy even the smallest window',
    EmptyRange: 'False: the time range ends before it starts',
    DeadlineExceeded: 'False: spec.activeDeadlineSeconds has passed',
    InternalError: 'False: a bug in prom-migrator',
    // Not ended: the reason that prevents the end, from the conditions above.
    NotChecked: 'Unknown: as for Accepted',
    InvalidSpec: 'Unknown: as for Accepted',
    SecretNotFound: 'Unknown: as for Accepted',
    SecretNotReadable: 'Unknown: as for Accepted',
    SecretUnusable: 'Unknown: as for Accepted',
    JobsDisabled: 'Unknown: as for Accepted',
    AmbientCredentialsDisabled: 'Unknown: as for Accepted',
    PreflightBlocked: 'Unknown: as for Accepted',
    PreflightNotJudged: 'Unknown: as for Accepted',
    Preflight: 'Unknown: as for Progressing',
    Starting: 'Unknown: as for Progressing',
    Copying: 'Unknown: as for Progressing',
    Verifying: 'Unknown: as for Progressing',
    Retrying: 'Unknown: as for Progressing',
    WaitingForWorker: 'Unknown: as for Progressing',
    WaitingForPods: 'Unknown: as for Progressing',
    Suspended: 'Unknown: as for Progressing',
    NoProgress: 'Unknown: as for Progressing',
    OperatorStopped: 'Unknown: as for Progressing',
    Deleting: 'Unknown: as for Progressing',
    SourceFailing: 'Unknown: as for Degraded',
    DestinationFailing: 'Unknown: as for Degraded',
    ProgressFailing: 'Unknown: as for Degraded',
    CredentialsRefused: 'Unknown: as for Degraded',
    WorkerCrashed: 'Unknown: as for Degraded',
    WorkerHung: 'Unknown: as for Degraded',
    JobIncomplete: 'Unknown: as for Degraded',
    StretchesFailing: 'Unknown: as for Degraded',
    PodsNotRunning: 'Unknown: as for Degraded',
    JobNotStopped: 'Unknown: as for Degraded',
  },
  Verified: {
    Matching: 'True: every sample of the source is in the destination, apart from expected changes',
    DifferencesFound:
      'False: the destination lacks samples, has other values, or has samples more than once; status.verification counts them and shows the first ones',
    Running: 'Unknown: source and destination are being compared',
    NotFinished: 'Unknown: there is no result yet: the copy is not complete, or the comparison was interrupted',
    NotReadable: 'Unknown: a side could not be read to the end; the message says which',
    NotRequested: 'Unknown: spec.verification.mode is Off',
  },
  Ready: {
    InProgress: 'Unknown: the migration has not ended; the message has reason and message of the condition Succeeded',
    Succeeded: 'True: the migration has succeeded; the message has reason and message of the condition Succeeded',
    Failed: 'False: the migration has failed; the message has reason and message of the condition Succeeded',
  },
  Reconciling: {
    InProgress:
      'True: there is something left to do, even if the migration waits, retries or is suspended; the message has reason and message of the condition Succeeded',
    Finished: 'False: see the condition Succeeded',
  },
  Stalled: {
    NotFailed:
      'False: the migration has not failed. This includes one whose windows take longer than spec.progressDeadlineSeconds',
    Failed: 'True: the migration has failed, and is not retried before spec is edited; the message says why',
  },
} as const satisfies Record<string, Record<string, string>>;

export type ConditionType = keyof typeof CONDITION_REASONS;
export type Reason<T extends ConditionType> = keyof (typeof CONDITION_REASONS)[T] & string;

export const CONDITION_TYPES = Object.keys(CONDITION_REASONS) as readonly ConditionType[];

/** The desired condition. Its last transition time follows from a comparison with the previous one. */
export interface DesiredCondition<T extends ConditionType> {
  readonly type: T;
  readonly status: Condition['status'];
  readonly reason: Reason<T>;
  readonly message: string;
}

export type AnyDesiredCondition = { [T in ConditionType]: DesiredCondition<T> }[ConditionType];

export function findCondition(
  conditions: readonly Condition[] | undefined,
  type: ConditionType,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** RFC 3339 with whole seconds, as in Kubernetes' own times. */
export function apiTime(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}

const MAX_MESSAGE = 1_024;

/** The conditions as they are written; `lastTransitionTime` changes only with the status. */
export function toConditions(
  desired: readonly AnyDesiredCondition[],
  before: readonly Condition[] | undefined,
  observedGeneration: number | undefined,
  nowMs: number,
): Condition[] {
  return desired.map(({ type, status, reason, message }) => {
    const earlier = findCondition(before, type);
    const lastTransitionTime = earlier?.status === status ? earlier.lastTransitionTime : apiTime(nowMs);
    return {
      type,
      status,
      ...(observedGeneration !== undefined && { observedGeneration }),
      lastTransitionTime,
      reason,
      message: message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE - 1)}…`,
    };
  });
}

/** The reasons as Markdown tables, one per type. */
export function conditionTables(): string {
  return CONDITION_TYPES.map((type) => {
    const rows = Object.entries(CONDITION_REASONS[type]).map(([reason, meaning]) => `| \`${reason}\` | ${meaning} |`);
    return [`### ${type}`, '', '| reason | status and meaning |', '|---|---|', ...rows].join('\n');
  }).join('\n\n');
}
