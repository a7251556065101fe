// The status of the PromMigration resource. Generated from the CRD by `npm run docs`: edit crds/ instead.

/** The observed state. Written only by the operator. */
export interface PromMigrationStatus {
  /** The metadata.generation that this status is based on. */
  readonly observedGeneration?: number;
  /**
   * Summary for people: Pending, Running, Suspended, Stalled, Succeeded, Failed or Terminating. Programs should read
   * conditions.
   */
  readonly phase?: string;
  /**
   * Accepted, Progressing, Degraded and Succeeded, following the Kubernetes API conventions. `kubectl wait
   * --for=condition=Succeeded` waits for the end.
   */
  readonly conditions?: readonly Condition[];
  /** Hash of the fields that define the copy: the label id of the progress series. */
  readonly id?: string;
  /** When the migration first started to read, or restarted after it was suspended. */
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
  /** Progress over all attempts. Updated at most every 10 seconds. */
  readonly progress?: StatusProgress;
}

/** A condition. */
export interface Condition {
  /** Accepted, Progressing, Degraded or Succeeded. */
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

/** Progress over all attempts. Updated at most every 10 seconds. */
export interface StatusProgress {
  /** Completed share of the time range, including acknowledged samples in the windows after through. */
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
  /** Samples that were already in the destination on resuming. */
  readonly samplesAlreadyPresent?: number;
  /** Samples that were left out because another sample of the same series and time was kept. */
  readonly samplesConflicting?: number;
  /** Samples that the destination rejected, by reason. */
  readonly samplesRejected?: Readonly<Record<string, number>>;
  /**
   * Rejected samples that may nevertheless be in the destination, because it could not be read back. samplesRejected
   * may be too high by this number.
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
  /** Samples written per second, averaged over the last 30 seconds. */
  readonly samplesPerSecond?: number;
  /** samplesPerSecond for people, such as 1.2M/s. */
  readonly rate?: string;
  /** Estimated remaining time, such as 1h12m. */
  readonly remaining?: string;
}
