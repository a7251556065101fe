// How one attempt of a migration ended, and what follows: a permanent end, another attempt after a pause, or nothing because it was stopped on
// purpose. Pure.

import { backoffMs } from '../../telemetry/backoff.ts';
import { anotherAttemptMaySucceed, CREDENTIAL_CODES } from '../../migration/report/another-attempt.ts';
import { errorText } from '../../migration/report/migration-error.ts';
import type { RejectReason } from '../../remote/meaning/remote-error.ts';
import type { Side } from '../../remote/meaning/side.ts';
import type { EngineCode, MigrationCode } from '../../migration/report/migration-codes.ts';
import type { MigrationResult } from '../../migration/report/observer.ts';
import { isMatching } from '../../migration/report/verification.ts';
import type { WorkerEnd } from '../../execute/worker-messages.ts';
import type { Reason } from './conditions.ts';
import { failureOfJob, type JobFacts } from './job-facts.ts';

/** The codes in status.recentErrors: of a failed request or migration, of rejected samples, or of a worker that ended without a result. */
export type ErrorCode = MigrationCode | RejectReason | 'pod-failed' | `worker-${WorkerEnd['kind']}`;

/** Why a worker was asked to stop. */
export type StopCause =
  | 'suspend'
  | 'spec-changed'
  | 'deadline'
  | 'deleted'
  | 'shutdown'
  | 'not-leader'
  | 'job-ended'
  | 'job-lost'
  | 'job-replaced';

/** Whether it was only asked to find out what a Job has copied that copies no more. */
export function isLastLook(cause: StopCause | undefined): boolean {
  return cause === 'job-ended' || cause === 'job-lost';
}

/** What went wrong in the attempts since the last finished window. */
export interface Failures {
  readonly count: number;
  /** On the monotonic clock. */
  readonly retryAtMs: number;
  readonly reason: Extract<Reason<'Degraded'>, 'CredentialsRefused' | 'WorkerCrashed' | 'WorkerHung' | 'JobIncomplete'>;
  readonly message: string;
}

/** An end that only a change of the spec undoes. */
export type Outcome =
  | {
      readonly succeeded: true;
      readonly reason: Extract<
        Reason<'Succeeded'>,
        'Completed' | 'CompletedWithSkips' | 'CompletedWithDifferences' | 'NothingFound'
      >;
      readonly message: string;
    }
  | { readonly succeeded: false; readonly reason: FailureReason; readonly message: string };

type FailureReason = Extract<
  Reason<'Succeeded'>,
  | 'DifferencesFound'
  | 'SamplesRejected'
  | 'StretchesFailed'
  | 'SourceRefused'
  | 'DestinationRefused'
  | 'ProgressRefused'
  | 'ProgressNotKept'
  | 'SourceUnreadable'
  | 'DestinationUnreadable'
  | 'LimitTooSmall'
  | 'EmptyRange'
  | 'DeadlineExceeded'
  | 'InternalError'
>;

export type Verdict =
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  | { readonly kind: 'again'; readonly failures: Failures }
  | { readonly kind: 'stopped'; readonly cause: StopCause };

const REFUSED_BY_SIDE = {
  source: 'SourceRefused',
  destination: 'DestinationRefused',
  progress: 'ProgressRefused',
} as const satisfies Record<Side, FailureReason>;

/** What follows from each code of the engine itself. All other codes are responses of one side. */
const FAILURE_OF: Readonly<Record<EngineCode, FailureReason | 'refused by the side' | 'defect'>> = {
  'samples-rejected': 'SamplesRejected',
  'mark-rejected': 'ProgressNotKept',
  'mark-not-found': 'ProgressNotKept',
  'window-too-large': 'LimitTooSmall',
  'memory-too-small': 'LimitTooSmall',
  'empty-range': 'EmptyRange',
  'too-many-stretches': 'LimitTooSmall',
  'destination-not-readable': 'ProgressNotKept',
  'destination-undecodable': 'DestinationUnreadable',
  'nothing-compared': 'refused by the side',
  'differences-found': 'DifferencesFound',
  'bad-response-truncated': 'SourceUnreadable',
  'bad-response-corrupt': 'SourceUnreadable',
  'bad-response-invalid-labels': 'SourceUnreadable',
  'bad-response-too-large': 'SourceUnreadable',
  'bad-response-unknown-encoding': 'SourceUnreadable',
  'bad-response-server-error-text': 'SourceUnreadable',
  unreachable: 'refused by the side',
  'read-back-too-large': 'refused by the side',
  // Only the command line writes them.
  'differences-not-written': 'defect',
  'preflight-blocked': 'defect',
  'preflight-not-judged': 'defect',
  // The next attempt resumes at the mark and may get past a defect of the program.
  accounting: 'defect',
  internal: 'defect',
};

const PAUSE = { firstMs: 5_000, maxMs: 5 * 60_000 };

/** 5 s, 10 s, 20 s … 5 min. */
export function pauseMs(count: number): number {
  return backoffMs(PAUSE, count);
}

export interface Attempt {
  readonly end: WorkerEnd;
  /** Set if it was asked to stop. */
  readonly cause: StopCause | undefined;
  /** Whether it was started with spec.verification.mode Full. */
  readonly verifies: boolean;
  /** The failures since the last finished window, without this attempt. */
  readonly earlier: Failures | undefined;
  /** Samples that the destination rejected, over all starts. */
  readonly samplesRejected: number;
  /** Of a follower: the Job that has copied. */
  readonly job?: JobFacts | undefined;
  /** Whether its marks have progressed since the Job was created. */
  readonly jobProgressed?: boolean;
  /** How many Jobs in a row have ended before this one because their pods failed too often. */
  readonly exhaustedJobs?: number;
}

