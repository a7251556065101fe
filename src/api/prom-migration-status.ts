// The status of the PromMigration resource. Made from the CRD by `npm run docs`: change crds/ instead.

/** What the operator has seen. Written by the operator alone. */
export interface PromMigrationStatus {
  /** The metadata.generation that this status was made from. */
  readonly observedGeneration?: number;
  /**
   * One word for people: Pending, Running, Suspended, Stalled, Succeeded, Failed or Terminating. Programs read
   * conditions.
   */
  readonly phase?: string;
  /**
   * Accepted, Progressing, Degraded and Succeeded, after the API conventions of Kubernetes. `kubectl wait
   * --for=condition=Succeeded` waits for the end.
   */
  readonly conditions?: readonly Condition[];
  /** Hash of what defines the copy: the label id of its progress series. */
  readonly id?: string;
  /** When the migration first began to read, or began again after it was suspended. */
  readonly startTime?: string;
  /** When it ended. */
  readonly completionTime?: string;
  /** When a window was last finished. */
  readonly lastProgressTime?: string;
  /**
   * Where the present start went on. The time comes from the progress series in the destination; only with
   * destination.progress.protocol None from this status.
   */
  readonly resumedFrom?: string;
  /**
   * The last few different failures, the newest first, also those that were overcome. Texts of servers are cut and
   * without secrets.
   */
  readonly recentErrors?: readonly RecentError[];
  /** The time range that is copied, with its end as it was frozen at the first start. */
  readonly range?: CopiedRange;
  /** How far it is, over all starts. Brought up to date every 10 seconds at most. */
  readonly progress?: StatusProgress;
}

/** One of them. */
export interface Condition {
  /** Accepted, Progressing, Degraded or Succeeded. */
  readonly type: string;
  /** Whether it holds. */
  readonly status: 'True' | 'False' | 'Unknown';
  /** The metadata.generation that it was made from. */
  readonly observedGeneration?: number;
  /** When status last changed. */
  readonly lastTransitionTime: string;
  /** Why, as one word for programs. */
  readonly reason: string;
  /** Why, as a sentence for people. */
  readonly message: string;
}

/** A failure. */
export interface RecentError {
  /** When it was last seen. */
  readonly time: string;
  /** source, destination or progress, where it has one. */
  readonly side?: string;
  /** Stable, such as unauthorized; listed in docs/errors.md. */
  readonly code: string;
  /** What happened. */
  readonly message: string;
  /** How often it was seen in a row. */
  readonly count?: number;
}

/** The time range that is copied, with its end as it was frozen at the first start. */
export interface CopiedRange {
  /** Inclusive. */
  readonly start: string;
  /** Exclusive. */
  readonly end: string;
}

/** How far it is, over all starts. Brought up to date every 10 seconds at most. */
export interface StatusProgress {
  /** Share of the time range that is done, including what is acknowledged in the windows after through. */
  readonly percent?: number;
  /** The same for people, such as 41.3%. */
  readonly display?: string;
  /** Everything before this time is in the destination and marked as finished. */
  readonly through?: string;
  /** samplesWritten for people, such as 12.4M. */
  readonly samples?: string;
  /**
   * Samples that the source gave. This and the other counts are absent when the destination does not have the counts
   * of earlier starts, which older versions did not keep there.
   */
  readonly samplesRead?: number;
  /** Samples that the destination took. */
  readonly samplesWritten?: number;
  /** Samples of series that relabelings dropped. */
  readonly samplesFiltered?: number;
  /** Samples that were found in the destination on resuming. */
  readonly samplesAlreadyPresent?: number;
  /** Samples that lost against another one of the same series and time. */
  readonly samplesConflicting?: number;
  /** Samples that the destination refused, by reason. */
  readonly samplesRejected?: Readonly<Record<string, number>>;
  /**
   * Rejected samples that may be in the destination all the same, where it cannot be read back. samplesRejected is an
   * upper bound by as many.
   */
  readonly samplesRejectedUnproven?: number;
  /** Samples that were read as plain samples because the stream of the source could not be used. */
  readonly samplesReadPlain?: number;
  /** At most so many of samplesReadPlain differ from what the source has. */
  readonly samplesAlteredAtMost?: number;
  /** Largest number of series in one window. */
  readonly series?: number;
  /** Windows that are finished. */
  readonly windows?: number;
  /** Bytes read from the source, as they came over the network. */
  readonly bytesRead?: number;
  /** Bytes written to the destination, as they went over the network. */
  readonly bytesWritten?: number;
  /** Requests that were tried again. */
  readonly retries?: number;
  /** Samples written in a second, averaged over the last half minute. */
  readonly samplesPerSecond?: number;
  /** The same for people, such as 1.2M/s. */
  readonly rate?: string;
  /** Estimated time to the end, such as 1h12m. */
  readonly remaining?: string;
}
