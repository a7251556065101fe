// Selects the Kubernetes events of a migration, from what the engine reports and from the changes between two statuses. Pure.

import type { PromMigrationStatus } from '../../api/prom-migration-status.ts';
import type { MigrationEvent, MigrationProgress } from '../../migration/report/observer.ts';
import type { VerificationProgress } from '../../migration/report/verification.ts';
import type { Finding } from '../../migration/preflight/preflight-result.ts';
import { findingText } from '../../migration/preflight/preflight-text.ts';
import { formatCount, formatDuration } from '../../telemetry/format.ts';
import type { Verdict } from './attempt.ts';
import { findCondition } from './conditions.ts';
import type { RecordedEvent } from '../kube/kube-objects.ts';
import { exactTime } from './status-counts.ts';
import { statusText } from './status-text.ts';
import { isSameSettings, verifiedIn } from './verification-settings.ts';

/** All reasons, for the documentation. */
export const EVENT_REASONS = {
  PreflightFinding:
    'Warning, or Normal if it only informs: what was found before the copy, with its code and its cure; one event for each code and generation of the spec',
  Started: 'Normal: copying started at the start of the range',
  Resumed: 'Normal: copying resumed at the resume point',
  Suspended: 'Normal: spec.suspend is true, and the worker has stopped',
  AttemptFailed:
    'Warning: an attempt crashed, hung or had its credentials rejected, and is retried after a pause; at most one event in ten minutes for each reason',
  WindowSplit:
    'Normal: a window was too large for the source, the destination or the memory; at most one event in ten minutes',
  SamplesRejected: 'Warning: the destination rejects samples; at most one event in ten minutes for each reason',
  NoProgress: 'Warning: no window was finished, and no sample written or compared, for spec.progressDeadlineSeconds',
  Succeeded: 'Normal: everything is in the destination, except rejected samples, if any',
  Failed: 'Warning: the migration failed; the note says why',
  VerificationStarted: 'Normal: everything is copied, and source and destination are being compared',
  Verified: 'Normal: every sample of the source is in the destination',
  DifferencesFound: 'Warning: the destination differs from the source; the note counts the differences',
} as const;

type EventReason = keyof typeof EVENT_REASONS;

export interface MigrationNotice extends RecordedEvent {
  readonly reason: EventReason;
  /** Two notices of one topic within ten minutes are reported once. Undefined: each is reported. */
  readonly topic?: string;
}

/** How long a notice suppresses others of its topic. */
export const TOPIC_MS = 10 * 60_000;

/** The notice for an event of the engine, if it deserves one. */
export function noticeOf(event: MigrationEvent, progress: Readonly<MigrationProgress>): MigrationNotice | undefined {
  switch (event.type) {
    case 'started': {
      if (progress.resumedFromMs !== undefined) return undefined;
      const note = `copying from ${exactTime(event.startMs)} to ${exactTime(event.endMs)}`;
      return { type: 'Normal', reason: 'Started', action: 'Migrate', note };
    }
    case 'resumed': {
      const note = `resuming at ${exactTime(event.fromMs)}, ${formatCount(event.samplesBefore)} samples are already in the destination`;
      return { type: 'Normal', reason: 'Resumed', action: 'Migrate', note };
    }
    case 'window-split': {
      const how = event.by === 'time' ? 'is halved' : 'is split by metric name';
      const note = `the window of ${formatDuration(event.toMs - event.fromMs)} at ${exactTime(event.fromMs)} ${how}: ${statusText(event.reason)}`;
      return { type: 'Normal', reason: 'WindowSplit', action: 'Migrate', note, topic: 'WindowSplit' };
    }
    case 'rejected': {
      const note = `the destination rejects samples (${event.reason}): ${statusText(event.response)}`;
      return { type: 'Warning', reason: 'SamplesRejected', action: 'Migrate', note, topic: `rejected ${event.reason}` };
    }
    default:
      return undefined;
  }
}

export function noticeOfFinding(finding: Finding): MigrationNotice {
  const type = finding.grade === 'informs' ? 'Normal' : 'Warning';
  return { type, reason: 'PreflightFinding', action: 'Preflight', note: findingText(finding) };
}

/** The notice for a comparison that has begun with this report. `before` is the one that was known until then. */
export function noticeOfVerification(
  before: VerificationProgress | undefined,
  { verification }: Readonly<MigrationProgress>,
): MigrationNotice | undefined {
  if (verification === undefined || before !== undefined) return undefined;
  const note = `comparing source and destination from ${exactTime(verification.startMs)} to ${exactTime(verification.endMs)}`;
  return { type: 'Normal', reason: 'VerificationStarted', action: 'Verify', note };
}

/** The notice for the end of an attempt that another one follows. The end of a migration is reported when its status is written. */
export function noticeOfEnd(verdict: Verdict): MigrationNotice | undefined {
  if (verdict.kind !== 'again') return undefined;
  const { reason, message } = verdict.failures;
  const note = `${reason}: ${statusText(message)}`;
  return { type: 'Warning', reason: 'AttemptFailed', action: 'Migrate', note, topic: `attempt ${reason}` };
}

/** The notices for a change of status that was written. */
export function noticesOfChange(
  before: PromMigrationStatus | undefined,
  after: PromMigrationStatus,
): MigrationNotice[] {
  const notices: MigrationNotice[] = [];
  const was = findCondition(before?.conditions, 'Progressing')?.reason;
  const progressing = findCondition(after.conditions, 'Progressing');
  if (progressing !== undefined && progressing.reason !== was) {
    const { reason, message } = progressing;
    if (reason === 'Suspended') notices.push({ type: 'Normal', reason, action: 'Suspend', note: message });
    if (reason === 'NoProgress') notices.push({ type: 'Warning', reason, action: 'Migrate', note: message });
  }
  notices.push(...noticesOfResult(before, after));
  const ended = findCondition(after.conditions, 'Succeeded');
  if (ended === undefined || ended.status === findCondition(before?.conditions, 'Succeeded')?.status) return notices;
  const note = `${ended.reason}: ${ended.message}`;
  if (ended.status === 'True') notices.push({ type: 'Normal', reason: 'Succeeded', action: 'Finish', note });
  if (ended.status === 'False') notices.push({ type: 'Warning', reason: 'Failed', action: 'Finish', note });
  return notices;
}

function noticesOfResult(before: PromMigrationStatus | undefined, after: PromMigrationStatus): MigrationNotice[] {
  const settings = verifiedIn(after);
  const was = findCondition(before?.conditions, 'Verified');
  const verified = findCondition(after.conditions, 'Verified');
  if (settings === undefined || verified === undefined) return [];
  if (verified.status === was?.status && isSameSettings(settings, verifiedIn(before))) return [];
  const notice = { action: 'Verify', note: verified.message };
  return verified.status === 'True'
    ? [{ ...notice, type: 'Normal', reason: 'Verified' }]
    : [{ ...notice, type: 'Warning', reason: 'DifferencesFound' }];
}
