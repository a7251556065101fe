// The conditions of a PromMigration: every type and every reason as data (the documentation prints it), and how one is made so that
// its time of transition stays right. Pure; used by status.ts.

import type { Condition } from '../../api/prom-migration-status.ts';

/** What each reason means. The list is closed: a reason that is not here is never written. */
export const conditionReasons = {
  Accepted: {
    Valid: 'True: the manifest is valid and what it refers to is there',
    NoResumePoint:
      'True, but destination.progress.protocol is None: the resume point is this status, so that a lost or edited status makes the migration begin elsewhere, and an interruption may write samples twice',
    InvalidSpec: 'False: something in spec is wrong that the API server could not see; the message names the field',
    SecretNotFound:
      'False: a Secret or ConfigMap, or a key in it, is not there; the message names both. Looked for again with growing pauses',
    SecretNotReadable: "False: the operator's service account may not read a Secret or ConfigMap of this namespace",
    SecretUnusable:
      'False: what a Secret or ConfigMap holds cannot be used: empty, not PEM, or a key that does not fit its certificate',
    NotChecked: 'Unknown: nobody has looked at the manifest yet',
  },
  Progressing: {
    Starting: 'True: a worker has begun and looks for the resume point',
    Copying: 'True: windows are being copied',
    Retrying: 'True: a side fails, or an attempt has ended; it is tried again. Degraded tells which',
    NotAccepted: 'False: see the condition Accepted',
    WaitingForWorker:
      'False: as many migrations as --max-migrations allows are running; those waiting start in order of creation',
    Suspended: 'False: spec.suspend is true',
    Stalled: 'False: no window was finished for spec.progressDeadlineSeconds; it is still being tried',
    OperatorStopped: 'False: the operator was stopped in an orderly way; it goes on when it runs again',
    Deleting: 'False: the resource is being deleted and its worker has stopped; a finalizer of somebody else keeps it',
    Finished: 'False: see the condition Succeeded',
  },
  Degraded: {
    AsExpected: 'False: nothing to complain of',
    SourceFailing: 'True: requests to the source fail and are repeated',
    DestinationFailing: 'True: requests to the destination fail and are repeated',
    ProgressFailing: 'True: requests to where progress is read fail and are repeated',
    CredentialsRefused:
      'True: a side refuses the credentials or the certificates; the Secrets are read again with growing pauses',
    WorkerCrashed:
      'True: the worker ended unexpectedly, by lack of memory perhaps; it is started again with growing pauses',
    WorkerHung: 'True: the worker gave no sign of life for a minute and was ended; it is started again',
    SamplesSkipped: 'True: the destination rejected samples and spec.rejectedSamples is Skip: they are missing there',
  },
  Succeeded: {
    Completed: 'True: everything is in the destination',
    CompletedWithSkips: 'True: finished, but samples that the destination rejected are missing there',
    NothingFound: 'True: finished, but the source gave no sample at all: check selectors, tenant and retention',
    SamplesRejected: 'False: the destination rejects samples and spec.rejectedSamples is Fail',
    SourceRefused: 'False: the source refuses the requests; somebody has to change a setting',
    DestinationRefused: 'False: the destination refuses the requests; somebody has to change a setting',
    ProgressRefused: 'False: where progress is read refuses the requests; somebody has to change a setting',
    ProgressNotKept: 'False: the destination does not keep or does not show the progress series',
    SourceUnreadable: "False: the source's answers cannot be decoded",
    LimitTooSmall: 'False: spec.limits or the window bounds leave no way to copy even the smallest window',
    EmptyRange: 'False: the time range ends before it starts',
    DeadlineExceeded: 'False: spec.activeDeadlineSeconds have passed',
    InternalError: 'False: a defect of prom-migrator',
    // Not ended: what keeps it from ending, as the conditions above have it.
    NotChecked: 'Unknown: as for Accepted',
    InvalidSpec: 'Unknown: as for Accepted',
    SecretNotFound: 'Unknown: as for Accepted',
    SecretNotReadable: 'Unknown: as for Accepted',
    SecretUnusable: 'Unknown: as for Accepted',
    Starting: 'Unknown: as for Progressing',
    Copying: 'Unknown: as for Progressing',
    Retrying: 'Unknown: as for Progressing',
    WaitingForWorker: 'Unknown: as for Progressing',
    Suspended: 'Unknown: as for Progressing',
    Stalled: 'Unknown: as for Progressing',
    OperatorStopped: 'Unknown: as for Progressing',
    Deleting: 'Unknown: as for Progressing',
    SourceFailing: 'Unknown: as for Degraded',
    DestinationFailing: 'Unknown: as for Degraded',
    ProgressFailing: 'Unknown: as for Degraded',
    CredentialsRefused: 'Unknown: as for Degraded',
    WorkerCrashed: 'Unknown: as for Degraded',
    WorkerHung: 'Unknown: as for Degraded',
  },
} as const satisfies Record<string, Record<string, string>>;

export type ConditionType = keyof typeof conditionReasons;
export type Reason<T extends ConditionType> = keyof (typeof conditionReasons)[T] & string;

export const conditionTypes = Object.keys(conditionReasons) as readonly ConditionType[];

/** A condition as it is meant; when it last changed is worked out against the one before. */
export interface Meant<T extends ConditionType> {
  readonly type: T;
  readonly status: Condition['status'];
  readonly reason: Reason<T>;
  readonly message: string;
}

export type AnyMeant = { [T in ConditionType]: Meant<T> }[ConditionType];

export function findCondition(
  conditions: readonly Condition[] | undefined,
  type: ConditionType,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** RFC 3339 with whole seconds, as Kubernetes writes its own times. */
export function apiTime(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}

const MAX_MESSAGE = 1_024;

/** The conditions as they are written; `lastTransitionTime` moves only when the status does. */
export function toConditions(
  meant: readonly AnyMeant[],
  before: readonly Condition[] | undefined,
  observedGeneration: number | undefined,
  nowMs: number,
): Condition[] {
  return meant.map(({ type, status, reason, message }) => {
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

/** The reasons as Markdown tables, one for each type. */
export function conditionTables(): string {
  return conditionTypes
    .map((type) => {
      const rows = Object.entries(conditionReasons[type]).map(([reason, meaning]) => `| \`${reason}\` | ${meaning} |`);
      return [`### ${type}`, '', '| reason | status and meaning |', '|---|---|', ...rows].join('\n');
    })
    .join('\n\n');
}
