// What a migration reports while it runs: to the progress bar and log of the command line, to the metrics, and to the operator's status.

import type { RejectReason } from '../../remote/meaning/remote-error.ts';
import type { RemoteCode } from '../../remote/meaning/response-codes.ts';
import type { Side } from '../../remote/meaning/side.ts';
import { type Counts, NO_COUNTS } from './counts.ts';
import type { MigrationCode, WarningCode } from './migration-codes.ts';
import { toMigrationError } from './migration-error.ts';
import type { VerificationProgress } from './verification.ts';

/** Counts since this run began, unless noted otherwise. All fields are plain data; the object is updated in place. */
export interface MigrationProgress {
  phase: 'Starting' | 'Running' | 'Verifying' | 'Succeeded' | 'Failed' | 'Interrupted';
  /** What the whole run consists of: percentages and estimates count the halves of a copy that is verified equally. */
  readonly work: 'Copy' | 'CopyAndVerify' | 'Verify';
  /** The frozen range, [startMs, endMs). */
  startMs: number;
  endMs: number;
  /** Where this run began, if the destination had a mark: everything before it was there already. */
  resumedFromMs: number | undefined;
  /**
   * The counts of all earlier runs up to `resumedFromMs`, from the mark there; zeros if there is no mark. Unknown before the search for the
   * mark, with marks of an older version, and without marks. Set before `started`, `resumed` and `already-finished` are reported.
   */
  earlier: Counts | 'unknown';
  /** Everything before it is in the destination and marked; starts at the resume point. */
  watermarkMs: number;
  /**
   * How far the run has come: the watermark plus, for each window in flight, its length times the acknowledged fraction of its samples. Never
   * decreases; not an integer. Percentages and estimates are calculated from it, never from the watermark.
   */
  reachedMs: number;
  /** Distinct samples (series, timestamp) that the source returned inside the range, plus the losers of conflicts. */
  samplesRead: number;
  samplesWritten: number;
  /** Dropped by a relabel rule. */
  samplesFiltered: number;
  /** Found in the destination during the comparison of an uncertain window. */
  samplesAlreadyPresent: number;
  /** Two different samples of one series at one timestamp: one was kept, this counts the others. */
  samplesConflicting: number;
  /**
   * By reason: out_of_order, too_old, too_far_in_future, duplicate_timestamp, invalid_labels, invalid_sample, histograms_disabled,
   * histograms_dropped, ha_tracker, other.
   */
  samplesRejected: Record<string, number>;
  /** Samples read as SAMPLES because the stream was unusable, and how many of those may differ from what the source has at most. */
  samplesReadPlain: number;
  samplesAlteredAtMost: number;
  /** Rejected samples that may nevertheless be in the destination: `samplesRejected` may be too high by this number. */
  samplesRejectedUnproven: number;
  /** The largest number of series in one window of this run. */
  series: number;
  /** Series of the latest finished window. */
  windowSeries: number;
  windows: number;
  bytesRead: number;
  bytesWritten: number;
  retries: number;
  /** Length of the window that is requested now. */
  windowMs: number;
  /** Bytes held between the two sockets. */
  inFlightBytes: number;
  inFlightWrites: number;
  /** Set if the range was divided into stretches. */
  stretches: StretchesProgress | undefined;
  /** What limits the speed at present; undefined: the destination accepts everything as fast as it is sent. */
  heldBy: HeldBy | undefined;
  /** What the migration waits for, as text for people: `source`, `destination`, `retry of source in 4 s: …`, `rate limit`. */
  waitingFor: string;
  /** Undefined: nothing was compared, or not yet. Its counts include those of the runs that it resumes. */
  verification: VerificationProgress | undefined;
}

/** The rate limit of a side. */
export interface HeldBy {
  readonly side: 'destination';
  /** The rate that is kept, just below what the side accepts. */
  readonly samplesPerSecond: number;
}

/** Of the parts of the range that are copied independently: see plan/stretches.ts. */
interface StretchesProgress {
  readonly total: number;
  readonly finished: number;
  readonly running: readonly RunningStretch[];
  /** For good; in no order. */
  readonly failed: readonly FailedStretch[];
  /** Why fewer run at once than spec.execution.parallelism says, for the user; absent if they do not, or if that makes no difference. */
  readonly limited?: string;
}

interface FailedStretch {
  readonly startMs: number;
  /** A MigrationCode, or what the status of another version has. */
  readonly code: string;
  readonly message: string;
}

