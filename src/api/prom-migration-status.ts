// The status of the PromMigration resource. Generated from the CRD by `npm run docs`: edit crds/ instead.

/** The observed state. Written only by the operator. */
export interface PromMigrationStatus {
  /** The metadata.generation that this status is based on; -1 before the operator has looked at the migration. */
  readonly observedGeneration?: number;
  /**
   * Summary for people: Pending, Running, Verifying, Suspended, Stalled, Succeeded, Failed or Terminating. Programs
   * should read conditions.
   */
  readonly phase?: string;
  /**
   * Accepted, Progressing, Degraded, Succeeded and Verified, and for kstatus Ready, Reconciling and Stalled, following
   * the Kubernetes API conventions. `kubectl wait --for=condition=Ready` waits until the migration has succeeded.
   */
  readonly conditions?: readonly Condition[];
  /** Hash of the fields that define the copy: the label id of the progress series. */
  readonly id?: string;
  /** When the first attempt started, or the first attempt after the migration was suspended. */
  readonly startTime?: string;
  /** When the migration ended. */
  readonly completionTime?: string;
  /** When a window was last finished. */
  readonly lastProgressTime?: string;
  /**
   * Where the current attempt resumed. The time comes from the progress series in the destination; with
   * destination.progress.protocol None it comes from this status.
   */
  readonly resumedFrom?: string;
  /**
   * The most recent distinct failures, newest first, including those that a retry resolved. Server messages are
   * truncated and contain no secrets.
   */
  readonly recentErrors?: readonly RecentError[];
  /** The time range that is copied. Its end is fixed at the first start. */
  readonly range?: CopiedRange;
  /** The stretches of the time range (spec.execution) by state. Absent until the range has been divided. */
  readonly stretches?: StatusStretches;
  /**
   * What the comparison of source and destination has found so far, over all attempts. Absent before it begins, and
   * while spec.verification.mode is Off.
   */
  readonly verification?: StatusVerification;
  /** Progress over all attempts. Updated at most every 10 seconds. */
  readonly progress?: StatusProgress;
}

/** A condition. */
export interface Condition {
  /** Accepted, Progressing, Degraded, Succeeded, Verified, Ready, Reconciling or Stalled. */
  readonly type: string;
  /** True, False or Unknown. */
  readonly status: 'True' | 'False' | 'Unknown';
  /** The metadata.generation that the condition is based on. */
  readonly observedGeneration?: number;
  /** When status last changed. */
  readonly lastTransitionTime: string;
  /** The reason as one word, for programs. */
  readonly reason: string;
  /** The reason as a sentence, for people. */
  readonly message: string;
}

/** A failure. */
export interface RecentError {
  /** When the failure was last seen. */
  readonly time: string;
  /** source, destination or progress, if the failure has a side. */
  readonly side?: string;
  /** Stable error code, such as unauthorized; listed in docs/errors.md. */
  readonly code: string;
  /** What happened. */
  readonly message: string;
  /** How many times in a row the failure was seen. */
  readonly count?: number;
}

/** The time range that is copied. Its end is fixed at the first start. */
export interface CopiedRange {
  /** Inclusive. */
  readonly start: string;
  /** Exclusive. */
  readonly end: string;
}

/** The stretches of the time range (spec.execution) by state. Absent until the range has been divided. */
export interface StatusStretches {
  /** Stretches of the range. */
  readonly total?: number;
  /** Stretches that are completely in the destination, according to their progress marks. */
  readonly finished?: number;
  /** Stretches under way, at most spec.execution.parallelism. kubectl scale reads it. */
  readonly running?: number;
  /**
   * The Job whose pods copy them, or have copied them, in the same namespace. Absent when it is gone, and its pods
   * with it.
   */
  readonly job?: string;
  /** Stretches that failed permanently, oldest first. The other stretches are copied nevertheless. */
  readonly failed?: readonly FailedStretch[];
}

/** A failed stretch. */
export interface FailedStretch {
  /** Start of the stretch. */
  readonly stretch: string;
  /** The reason as one word, for programs. */
  readonly reason: string;
  /** What happened. Contains no secrets. */
  readonly message: string;
}

/**
 * What the comparison of source and destination has found so far, over all attempts. Absent before it begins, and
 * while spec.verification.mode is Off.
 */
