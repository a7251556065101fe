// The PromMigration resource with its defaults filled in. Made from the CRD by `npm run docs`: change crds/ instead.

import type { Authorization, BasicAuth, ProgressTimeouts, Tenant, Timeouts, Tls } from './prom-migration-endpoint.ts';
import type { PromMigrationStatus } from './prom-migration-status.ts';

/** What of Kubernetes' object metadata is looked at here. */
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
  /** Who owns which fields; the operator keeps only the owners of the status. */
  readonly managedFields?: readonly { readonly manager?: string; readonly subresource?: string }[];
}

/**
 * PromMigration copies the samples of a time range from a Prometheus remote_read endpoint to a remote_write endpoint,
 * and goes on where it was when it is interrupted.
 */
export interface PromMigration {
  readonly apiVersion: 'prom-migrator.io/v1alpha1';
  readonly kind: 'PromMigration';
  readonly metadata: ObjectMeta;
  readonly spec: PromMigrationSpec;
  readonly status?: PromMigrationStatus;
}

/**
 * What to copy, from where, to where. What defines the copy (source, destination, selectors, time range, labels)
 * cannot be changed once the object exists; window, limits, suspend, deadlines, authentication and the like can.
 */
export interface PromMigrationSpec {
  /** Where samples are read: a Prometheus remote_read endpoint. */
  readonly source: SourceSpec;
  /** Where samples are written: a Prometheus remote_write endpoint. */
  readonly destination: DestinationSpec;
  /**
   * Which series are copied: PromQL series selectors such as up, {job=~"node|kube.*"} or
   * http_requests_total{code!~"2..",env="prod"}. A series that any of them matches is copied once. The default takes
   * all.
   */
  readonly selectors: readonly string[];
  /** Which samples are copied: those from start on and before end. */
  readonly timeRange: TimeRange;
  /**
   * How long the pieces of time are that the copy goes by. They adapt to what the source answers; these are the
   * bounds.
   */
  readonly window: WindowBounds;
  /** What the migration may use of this machine, of the source and of the destination. */
  readonly limits: Limits;
  /**
   * What happens when the destination refuses samples for good (out of order, too old, invalid). Fail stops there with
   * the reason, and nothing newer is written. Skip counts them by reason and goes on; the migration then ends with a
   * warning.
   */
  readonly rejectedSamples: 'Fail' | 'Skip';
  /**
   * Labels that are added to every series that does not have one of that name, before relabelings, as Prometheus does
   * on remote_write.
   */
  readonly externalLabels?: Readonly<Record<string, string>>;
  /**
   * Prometheus relabel rules for every series, in this order, on the way to the destination: to drop series, to drop
   * or rename labels. Series that become equal are merged.
   */
  readonly relabelings?: readonly Relabeling[];
  /**
   * Pauses the migration: the window under way is finished and no other begun. False goes on from there. For the
   * operator; run ignores it.
   */
  readonly suspend: boolean;
  /**
   * Seconds without a finished window after which the operator reports the migration as stalled (condition Progressing
   * is False). It keeps trying. run ignores it.
   */
  readonly progressDeadlineSeconds: number;
  /**
   * Seconds after its start at which the operator ends the migration as failed. If unset, there is no deadline.
   * Suspending stops the clock, and resuming starts it again from zero, as for a Job. run ignores it.
   */
  readonly activeDeadlineSeconds?: number;
  /**
   * Seconds after its end at which the operator deletes the PromMigration object; what was copied stays. Without it
   * the object stays. run ignores it.
   */
  readonly ttlSecondsAfterFinished?: number;
}

