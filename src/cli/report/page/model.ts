// Everything that a report shows. Plain data: report.ts collects it, page.ts renders it.

import type { MigrationProgress, MigrationResult } from '../../../migration/report/observer.ts';
import type { Side } from '../../../remote/meaning/side.ts';

/** A part of the range: one or several windows. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
  readonly windows: number;
  readonly samplesRead: number;
  readonly samplesWritten: number;
}

/** A part of the range that was compared: one or several windows. */
export interface ComparedSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly windows: number;
  readonly samplesCompared: number;
  readonly missing: number;
  /** Or repeated. */
  readonly different: number;
  readonly extra: number;
}

/** What happened in one interval of the run. Intervals of a run have the same length. */
export interface Interval {
  /** Since the start, at the end of the interval. */
  readonly samplesWritten: number;
  readonly samplesCompared: number;
  /** The longest window that was requested in the interval; 0: none. */
  readonly windowMs: number;
  readonly retries: number;
}

export interface RetryCount {
  readonly side: Side;
  readonly code: string;
  readonly retries: number;
  readonly delayMs: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly firstMessage: string;
}

export interface RequestCount {
  readonly side: Side;
  readonly status: string;
  readonly requests: number;
  readonly seconds: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

export interface Rejection {
  readonly reason: string;
  readonly samples: number;
  readonly isBound: boolean;
  readonly response: string;
  readonly example: { readonly labels: string; readonly timeMs: number } | undefined;
}

export interface Split {
  readonly fromMs: number;
  readonly toMs: number;
  readonly by: 'time' | 'name';
  readonly reason: string;
}

/** How the range was divided into stretches. */
export interface RunDivision {
  readonly lengthMs: number;
  /** The most that ran at once. */
  readonly mostRunning: number;
  /** What the run had to copy at its start, in the order of time. */
  readonly remaining: readonly { readonly fromMs: number; readonly toMs: number }[];
}

/** What was seen of one run. Bounded: the length of every list has a limit, however long the run. */
export interface RunRecord {
  /** Undefined: the range was copied in one piece. */
  readonly division: RunDivision | undefined;
  /** In the order of the data: adjacent windows are merged when there are many. */
  readonly spans: readonly Span[];
  readonly gaps: { readonly count: number; readonly totalMs: number; readonly longest: readonly Span[] };
  /** In the order of time, like `spans`. */
  readonly compared: readonly ComparedSpan[];
  readonly timeline: {
    readonly intervalMs: number;
    readonly elapsedMs: number;
    readonly intervals: readonly Interval[];
  };
  readonly retries: readonly RetryCount[];
  readonly splits: { readonly byTime: number; readonly byName: number; readonly first: readonly Split[] };
  readonly requests: readonly RequestCount[];
  readonly warnings: readonly { readonly code: string; readonly message: string; readonly count: number }[];
  readonly rejections: readonly Rejection[];
  readonly isAlreadyFinished: boolean;
}

export interface ReportSide {
  readonly role: 'Source' | 'Destination' | 'Progress';
  /** Without userinfo and query values. */
  readonly url: string;
  /** As the server reports it. */
  readonly version: string | undefined;
}

export interface ReportModel {
  readonly toolVersion: string;
  readonly migration: string;
  /** The hash of what defines the copy, as in the marks. */
  readonly id: string;
  readonly sides: readonly ReportSide[];
  /** The settings that define what is copied and how, by name. */
  readonly settings: readonly (readonly [name: string, values: readonly string[]])[];
  readonly startedMs: number;
  readonly endedMs: number;
  readonly durationMs: number;
  readonly progress: Readonly<MigrationProgress>;
  readonly error: MigrationResult['error'];
  readonly record: RunRecord;
  /** The files given with -f. No hash: the file contains a Secret. */
  readonly manifests: readonly { readonly name: string; readonly sha256: string | undefined }[];
}
