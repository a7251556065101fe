// The PromMigration resource with its defaults filled in. Generated from the CRD by `npm run docs`: edit crds/ instead.

import type { ExecutionSpec } from './prom-migration-execution.ts';
import type { DestinationSpec, SourceSpec } from './prom-migration-sides.ts';
import type { PromMigrationStatus } from './prom-migration-status.ts';

/** The fields of Kubernetes object metadata that the operator uses. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly generation?: number;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Owners of fields; the operator keeps only those of the status. */
  readonly managedFields?: readonly { readonly manager?: string; readonly subresource?: string }[];
}

/**
 * PromMigration copies the samples of a time range from a Prometheus remote_read endpoint to a remote_write endpoint.
 * An interrupted migration resumes where it stopped.
 */
export interface PromMigration {
  readonly apiVersion: 'prom-migrator.io/v1alpha1';
  readonly kind: 'PromMigration';
  readonly metadata: ObjectMeta;
  readonly spec: PromMigrationSpec;
  readonly status?: PromMigrationStatus;
}

/**
 * What to copy, from where, and to where. The fields that define the copy (source, destination, selectors, time range,
 * labels) are immutable. Window, limits, execution, verification, suspend, deadlines, authentication and similar
 * fields can be changed.
 */
export interface PromMigrationSpec {
  /** Where samples are read from. */
  readonly source: SourceSpec;
  /** The Prometheus remote_write endpoint that samples are written to. */
  readonly destination: DestinationSpec;
  /**
   * Which series are copied: PromQL series selectors such as up, {job=~"node|kube.*"} or
   * http_requests_total{code!~"2..",env="prod"}. A series that matches several selectors is copied once. The default
   * selects all series.
   */
  readonly selectors: readonly string[];
  /** Which samples are copied: from start (inclusive) to end (exclusive). */
  readonly timeRange: TimeRange;
  /** Bounds on the length of a copy window. The actual length adapts to the source. */
  readonly window: WindowBounds;
  /** Limits on the use of this machine, the source and the destination. */
  readonly limits: Limits;
  /**
   * How the copy is executed. The time range is divided into stretches, which are copied one after the other or
   * several at once. Can be changed at any time, and never starts the copy again from the beginning.
   */
  readonly execution: ExecutionSpec;
  /**
   * What happens if the destination permanently rejects samples (out of order, too old, invalid). Fail stops with the
   * reason and writes nothing newer. Skip counts them by reason and continues; the migration then ends with a warning.
   */
  readonly rejectedSamples: 'Fail' | 'Skip';
  /**
   * Whether source and destination are compared after the copy, sample by sample, and what happens if they differ. Can
   * be changed at any time.
   */
  readonly verification: VerificationSpec;
  /**
   * Whether both sides are looked at before the first sample is written, as prom-migrator plan does. Warn: the
   * operator reports what it finds in the condition Accepted and in events, and copies. Enforce: nothing is written
   * while a finding blocks or a side cannot be looked at; the operator looks again until nothing blocks, and run ends
   * with exit code 5 if something does. "Off", with quotes in YAML: nothing is looked at. A copy that has begun is not
   * looked at again. run treats Warn like Off: use prom-migrator plan.
   */
  readonly preflight: 'Off' | 'Warn' | 'Enforce';
  /**
   * Labels that are added to every series that has no label of that name, before relabelings, as Prometheus does on
   * remote_write.
   */
  readonly externalLabels?: Readonly<Record<string, string>>;
  /**
   * Prometheus relabel rules, applied to every series in this order before writing, to drop series or to drop or
   * rename labels. Series that become equal are merged.
   */
  readonly relabelings?: readonly Relabeling[];
  /**
   * Pauses the migration: the current window is finished and no new window is started. Set it to false to resume. Only
   * for the operator; run ignores it.
   */
  readonly suspend: boolean;
  /**
   * Seconds in which no window is finished, and no sample written or compared, after which the operator reports the
   * migration as stalled (condition Progressing is False). It keeps trying. run ignores it.
   */
  readonly progressDeadlineSeconds: number;
  /**
   * Seconds after its start at which the operator ends the migration as failed. If unset, there is no deadline.
   * Suspending stops the clock, and resuming restarts it from zero, as for a Job. run ignores it.
   */
  readonly activeDeadlineSeconds?: number;
  /**
   * Seconds after its end at which the operator deletes the PromMigration object; copied samples are kept. If unset,
   * the object is kept. run ignores it.
   */
  readonly ttlSecondsAfterFinished?: number;
}