/** Where samples are read: a Prometheus remote_read endpoint. */
export interface SourceSpec {
  /**
   * The remote_read URL, used as it is, path and query included: http://prometheus:9090/api/v1/read,
   * http://mimir/prometheus/api/v1/read, http://influxdb:8086/api/v1/prom/read?db=prometheus.
   */
  readonly url: string;
  /**
   * Auto requests the streamed chunks of newer servers and takes plain samples where the server has nothing else.
   * Samples never requests chunks: for a server, or a proxy in front of it, whose streams are broken. Plain samples
   * turn -0 into 0 and, from some versions of Prometheus, leave out bounds of histogram buckets or whole histograms;
   * with Samples that is not counted.
   */
  readonly readMode: 'Auto' | 'Samples';
  /**
   * Largest single piece (frame) of a streamed answer that is accepted, in bytes. Raise it when a source is configured
   * with larger frames and the migration stops with "too-large".
   */
  readonly maxFrameBytes: string;
  /**
   * HTTP headers to send with every request, name to value, such as M3-Storage-Policy or AccountID. Not for secrets
   * (anyone who may read the PromMigration reads them) and not for the headers that prom-migrator sets itself:
   * Authorization, Host, User-Agent, Content-*, X-Prometheus-* and those that belong to the connection.
   */
  readonly headers?: Readonly<Record<string, string>>;
  /** Tenant of a multi-tenant store, sent as one header with every request. */
  readonly tenant?: Tenant;
  /** User and password for HTTP basic authentication. Excludes authorization. */
  readonly basicAuth?: BasicAuth;
  /** An Authorization header of the form "<type> <credentials>", such as a bearer token. Excludes basicAuth. */
  readonly authorization?: Authorization;
  /**
   * How an https:// connection is made. Without it the server's certificate is checked against the usual public
   * authorities.
   */
  readonly tls?: Tls;
  /** HTTP proxy that the connections go through, such as http://proxy:3128. Environment variables are not looked at. */
  readonly proxyUrl?: string;
  /**
   * How long to wait before a request is given up and tried again. There is no limit on the whole of a request, which
   * a big answer would pass.
   */
  readonly timeouts: Timeouts;
}

/** Where samples are written: a Prometheus remote_write endpoint. */
export interface DestinationSpec {
  /**
   * The remote_write URL, used as it is, path and query included: http://prometheus:9090/api/v1/write,
   * http://victoriametrics:8428/api/v1/write, http://mimir/api/v1/push.
   */
  readonly url: string;
  /**
   * InOrder writes one window after the other, for stores that refuse samples older than the newest ones (Prometheus,
   * Thanos, Mimir, Cortex without an out-of-order window). Any keeps several windows under way, which is faster, for
   * stores that take samples of any age (VictoriaMetrics, InfluxDB, a Prometheus whose out_of_order_time_window
   * reaches back to timeRange.start).
   */
  readonly ordering: 'InOrder' | 'Any';
  /**
   * How the migration finds out, when it starts again, how far it had come. Its marks are samples of the series
   * prom_migrator_progress in the destination.
   */
  readonly progress: DestinationProgress;
  /**
   * HTTP headers to send with every request, name to value, such as M3-Storage-Policy or AccountID. Not for secrets
   * (anyone who may read the PromMigration reads them) and not for the headers that prom-migrator sets itself:
   * Authorization, Host, User-Agent, Content-*, X-Prometheus-* and those that belong to the connection.
   */
  readonly headers?: Readonly<Record<string, string>>;
  /** Tenant of a multi-tenant store, sent as one header with every request. */
  readonly tenant?: Tenant;
  /** User and password for HTTP basic authentication. Excludes authorization. */
  readonly basicAuth?: BasicAuth;
  /** An Authorization header of the form "<type> <credentials>", such as a bearer token. Excludes basicAuth. */
  readonly authorization?: Authorization;
  /**
   * How an https:// connection is made. Without it the server's certificate is checked against the usual public
   * authorities.
   */
  readonly tls?: Tls;
  /** HTTP proxy that the connections go through, such as http://proxy:3128. Environment variables are not looked at. */
  readonly proxyUrl?: string;
  /**
   * How long to wait before a request is given up and tried again. There is no limit on the whole of a request, which
   * a big answer would pass.
   */
  readonly timeouts: Timeouts;
}

/**
 * How the migration finds out, when it starts again, how far it had come. Its marks are samples of the series
 * prom_migrator_progress in the destination.
 */
