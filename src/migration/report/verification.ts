// What a verification counts and reports: to the command line, the metrics, the status and the report. Plain data.

/**
 * - `missing`: the source has the sample, the destination does not
 * - `extra`: the destination has a sample inside the range and the selectors that the source does not have
 * - `different`: both have a sample of the series at that time, with different values
 * - `repeated`: the destination has the sample more than once
 */
export type DifferenceKind = 'missing' | 'extra' | 'different' | 'repeated';

/** Changes that a protocol or a store is known to make. Samples with such a change are equal as far as they can be compared. */
export const EXPECTED_CHANGES = {
  victoriametrics_decimals:
    'VictoriaMetrics stores decimals: the value differs by less than 1 part in 10^11, or 0 has lost its sign',
  victoriametrics_nan: 'VictoriaMetrics drops NaN values that are not stale markers',
  victoriametrics_histograms: 'VictoriaMetrics stores native histograms as float series, or not at all',
  influxdb_nan_inf: 'InfluxDB stores neither NaN nor ±Inf',
  influxdb_histograms: 'InfluxDB does not store native histograms',
  samples_negative_zero: 'a SAMPLES response shows −0 as 0',
  samples_histogram_bounds: 'a SAMPLES response leaves out the bounds of custom buckets',
  promql_stale_markers: 'a PromQL result does not show stale markers',
  promql_nan_payloads: 'a PromQL result shows every NaN as the same one',
  promql_histograms: 'a PromQL result shows of a native histogram its count, sum and buckets, in decimals',
  invalid_labels: 'no receiver accepts the labels of the series, so it is not sent',
  rejected: 'the destination rejected the samples and rejectedSamples is Skip',
} as const satisfies Record<string, string>;

export type ExpectedChange = keyof typeof EXPECTED_CHANGES;

/** One sample that is not the same on both sides. */
export interface Difference {
  /** As a selector: `up{job="node"}`, with the labels after relabelling. */
  readonly labels: string;
  readonly timestampMs: number;
  readonly kind: DifferenceKind;
  /** As text that shows all bits of a float (`1`, `NaN 0x7ff8000000000001`, `stale`), or a histogram's fields; undefined: no sample there. */
  readonly source: string | undefined;
  readonly destination: string | undefined;
  /** Why the sample is missing, if that was expected. */
  readonly expected?: ExpectedChange;
}

/** Gets the differences. Those of one range count together, when all of it has been compared. */
export interface DifferenceReceiver {
  add(difference: Difference): void;
  /** What was added counts. The verification continues when it is written. @throws the signal's reason */
  keep(signal: AbortSignal): void | Promise<void>;
  /** What was added since the last `keep` does not count: the range is compared again. */
  discard(): void;
  /** At the end: everything of the kind `missing` was expected. */
  expectMissing(reason: ExpectedChange): void;
}

/** What was compared, and how it turned out. samples of the source = equal + missing + different + expected. */
export interface VerificationCounts {
  /** Series of one window, summed over all windows. */
  seriesCompared: number;
  /** Samples of the source, after relabelling. */
  samplesCompared: number;
  /** Bit for bit. */
  equal: number;
  missing: number;
  extra: number;
  different: number;
  repeated: number;
  expected: Partial<Record<ExpectedChange, number>>;
  /** Samples that were missing and have been written. */
  repaired: number;
}

/** What an interrupted verification hands on: the counts of everything before `throughMs`. Plain data. */
export interface ResumedVerification {
  readonly throughMs: number;
  readonly counts: Readonly<VerificationCounts>;
}

export interface VerificationProgress extends VerificationCounts {
  /** [startMs, endMs) is compared. */
  startMs: number;
  endMs: number;
  /** Where an earlier verification had got to; undefined if this one began at `startMs`. */
  resumedFromMs: number | undefined;
  /** Everything before it has been compared, and every difference in it is final. */
  throughMs: number;
  /** For percentages and estimates: everything that has been judged, as if it were one range at the beginning. Never decreases. */
  reachedMs: number;
  /** The first differences that were not expected, at most ten, in the order of time. */
  first: readonly Difference[];
  /** The same without missing samples: what `first` becomes if all that are missing turn out to be expected. */
  firstPresent: readonly Difference[];
  bytesRead: number;
  /** False until the end: a verification that was interrupted has no result. */
  finished: boolean;
  /** The range was divided into stretches: then the counts include those of stretches behind `throughMs`, so nothing can resume there with them. */
  isDivided: boolean;
}

/** A stretch of a verification, as its coordinator hands it out. Plain data. */
export interface StretchVerification {
  /** Of its marks, with the time where they begin. */
  readonly shard: string;
  readonly startMs: number;
  /** What earlier starts have compared of it; undefined if nothing. */
  readonly resumed: ResumedVerification | undefined;
  /** Exclusive. */
  readonly endMs: number;
  /** The number in the id of its marks; undefined: it has none. */
  readonly run: number | undefined;
  /** How long the verification had been running before. */
  readonly ranMs: number;
  /** Write what is missing, whatever `spec.verification.onDifference` says. */
  readonly repair: boolean;
  /** Whether every difference is wanted. */
  readonly listsDifferences: boolean;
}

/** Whether what was compared so far shows no difference. Extra samples are reported only: another writer may have written them. */
export function isMatching({ missing, different, repeated }: Readonly<VerificationCounts>): boolean {
  return missing === 0 && different === 0 && repeated === 0;
}