interface RunningStretch {
  readonly startMs: number;
  readonly endMs: number;
  /** From 0 to 1. */
  readonly completedRatio: number;
}

export type MigrationEvent =
  | { readonly type: 'started'; readonly startMs: number; readonly endMs: number; readonly memoryBytes: number }
  | { readonly type: 'resumed'; readonly fromMs: number; readonly samplesBefore: number }
  | {
      readonly type: 'divided';
      /** Not finished. */
      readonly stretches: number;
      readonly finished: number;
      readonly lengthMs: number;
      /** What is to be copied, in the order of time; neighbouring stretches are joined. */
      readonly remaining: readonly { readonly startMs: number; readonly endMs: number }[];
    }
  | { readonly type: 'stretch-finished'; readonly startMs: number; readonly endMs: number }
  /** A verification begins where an earlier one was interrupted. */
  | { readonly type: 'verification-resumed'; readonly fromMs: number; readonly samplesBefore: number }
  | { readonly type: 'already-finished'; readonly throughMs: number }
  | {
      readonly type: 'window-finished';
      readonly fromMs: number;
      readonly toMs: number;
      readonly samplesRead: number;
      readonly samplesWritten: number;
      /** From its first request to its mark. */
      readonly seconds: number;
    }
  /** A window was compared, or those series of a part of it that had differed. A series counts in one of these events. */
  | {
      readonly type: 'range-compared';
      readonly fromMs: number;
      readonly toMs: number;
      readonly samplesCompared: number;
      readonly missing: number;
      /** Or repeated. */
      readonly different: number;
      readonly extra: number;
    }
  | {
      readonly type: 'window-split';
      readonly fromMs: number;
      readonly toMs: number;
      readonly reason: string;
      readonly by: 'time' | 'name';
    }
  | {
      readonly type: 'request';
      readonly side: Side;
      readonly status: number | RemoteCode;
      readonly seconds: number;
      readonly sentBytes: number;
      readonly receivedBytes: number;
    }
  | {
      readonly type: 'retry';
      readonly side: Side;
      readonly code: RemoteCode;
      readonly message: string;
      readonly attempt: number;
      readonly delayMs: number;
    }
  /** Only the first few rejected samples are reported with their labels; the rest are counted. */
  | {
      readonly type: 'rejected';
      readonly reason: RejectReason;
      readonly samples: number;
      /** Some of them may be in the destination: this is an upper bound of the missing samples. */
      readonly isBound?: boolean;
      readonly response: string;
      readonly example?: { readonly labels: string; readonly timeMs: number };
    }
  | { readonly type: 'warning'; readonly code: WarningCode; readonly message: string }
  /** VictoriaMetrics is read through its export as JSON, because its native export cannot be used. */
  | { readonly type: 'reads-json'; readonly reason: string }
  | { readonly type: 'finished'; readonly phase: MigrationProgress['phase'] };

export interface MigrationObserver {
  /** Called often (for each batch); must be cheap. The object is the same each time. */
  progress(progress: Readonly<MigrationProgress>): void;
  event(event: MigrationEvent): void;
}

/** How a migration ended. `error` is set if the phase is Failed. */
export interface MigrationResult {
  readonly progress: Readonly<MigrationProgress>;
  readonly error?: ResultError;
}

export interface ResultError {
  readonly code: MigrationCode;
  readonly message: string;
  readonly hint?: string;
  readonly side?: Side;
}

/** Whatever was thrown, as the error of a result. */
export function resultError(caught: unknown): ResultError {
  const { code, message, hint, side } = toMigrationError(caught);
  return { code, message, ...(hint !== undefined && { hint }), ...(side !== undefined && { side }) };
}

/** The progress of a migration of [startMs, endMs) that has not begun. */
export function initialProgress(
  startMs: number,
  endMs: number,
  work: MigrationProgress['work'] = 'Copy',
): MigrationProgress {
  return {
    phase: 'Starting',
    work,
    startMs,
    endMs,
    resumedFromMs: undefined,
    watermarkMs: startMs,
    reachedMs: startMs,
    earlier: 'unknown',
    ...NO_COUNTS,
    samplesRejected: {},
    windowSeries: 0,
    windowMs: 0,
    inFlightBytes: 0,
    inFlightWrites: 0,
    stretches: undefined,
    heldBy: undefined,
    waitingFor: '',
    verification: undefined,
  };
}