export interface DestinationProgress {
  /**
   * RemoteRead reads the marks back through the destination's remote_read URL (Prometheus, Mimir, Cortex, InfluxDB).
   * PromQL reads them through its query API (VictoriaMetrics, Thanos). None does not read them: a run without the
   * operator then begins at timeRange.start each time, and what is copied twice is not found out.
   */
  readonly protocol: 'RemoteRead' | 'PromQL' | 'None';
  /**
   * With RemoteRead the remote_read URL of the destination, such as http://prometheus:9090/api/v1/read. With PromQL
   * the base URL of its query API, to which /api/v1/query is added, such as http://victoriametrics:8428 or
   * http://vmselect:8481/select/0/prometheus. Required unless protocol is None.
   */
  readonly url?: string;
  /**
   * Further labels for the progress series, where migration, id and shard do not tell two migrations apart (two
   * clusters that write the same names into one store) or where the store wants them (cluster and __replica__ with
   * Mimir's or Cortex' HA tracker).
   */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * HTTP headers to send with every request, name to value, such as M3-Storage-Policy or AccountID. Not for secrets
   * (anyone who may read the PromMigration reads them) and not for the headers that prom-migrator sets itself:
   * Authorization, Host, User-Agent, Content-*, X-Prometheus-* and those that belong to the connection. Defaults to
   * the destination's; what is given replaces all of them.
   */
  readonly headers?: Readonly<Record<string, string>>;
  /** Tenant of a multi-tenant store, sent as one header with every request. Defaults to the destination's. */
  readonly tenant?: Tenant;
  /**
   * User and password for HTTP basic authentication. Excludes authorization. When neither basicAuth nor authorization
   * is given, the destination's is used: mind that it is then sent to this URL's host.
   */
  readonly basicAuth?: BasicAuth;
  /**
   * An Authorization header of the form "<type> <credentials>", such as a bearer token. Excludes basicAuth. When
   * neither basicAuth nor authorization is given, the destination's is used: mind that it is then sent to this URL's
   * host.
   */
  readonly authorization?: Authorization;
  /**
   * How an https:// connection is made. Without it the server's certificate is checked against the usual public
   * authorities. Defaults to the destination's; what is given replaces all of it.
   */
  readonly tls?: Tls;
  /**
   * HTTP proxy that the connections go through, such as http://proxy:3128. Environment variables are not looked at.
   * Defaults to the destination's.
   */
  readonly proxyUrl?: string;
  /**
   * How long to wait before a request is given up and tried again. There is no limit on the whole of a request, which
   * a big answer would pass. What is not given defaults to the destination's.
   */
  readonly timeouts?: ProgressTimeouts;
}

/** Which samples are copied: those from start on and before end. */
export interface TimeRange {
  /**
   * Time of the first sample (inclusive), RFC 3339 with at most milliseconds, such as 2024-01-31T00:00:00Z. A start
   * before the oldest sample costs little.
   */
  readonly start: string;
  /**
   * Time before which samples are copied (exclusive), RFC 3339 with at most milliseconds. When it is left out it
   * becomes the time of the first start minus lag and stays that.
   */
  readonly end?: string;
  /**
   * How far behind the present the end is put when end is left out, as a Prometheus duration. Raise it when samples
   * reach the source late.
   */
  readonly lag: string;
}

/** How long the pieces of time are that the copy goes by. They adapt to what the source answers; these are the bounds. */
export interface WindowBounds {
  /**
   * Shortest window. One that is still too big for the source, the memory or the destination is then split by metric
   * name.
   */
  readonly min: string;
  /**
   * Longest window while there are samples. Default 30m with ordering InOrder, which allows no more, and 2h with Any.
   * Lower it when the source suffers from long queries.
   */
  readonly max?: string;
  /**
   * Number of samples that a window should hold. Lower it to make the steps smaller, raise it (and limits.memory) for
   * fewer requests.
   */
  readonly targetSamples: number;
}

/** What the migration may use of this machine, of the source and of the destination. */
export interface Limits {
  /**
   * Bytes of samples that may be held between source and destination. The process needs about 150Mi more. Raise it
   * when windows are split because of memory.
   */
  readonly memory: string;
  /**
   * Samples written in a second, on average. Without it as fast as it goes. Set it below the ingestion limit of the
   * destination, less what it takes in otherwise.
   */
  readonly samplesPerSecond?: number;
  /** Bytes written in a second as they go over the network, on average, such as 10M. Without it as fast as it goes. */
  readonly bytesPerSecond?: string;
  /**
   * Write requests that are under way at once. Raise it when the destination is far away and neither side is busy,
   * lower it to go easy on the destination.
   */
  readonly inFlightWrites: number;
  /**
   * Largest number of samples in one write request. Lower it when the destination limits the samples or bytes of a
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
  /**
   * Labels whose values are joined with separator and matched against regex. A series without the label counts as
   * having the empty value.
   */
  readonly sourceLabels?: readonly string[];
  /** Stands between the values of sourceLabels. */
  readonly separator: string;
  /** RE2 expression, anchored at both ends, for the joined values (labelmap, labeldrop and labelkeep: for label names). */
  readonly regex: string;
  /** Number of buckets for hashmod. */
  readonly modulus?: number;
  /**
   * Label that is written (replace, hashmod, lowercase, uppercase) or compared with (keepequal, dropequal). With
   * replace it may hold groups of regex such as ${1}.
   */
  readonly targetLabel?: string;
  /**
   * New value for replace, new label name for labelmap; $1 and ${name} stand for groups of regex. An empty result
   * removes the label.
   */
  readonly replacement: string;
}