export interface StatusVerification {
  /**
   * The settings of spec.verification that the comparison was made with. If they are changed, everything is compared
   * again.
   */
  readonly settings?: VerificationSettings;
  /** Everything before this time has been compared. */
  readonly through?: string;
  /** Samples of the source that were compared with the destination. */
  readonly samplesCompared?: number;
  /** Series that were compared, summed over all windows. */
  readonly seriesCompared?: number;
  /** Samples that the destination lacks. */
  readonly missing?: number;
  /** Samples with another value in the destination. */
  readonly different?: number;
  /** Samples that the destination has more than once. */
  readonly repeated?: number;
  /** Samples that only the destination has. They do not fail a verification. */
  readonly extra?: number;
  /** Samples that were missing and have been written. */
  readonly repaired?: number;
  /** Samples with a change that a store or protocol is known to make, by reason. They count as equal. */
  readonly expected?: Readonly<Record<string, number>>;
  /** The first differences in the order of time. */
  readonly first?: readonly StatusDifference[];
}

/**
 * The settings of spec.verification that the comparison was made with. If they are changed, everything is compared
 * again.
 */
export interface VerificationSettings {
  /** spec.verification.onDifference. */
  readonly onDifference: string;
  /** spec.verification.onExtra. */
  readonly onExtra: string;
  /** spec.verification.settle. */
  readonly settle: string;
}

/** A difference. */
export interface StatusDifference {
  /** The series, as a PromQL selector. */
  readonly labels: string;
  /** The time of the sample. */
  readonly time: string;
  /** missing, different, repeated or extra. */
  readonly kind: string;
  /** The value in the source; absent if it has no such sample. */
  readonly source?: string;
  /** The value in the destination; absent if it has no such sample. */
  readonly destination?: string;
}

/** Progress over all attempts. Updated at most every 10 seconds. */
export interface StatusProgress {
  /**
   * Completed share of the work, including acknowledged samples in the windows after through. With verification,
   * copying and comparing count half each.
   */
  readonly percent?: number;
  /** percent for people, such as 41.3%. */
  readonly display?: string;
  /** Everything before this time is in the destination and marked as finished. */
  readonly through?: string;
  /** samplesWritten for people, such as 12.4M. */
  readonly samples?: string;
  /**
   * Samples that the source returned. This and the other counts are absent if the destination lacks the counts of
   * earlier attempts, because an older version did not store them there.
   */
  readonly samplesRead?: number;
  /** Samples that the destination accepted. */
  readonly samplesWritten?: number;
  /** Samples of series that relabelings dropped. */
  readonly samplesFiltered?: number;
  /** Samples that were found in the destination and not sent again. */
  readonly samplesAlreadyPresent?: number;
  /** Samples that were left out because another sample of the same series and time was kept. */
  readonly samplesConflicting?: number;
  /** Samples that the destination rejected, by reason. */
  readonly samplesRejected?: Readonly<Record<string, number>>;
  /**
   * Rejected samples that may nevertheless be in the destination, because it could not be read back. samplesRejected
   * is too high by this number at most.
   */
  readonly samplesRejectedUnproven?: number;
  /** Samples that were read as plain samples because the stream of the source could not be used. */
  readonly samplesReadPlain?: number;
  /** Upper bound of the samples among samplesReadPlain that differ from the source. */
  readonly samplesAlteredAtMost?: number;
  /** Largest number of series in a window. */
  readonly series?: number;
  /** Finished windows. */
  readonly windows?: number;
  /** Bytes read from the source, as received over the network. */
  readonly bytesRead?: number;
  /** Bytes written to the destination, as sent over the network. */
  readonly bytesWritten?: number;
  /** Requests that were retried. */
  readonly retries?: number;
  /** Samples written per second, or compared per second while Verifying, averaged over the last 30 seconds. */
  readonly samplesPerSecond?: number;
  /** samplesPerSecond for people, such as 1.2M/s. */
  readonly rate?: string;
  /**
   * Samples per second to which the destination's own rate limit holds the migration back. Absent while it does not
   * hold back all stretches that run, and with execution.mode Job, where only the logs of the pods have it.
   */
  readonly destinationLimit?: number;
  /** Estimated remaining time, such as 1h12m. */
  readonly remaining?: string;
}