/** Which samples are copied: from start (inclusive) to end (exclusive). */
export interface TimeRange {
  /**
   * Start of the range (inclusive), RFC 3339 with at most milliseconds, such as 2024-01-31T00:00:00Z. A start before
   * the oldest sample costs little.
   */
  readonly start: string;
  /**
   * End of the range (exclusive), RFC 3339 with at most milliseconds. If unset, the end is the time of the first start
   * minus lag, and does not change afterwards.
   */
  readonly end?: string;
  /**
   * If end is unset, the range ends this long before the time of the first start. A Prometheus duration. Raise it if
   * samples reach the source late.
   */
  readonly lag: string;
}

/** Bounds on the length of a copy window. The actual length adapts to the source. */
export interface WindowBounds {
  /**
   * Shortest window. A window of this length that is still too large for the source, the memory or the destination is
   * split by metric name.
   */
  readonly min: string;
  /**
   * Longest window that contains samples. Default 1h with ordering InOrder, which allows no more, and 2h with Any, or
   * 6h if source.protocol is VictoriaMetrics. Lower it if long queries overload the source.
   */
  readonly max?: string;
  /** Target number of samples in a window. Lower it for smaller steps; raise it (and limits.memory) for fewer requests. */
  readonly targetSamples: number;
}

/** Limits on the use of this machine, the source and the destination. */
export interface Limits {
  /**
   * Memory for samples between source and destination, in bytes. The process needs about 150Mi more. With
   * execution.mode InProcess the stretches that are under way share it, and the process needs about 30Mi more for each
   * if there are several; with Job each pod has this much. Raise it if windows are split because of memory.
   */
  readonly memory: string;
  /**
   * Average number of samples written per second. If unset, there is no limit. Set it below the ingestion limit of the
   * destination, minus its other load.
   */
  readonly samplesPerSecond?: number;
  /** Average number of bytes written per second over the network, such as 10M. If unset, there is no limit. */
  readonly bytesPerSecond?: string;
  /**
   * Maximum number of concurrent write requests. With ordering Any fewer are sent if more would only wait in the
   * destination. Raise it if the destination is far away and neither side is busy; lower it to reduce the load on the
   * destination.
   */
  readonly inFlightWrites: number;
  /**
   * Maximum number of samples in one write request. Lower it if the destination limits the samples or bytes of a
   * request.
   */
  readonly samplesPerWrite: number;
}

/**
 * Whether source and destination are compared after the copy, sample by sample, and what happens if they differ. Can
 * be changed at any time.
 */
export interface VerificationSpec {
  /**
   * Full compares everything after it is copied; the migration succeeds only after the comparison. Setting it to Full
   * on a finished migration compares what was copied; to compare again, set it to Off, wait until the condition
   * Verified has the reason NotRequested, and set it to Full. "Off" needs quotes in YAML, where the bare word means
   * false. Full requires a destination that can be read: destination.progress.protocol RemoteRead or PromQL.
   */
  readonly mode: 'Off' | 'Full';
  /**
   * What happens if the destination lacks samples, has other values or has samples more than once. Fail ends the
   * migration as failed. Report ends it as succeeded, with the condition Verified False. Repair writes what is
   * missing, compares it again, and fails only if a difference remains.
   */
  readonly onDifference: 'Fail' | 'Report' | 'Repair';
  /**
   * Whether samples that only the destination has are counted. They never fail a verification, because another writer
   * may have written them. Ignore does not look for them; use it if other writers send the same series to the
   * destination.
   */
  readonly onExtra: 'Ignore' | 'Report';
  /**
   * How long a difference must remain before it counts. Until then, both sides are read again. Raise it if the
   * destination takes longer to show samples that it has accepted.
   */
  readonly settle: string;
}

/** One rule, with the meaning, the defaults and the RE2 syntax of Prometheus. */
export interface Relabeling {
  /** What the rule does, spelled as in prometheus.yml, in lower case. */
  readonly action:
    | 'replace'
    | 'keep'
    | 'drop'
    | 'keepequal'
    | 'dropequal'
    | 'hashmod'
    | 'labelmap'
    | 'labeldrop'
    | 'labelkeep'
    | 'lowercase'
    | 'uppercase';
  /** Labels whose values are joined with separator and matched against regex. A missing label has the empty value. */
  readonly sourceLabels?: readonly string[];
  /** Placed between the values of sourceLabels. */
  readonly separator: string;
  /** RE2 expression, anchored at both ends, for the joined values (labelmap, labeldrop and labelkeep: for label names). */
  readonly regex: string;
  /** Number of buckets for hashmod. */
  readonly modulus?: number;
  /**
   * Label that is written (replace, hashmod, lowercase, uppercase) or compared with (keepequal, dropequal). With
   * replace it may contain groups of regex such as ${1}.
   */
  readonly targetLabel?: string;
  /**
   * New value for replace, new label name for labelmap; $1 and ${name} are replaced by groups of regex. An empty
   * result removes the label.
   */
  readonly replacement: string;
}
