// The source and the destination of the PromMigration resource. Generated from the CRD by `npm run docs`: edit crds/ instead.

import type {
  Authorization,
  AzureAd,
  BasicAuth,
  OAuth2,
  ProgressTimeouts,
  SigV4,
  Tenant,
  Timeouts,
  Tls,
} from './prom-migration-endpoint.ts';

/** Where samples are read from. */
export interface SourceSpec {
  /**
   * What the source is read with. RemoteRead keeps everything and is the fastest; Prometheus, Mimir, Cortex, InfluxDB,
   * M3 and Promscale have it. VictoriaMetrics reads the exports of a VictoriaMetrics, which has no remote_read, with
   * stale markers and the values as stored. PromQL reads range selectors from any query API; they do not show stale
   * markers. ThanosStore reads the StoreAPI of a Thanos Store Gateway, Sidecar, Receive or Query over gRPC and keeps
   * everything.
   */
  readonly protocol: 'RemoteRead' | 'VictoriaMetrics' | 'PromQL' | 'ThanosStore';
  /**
   * With RemoteRead, the remote_read URL, used as given, including path and query: http://prometheus:9090/api/v1/read,
   * http://mimir/prometheus/api/v1/read, http://influxdb:8086/api/v1/prom/read?db=prometheus. With ThanosStore,
   * grpc://host:port, or grpcs://host:port for TLS. Otherwise the base URL of the API: http://victoriametrics:8428,
   * http://vmselect:8481/select/0/prometheus, http://prometheus:9090.
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
   * and the migration stops with bad-response-too-large.
   */
  readonly maxFrameBytes: string;
  /**
   * Labels that distinguish the replicas of a series in Thanos, such as replica or prometheus_replica. They are left
   * out, and equal samples of replicas are copied once. Only with ThanosStore.
   */
  readonly replicaLabels?: readonly string[];
  /**
   * HTTP headers to send with every request, such as M3-Storage-Policy or AccountID. Do not put secrets here: everyone
   * with read access to the PromMigration can read them. Headers that prom-migrator sets itself are not allowed:
   * Authorization, Host, User-Agent, Content-*, X-Prometheus-* and the headers of the connection.
   */
  readonly headers?: Readonly<Record<string, string>>;
  /** Tenant of a multi-tenant store, sent as one header with every request. */
  readonly tenant?: Tenant;
  /**
   * User and password for HTTP basic authentication. Cannot be used together with authorization, oauth2, sigv4 or
   * azureAd.
   */
  readonly basicAuth?: BasicAuth;
  /**
   * An Authorization header of the form "<type> <credentials>", such as a bearer token. Cannot be used together with
   * basicAuth, oauth2, sigv4 or azureAd.
   */
  readonly authorization?: Authorization;
  /**
   * TLS settings for https:// connections. If unset, the server's certificate is verified against the public
   * certificate authorities.
   */
  readonly tls?: Tls;
  /**
   * OAuth 2.0 client credentials. An access token is requested from tokenUrl, sent as a bearer token, and renewed
   * before it expires. At most one of basicAuth, authorization, oauth2, sigv4 and azureAd can be set.
   */
  readonly oauth2?: OAuth2;
  /**
   * AWS Signature Version 4, for Amazon Managed Service for Prometheus. Without accessKey, the credentials of the
   * environment are used: AWS_ACCESS_KEY_ID, the web identity of the pod's service account, EKS Pod Identity. AWS
   * profiles are not supported. At most one of basicAuth, authorization, oauth2, sigv4 and azureAd can be set.
   */
  readonly sigv4?: SigV4;
  /**
   * A token of Microsoft Entra ID, for Azure Monitor managed service for Prometheus, renewed before it expires. At
   * most one of basicAuth, authorization, oauth2, sigv4 and azureAd can be set.
   */
  readonly azureAd?: AzureAd;
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
  /**
   * User and password for HTTP basic authentication. Cannot be used together with authorization, oauth2, sigv4 or
   * azureAd.
   */
  readonly basicAuth?: BasicAuth;
  /**
   * An Authorization header of the form "<type> <credentials>", such as a bearer token. Cannot be used together with
   * basicAuth, oauth2, sigv4 or azureAd.
   */
  readonly authorization?: Authorization;
  /**
   * TLS settings for https:// connections. If unset, the server's certificate is verified against the public
   * certificate authorities.
   */
  readonly tls?: Tls;
  /**
   * OAuth 2.0 client credentials. An access token is requested from tokenUrl, sent as a bearer token, and renewed
   * before it expires. At most one of basicAuth, authorization, oauth2, sigv4 and azureAd can be set.
   */
  readonly oauth2?: OAuth2;
  /**
   * AWS Signature Version 4, for Amazon Managed Service for Prometheus. Without accessKey, the credentials of the
   * environment are used: AWS_ACCESS_KEY_ID, the web identity of the pod's service account, EKS Pod Identity. AWS
   * profiles are not supported. At most one of basicAuth, authorization, oauth2, sigv4 and azureAd can be set.
   */
  readonly sigv4?: SigV4;
  /**
   * A token of Microsoft Entra ID, for Azure Monitor managed service for Prometheus, renewed before it expires. At
   * most one of basicAuth, authorization, oauth2, sigv4 and azureAd can be set.
   */
  readonly azureAd?: AzureAd;
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
   * http://vmselect:8481/select/0/prometheus. Required unless protocol has the value None.
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
   * User and password for HTTP basic authentication. Cannot be used together with authorization, oauth2, sigv4 or
   * azureAd. If none of them is set, the credentials of the destination are used. They are then sent to the host of
   * this URL.
   */
  readonly basicAuth?: BasicAuth;
  /**
   * An Authorization header of the form "<type> <credentials>", such as a bearer token. Cannot be used together with
   * basicAuth, oauth2, sigv4 or azureAd. If none of them is set, the credentials of the destination are used. They are
   * then sent to the host of this URL.
   */
  readonly authorization?: Authorization;
  /**
   * TLS settings for https:// connections. If unset, the server's certificate is verified against the public
   * certificate authorities. Defaults to the tls of the destination; if set, it replaces all of it.
   */
  readonly tls?: Tls;
  /**
   * OAuth 2.0 client credentials. An access token is requested from tokenUrl, sent as a bearer token, and renewed
   * before it expires. At most one of basicAuth, authorization, oauth2, sigv4 and azureAd can be set. If none of them
   * is set, the credentials of the destination are used. They are then sent to the host of this URL.
   */
  readonly oauth2?: OAuth2;
  /**
   * AWS Signature Version 4, for Amazon Managed Service for Prometheus. Without accessKey, the credentials of the
   * environment are used: AWS_ACCESS_KEY_ID, the web identity of the pod's service account, EKS Pod Identity. AWS
   * profiles are not supported. At most one of basicAuth, authorization, oauth2, sigv4 and azureAd can be set. If none
   * of them is set, the credentials of the destination are used. They are then sent to the host of this URL.
   */
  readonly sigv4?: SigV4;
  /**
   * A token of Microsoft Entra ID, for Azure Monitor managed service for Prometheus, renewed before it expires. At
   * most one of basicAuth, authorization, oauth2, sigv4 and azureAd can be set. If none of them is set, the
   * credentials of the destination are used. They are then sent to the host of this URL.
   */
  readonly azureAd?: AzureAd;
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
