// The PromMigration resource with its defaults filled in. Generated from the CRD by `npm run docs`: edit crds/ instead.

import type { Authorization, BasicAuth, ProgressTimeouts, Tenant, Timeouts, Tls } from './prom-migration-endpoint.ts';
import type { PromMigrationStatus } from './prom-migration-status.ts';

/** The fields of Kubernetes object metadata that are used here. */
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
  /** Owners of fields; the operator keeps only the owners of the status. */
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
 * labels) are immutable. Window, limits, suspend, deadlines, authentication and similar fields can be changed.
 */
export interface PromMigrationSpec {
  /** The Prometheus remote_read endpoint that samples are read from. */
  readonly source: SourceSpec;
  /** The Prometheus remote_write endpoint that samples are written to. */
  readonly destination: DestinationSpec;
  /**
   * Which series are copied: PromQL series selectors such as up, {job=~"node|kube.*"} or
   * http_requests_total{code!~"2..",env="prod"}. A series that matches at least one selector is copied once. The
   * default selects all series.
   */
  readonly selectors: readonly string[];
  /** Which samples are copied: from start (inclusive) to end (exclusive). */
  readonly timeRange: TimeRange;
  /** Bounds on the length of a copy window. The actual length adapts to the source. */
  readonly window: WindowBounds;
  /** Limits on the use of this machine, the source and the destination. */
  readonly limits: Limits;
  /**
   * What happens if the destination permanently rejects samples (out of order, too old, invalid). Fail stops with the
   * reason and writes nothing newer. Skip counts them by reason and continues; the migration then ends with a warning.
   */
  readonly rejectedSamples: 'Fail' | 'Skip';
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
   * Seconds without a finished window after which the operator reports the migration as stalled (condition Progressing
   * is False). It keeps trying. run ignores it.
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

/** The Prometheus remote_read endpoint that samples are read from. */
export interface SourceSpec {
  /**
   * The remote_read URL, used as given, including path and query: http://prometheus:9090/api/v1/read,
   * http://mimir/prometheus/api/v1/read, http://influxdb:8086/api/v1/prom/read?db=prometheus.
   */
  readonly url: string;
  /**
   * Auto requests the streamed chunks of newer servers and accepts plain samples if the server supports nothing else.
   * Samples never requests chunks; use it if the streams of the server, or of a proxy in front of it, are broken.
   * Plain samples turn -0 into 0, and some versions of Prometheus omit bounds of histogram buckets or whole histograms
   * from them. With Samples, these changes are not counted.
   */
  readonly readMode: 'Auto' | 'Samples';
  /**
   * Largest accepted frame of a streamed response, in bytes. Raise it if the source is configured with larger frames
   * and the migration stops with bad-answer-too-large.
   */
  readonly maxFrameBytes: string;
  /**
   * HTTP headers to send with every request, such as M3-Storage-Policy or AccountID. Do not put secrets here: everyone
   * with read access to the PromMigration can read them. Headers that prom-migrator sets itself are not allowed:
   * Authorization, Host, User-Agent, Content-*, X-Prometheus-* and the headers of the connection.
   */
  readonly headers?: Readonly<Record<string, string>>;
  /** Tenant of a multi-tenant store, sent as one header with every request. */
  readonly tenant?: Tenant;
  /** User and password for HTTP basic authentication. Cannot be used together with authorization. */
  readonly basicAuth?: BasicAuth;
  /**
   * An Authorization header of the form "<type> <credentials>", such as a bearer token. Cannot be used together with
   * basicAuth.
   */
  readonly authorization?: Authorization;
  /**
   * TLS settings for https:// connections. If unset, the server's certificate is verified against the public
   * certificate authorities.
   */
  readonly tls?: Tls;
  /** HTTP proxy for the connections, such as http://proxy:3128. Proxy environment variables are ignored. */
  readonly proxyUrl?: string;
  /**
   * How long to wait before a request is aborted and retried. There is no limit on the total duration of a request,
   * because a large response can take long.
   */
  readonly timeouts: Timeouts;
}

/** The Prometheus remote_write endpoint that samples are written to. */
export interface DestinationSpec {
  /**
   * The remote_write URL, used as given, including path and query: http://prometheus:9090/api/v1/write,
   * http://victoriametrics:8428/api/v1/write, http://mimir/api/v1/push.
   */
  readonly url: string;
  /**
   * InOrder writes one window after the other, for stores that reject samples older than the newest ones (Prometheus,
   * Thanos, Mimir, Cortex without an out-of-order window). Any writes several windows at once, which is faster, for
   * stores that accept samples of any age (VictoriaMetrics, InfluxDB, a Prometheus whose out_of_order_time_window
   * reaches back to timeRange.start).
   */
  readonly ordering: 'InOrder' | 'Any';
  /**
   * How the migration finds its resume point. Progress marks are samples of the series prom_migrator_progress in the
   * destination.
   */
  readonly progress: DestinationProgress;
  /**
   * HTTP headers to send with every request, such as M3-Storage-Policy or AccountID. Do not put secrets here: everyone
   * with read access to the PromMigration can read them. Headers that prom-migrator sets itself are not allowed:
   * Authorization, Host, User-Agent, Content-*, X-Prometheus-* and the headers of the connection.
   */
  readonly headers?: Readonly<Record<string, string>>;
  /** Tenant of a multi-tenant store, sent as one header with every request. */
  readonly tenant?: Tenant;
  /** User and password for HTTP basic authentication. Cannot be used together with authorization. */
  readonly basicAuth?: BasicAuth;
  /**
   * An Authorization header of the form "<type> <credentials>", such as a bearer token. Cannot be used together with
   * basicAuth.
   */
  readonly authorization?: Authorization;
  /**
   * TLS settings for https:// connections. If unset, the server's certificate is verified against the public
   * certificate authorities.
   */
  readonly tls?: Tls;
  /** HTTP proxy for the connections, such as http://proxy:3128. Proxy environment variables are ignored. */
  readonly proxyUrl?: string;
  /**
   * How long to wait before a request is aborted and retried. There is no limit on the total duration of a request,
   * because a large response can take long.
   */
  readonly timeouts: Timeouts;
}

/**
 * How the migration finds its resume point. Progress marks are samples of the series prom_migrator_progress in the
 * destination.
 */
export interface DestinationProgress {
  /**
   * RemoteRead reads the marks back from the destination's remote_read URL (Prometheus, Mimir, Cortex, InfluxDB).
   * PromQL reads them from its query API (VictoriaMetrics, Thanos). None does not read them; every run without the
   * operator then starts at timeRange.start, and samples that are copied twice are not detected.
   */
  readonly protocol: 'RemoteRead' | 'PromQL' | 'None';
  /**
   * With RemoteRead, the remote_read URL of the destination, such as http://prometheus:9090/api/v1/read. With PromQL,
   * the base URL of its query API, to which /api/v1/query is appended, such as http://victoriametrics:8428 or
   * http://vmselect:8481/select/0/prometheus. Required unless protocol is None.
   */
  readonly url?: string;
  /**
   * Additional labels of the progress series. Set them if migration, id and shard do not distinguish two migrations
   * (two clusters that write the same names into one store), or if the store requires them (cluster and __replica__
   * with the HA tracker of Mimir or Cortex).
   */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * HTTP headers to send with every request, such as M3-Storage-Policy or AccountID. Do not put secrets here: everyone
   * with read access to the PromMigration can read them. Headers that prom-migrator sets itself are not allowed:
   * Authorization, Host, User-Agent, Content-*, X-Prometheus-* and the headers of the connection. Defaults to the
   * headers of the destination; if set, it replaces all of them.
   */
  readonly headers?: Readonly<Record<string, string>>;
  /** Tenant of a multi-tenant store, sent as one header with every request. Defaults to that of the destination. */
  readonly tenant?: Tenant;
  /**
   * User and password for HTTP basic authentication. Cannot be used together with authorization. If neither basicAuth
   * nor authorization is set, the credentials of the destination are used. They are then sent to the host of this URL.
   */
  readonly basicAuth?: BasicAuth;
  /**
   * An Authorization header of the form "<type> <credentials>", such as a bearer token. Cannot be used together with
   * basicAuth. If neither basicAuth nor authorization is set, the credentials of the destination are used. They are
   * then sent to the host of this URL.
   */
  readonly authorization?: Authorization;
  /**
   * TLS settings for https:// connections. If unset, the server's certificate is verified against the public
   * certificate authorities. Defaults to the tls of the destination; if set, it replaces all of it.
   */
  readonly tls?: Tls;
  /**
   * HTTP proxy for the connections, such as http://proxy:3128. Proxy environment variables are ignored. Defaults to
   * that of the destination.
   */
  readonly proxyUrl?: string;
  /**
   * How long to wait before a request is aborted and retried. There is no limit on the total duration of a request,
   * because a large response can take long. Each unset field defaults to that of the destination.
   */
  readonly timeouts?: ProgressTimeouts;
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
   * How far the end lies before the current time if end is unset, as a Prometheus duration. Raise it if samples reach
   * the source late.
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
   * Longest window that contains samples. Default 30m with ordering InOrder, which allows no more, and 2h with Any.
   * Lower it if long queries overload the source.
   */
  readonly max?: string;
  /** Target number of samples in a window. Lower it for smaller steps; raise it (and limits.memory) for fewer requests. */
  readonly targetSamples: number;
}

/** Limits on the use of this machine, the source and the destination. */
export interface Limits {
  /**
   * Memory for samples between source and destination, in bytes. The process needs about 150Mi more. Raise it if
   * windows are split because of memory.
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
   * Number of concurrent write requests. Raise it if the destination is far away and neither side is busy; lower it to
   * reduce the load on the destination.
   */
  readonly inFlightWrites: number;
  /**
   * Maximum number of samples in one write request. Lower it if the destination limits the samples or bytes of a
   * request.
   */
  readonly samplesPerWrite: number;
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