/** @param nowMs on the monotonic clock */
export function judgeEnd(attempt: Attempt, nowMs: number): Verdict {
  const { end, cause, earlier } = attempt;
  const again = (reason: Failures['reason'], message: string, before = earlier?.count ?? 0): Verdict => {
    const count = before + 1;
    return { kind: 'again', failures: { count, retryAtMs: nowMs + pauseMs(count), reason, message } };
  };
  if (end.kind === 'result') {
    const { progress, error } = end.result;
    if (progress.phase === 'Succeeded') {
      if (attempt.verifies && progress.verification?.finished !== true) {
        return again('WorkerCrashed', 'the worker ended without the verification that it was asked for');
      }
      return { kind: 'outcome', outcome: successOf(end.result, attempt.samplesRejected) };
    }
    if (progress.phase === 'Failed') {
      const text = error === undefined ? 'failed, no reason given' : errorText(error);
      const code = error?.code ?? 'internal';
      if (CREDENTIAL_CODES.has(code)) return again('CredentialsRefused', text);
      const reason = failureOf(code, error?.side);
      if (reason === 'defect') return again('WorkerCrashed', text);
      return { kind: 'outcome', outcome: { succeeded: false, reason, message: text } };
    }
    if (isLastLook(cause)) return judgeJob(attempt, again);
    if (cause !== undefined) return { kind: 'stopped', cause };
    return again('WorkerCrashed', 'the worker stopped without being asked to');
  }
  if (cause !== undefined) return { kind: 'stopped', cause };
  if (end.kind === 'hung') {
    return again(
      'WorkerHung',
      `the worker did not respond for ${Math.round(end.silentMs / 1000)} s and was terminated`,
    );
  }
  if (end.kind === 'terminated') return again('WorkerCrashed', 'the worker was terminated from outside');
  const hint = end.code === 'ERR_WORKER_OUT_OF_MEMORY' ? '; lower spec.limits.memory or spec.window.targetSamples' : '';
  return again('WorkerCrashed', `the worker crashed: ${end.message} (${end.code}${hint})`);
}

/** Of a Job that has ended, or is gone, before everything was in the destination. */
function judgeJob(
  { job, jobProgressed, exhaustedJobs }: Attempt,
  again: (reason: Failures['reason'], message: string, before?: number) => Verdict,
): Verdict {
  const failure = job === undefined ? undefined : failureOfJob(job, isPermanent);
  if (failure === undefined) {
    const end = job?.end === 'Complete' ? 'is complete' : 'has ended or was deleted';
    return again('JobIncomplete', `the Job ${end}, but marks of its stretches are missing in the destination`);
  }
  const { code, side, text } = failure;
  if (code !== undefined && CREDENTIAL_CODES.has(code)) return again('CredentialsRefused', text);
  if (code !== undefined && isPermanent(code, side)) {
    return {
      kind: 'outcome',
      outcome: { succeeded: false, reason: failureOf(code, side) as FailureReason, message: text },
    };
  }
  // Kills that are days apart use up the attempts of a Job as well. Another Job has new ones.
  if (jobProgressed === true) {
    const message = `pods of the Job failed too often, but its marks have progressed, so what is left is divided again: ${text}`;
    return again('JobIncomplete', message, exhaustedJobs);
  }
  return { kind: 'outcome', outcome: { succeeded: false, reason: 'StretchesFailed', message: text } };
}

/** Whether only a user can remove the reason. False for the code of another version. */
function isPermanent(code: MigrationCode, side: Side | undefined): boolean {
  const failure = failureOf(code, side);
  return failure !== 'defect' && failure !== 'InternalError' && !anotherAttemptMaySucceed(code);
}

function successOf({ progress }: MigrationResult, samplesRejected: number): Outcome {
  if (progress.verification !== undefined && !isMatching(progress.verification)) {
    const message =
      'finished, but the verification found differences: see the condition Verified and status.verification';
    return { succeeded: true, reason: 'CompletedWithDifferences', message };
  }
  if (samplesRejected > 0) {
    const message = `finished, but ${samplesRejected} samples that the destination rejected are missing there`;
    return { succeeded: true, reason: 'CompletedWithSkips', message };
  }
  const nothing = progress.samplesRead === 0 && progress.resumedFromMs === undefined && progress.windows > 0;
  if (nothing) {
    const message =
      'finished, but the source returned no samples for the selectors in the whole range: check spec.selectors, the tenant, and whether the source still has data of that age';
    return { succeeded: true, reason: 'NothingFound', message };
  }
  return { succeeded: true, reason: 'Completed', message: 'the whole range is in the destination' };
}

function failureOf(code: MigrationCode, side: Side | undefined): FailureReason | 'defect' {
  const failure = isEngineCode(code) ? FAILURE_OF[code] : 'refused by the side';
  if (failure !== 'refused by the side') return failure;
  return side === undefined ? 'InternalError' : REFUSED_BY_SIDE[side];
}

function isEngineCode(code: MigrationCode): code is EngineCode {
  return Object.hasOwn(FAILURE_OF, code);
}
