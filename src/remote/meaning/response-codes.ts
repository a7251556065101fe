// The catalogue of the codes of a RemoteError: what each means and how to fix it. Hints and documentation are made from it. `spec.SIDE`
// stands for the endpoint's place in the manifest.

import type { Side } from './side.ts';

export interface ResponseCode {
  readonly meaning: string;
  readonly cure: string;
  /**
   * Whether a write request that failed with this code may have been stored. `no`: the request was not sent completely, or the server's
   * text says that it stored nothing. `part`: the server's text says that it rejected some samples; Cortex, Mimir, Thanos and M3 keep the
   * others, Prometheus keeps none. Any other failure is `unknown`: a restarting proxy can replace the acknowledgement of a store that has
   * committed with 500, 503 or 408.
   */
  readonly arrival: 'no' | 'part' | 'unknown';
  /**
   * A refusal that looks like a wrong setting. Before the first good response of a side it is one. Later it is more often an ingress that
   * restarts, and is retried for some minutes (retrier.ts).
   */
  readonly afterGood?: 'retry';
  /** Whether a smaller request can succeed: always worth a try, or only if the same failure repeats. */
  readonly smaller?: 'always' | 'when-repeated';
}

const OUT_OF_ORDER_SETTINGS =
  'Prometheus storage.tsdb.out_of_order_time_window, Mimir and Cortex out_of_order_time_window of the tenant, ' +
  'Thanos Receive --tsdb.out-of-order.time-window, M3 coldWritesEnabled of the namespace';
const POLICY = 'or continue without these samples: spec.rejectedSamples: Skip';

export const RESPONSE_CODES = {
  // The destination rejects samples.
  'out-of-order': {
    arrival: 'part',
    meaning: 'the destination has a newer sample of the series and rejects older ones',
    cure: `widen the destination's out-of-order window (${OUT_OF_ORDER_SETTINGS}) beyond the age of the oldest data, or migrate into a destination that nothing else writes to; ${POLICY}`,
  },
  'too-old': {
    arrival: 'part',
    meaning: "the sample is older than the destination's window or retention",
    cure: `widen the destination's out-of-order window (${OUT_OF_ORDER_SETTINGS}) and its retention beyond the age of the oldest data; a Prometheus without such a window needs destination.ordering: InOrder and must have no newer samples (it must not scrape itself); ${POLICY}`,
  },
  'too-far-in-future': {
    arrival: 'part',
    meaning: 'the sample is further in the future than the destination accepts',
    cure: `set spec.timeRange.end to the current time or earlier, and compare the clocks of source and destination (Mimir and Cortex: creation_grace_period; M3: bufferFuture); ${POLICY}`,
  },
  'duplicate-timestamp': {
    arrival: 'part',
    meaning: 'the destination already has a different value of the series at that timestamp, and keeps it',
    cure: `find out what else writes these series to the destination (a second replica, an earlier migration of other data); ${POLICY}`,
  },
  'invalid-labels': {
    arrival: 'part',
    meaning: "the series' labels violate a rule or exceed a limit of the destination",
    cure: `raise the destination's label limits (Mimir and Cortex: max_label_names_per_series, max_length_label_name, max_length_label_value) or change the labels with spec.relabelings; ${POLICY}`,
  },
  'invalid-sample': {
    arrival: 'part',
    meaning: 'the destination considers the sample itself invalid',
    cure: `see the response for the cause (Mimir: max_native_histogram_buckets for histograms with too many buckets); ${POLICY}`,
  },
  'histograms-disabled': {
    arrival: 'part',
    meaning: 'the destination does not accept native histograms',
    cure: `enable native histograms: Prometheus before 3.9: --enable-feature=native-histograms, Mimir: native_histograms_ingestion_enabled, Cortex: enable_native_histograms, Thanos Receive: --tsdb.enable-native-histograms; ${POLICY}`,
  },
  'histograms-out-of-order': {
    arrival: 'part',
    meaning: 'the destination accepts native histograms only in order',
    cure: `use Prometheus 3.4 or newer, or start 3.0 to 3.3 with --enable-feature=ooo-native-histograms; Mimir: ooo_native_histograms_ingestion_enabled; ${POLICY}`,
  },
  'histograms-dropped': {
    arrival: 'part',
    meaning: 'the destination acknowledges native histograms but does not store them',
    cure: `enable native histograms (Cortex: enable_native_histograms, Mimir: native_histograms_ingestion_enabled; Promscale cannot store them); ${POLICY}`,
  },
  'ha-tracker': {
    arrival: 'part',
    meaning: 'the destination returned 202: its HA tracker follows another replica and drops the samples of this one',
    cure: `drop the replica label with spec.relabelings (Cortex and Mimir: __replica__, ha_replica_label); ${POLICY}`,
  },
  'accepted-only': {
    arrival: 'part',
    meaning: 'the destination returned 202, which confirms that it received the samples, not that it stores them',
    cure: `check the destination's log; if its HA tracker follows another replica, drop the replica label with spec.relabelings; ${POLICY}`,
  },
  'other-rejection': {
    arrival: 'part',
    meaning: 'the destination rejected samples for a reason that prom-migrator does not recognize',
    cure: `see the response; ${POLICY}`,
  },

  // Too much at once.
  'request-too-large': {
    arrival: 'no',
    smaller: 'always',
    meaning: 'the request is larger than the server, or a proxy in front of it, accepts',
    cure: 'requests are made smaller automatically; if even one series is too large, raise the limit (VictoriaMetrics -maxInsertRequestSize, Mimir and Cortex max_recv_msg_size, nginx client_max_body_size)',
  },
  'too-many-samples': {
    arrival: 'no',
    meaning: 'the query exceeds a limit of the source on samples or chunks',
    cure: 'shorter windows are requested automatically; if even one metric is too large, raise the limit (Prometheus --storage.remote.read-sample-limit, Mimir and Cortex max_fetched_chunks_per_query)',
  },
  'too-many-series': {
    arrival: 'no',
    meaning: 'the query exceeds a limit of the source on series',
    cure: 'metric names are requested in groups automatically; if even one metric has too many series, raise the limit (Mimir and Cortex max_fetched_series_per_query, Thanos --store.grpc.series-limit, M3 limits.perQuery.maxFetchedSeries, InfluxDB max-select-series)',
  },
  'answer-too-large': {
    arrival: 'no',
    smaller: 'always',
    meaning: 'the query would return more than the server, or the limit of this process, allows',
    cure: 'shorter windows or fewer metric names are requested automatically; if even one metric is too large, raise the limit (Mimir and Cortex max_fetched_chunk_bytes_per_query, Cortex max_fetched_data_bytes_per_query) or spec.limits.memory',
  },
  'results-limited': {
    arrival: 'no',
    smaller: 'always',
    meaning: 'M3 truncated its response (M3-Results-Limited)',
    cure: "metric names are requested in groups automatically; if even one metric is truncated, raise the coordinator's limits (limits.perQuery.maxFetchedSeries) or set the header M3-Limit-Max-Series in spec.SIDE.headers",
  },

  // A configuration change is required.
  unauthorized: {
    arrival: 'no',
    meaning: 'the server requires valid credentials (401)',
    cure: 'check spec.SIDE.basicAuth or spec.SIDE.authorization and the Secret that it refers to; Mimir, Cortex and Loki-like gateways also return 401 when spec.SIDE.tenant is missing',
  },
  forbidden: {
    arrival: 'no',
    meaning: 'the credentials do not have permission for this request (403)',
    cure: 'allow the account of spec.SIDE.basicAuth or spec.SIDE.authorization to read or write metrics, and check spec.SIDE.tenant',
  },
  'proxy-refused': {
    arrival: 'no',
    meaning: 'the proxy rejected the tunnel or the credentials in its URL',
    cure: 'check spec.SIDE.proxyUrl, and that the proxy allows CONNECT to this host and port',
  },
  'receiver-disabled': {
    arrival: 'no',
    meaning: 'Prometheus runs without its remote-write receiver',
    cure: 'start Prometheus with --web.enable-remote-write-receiver (versions 2.25 to 2.32: --enable-feature=remote-write-receiver)',
  },
  'agent-mode': {
    arrival: 'no',
    meaning: 'Prometheus in agent mode cannot be queried',
    cure: 'point spec.SIDE.url to the server that the agent writes to',
  },
  'database-not-found': {
    arrival: 'no',
    meaning: 'InfluxDB does not have this database',
    cure: 'create it (CREATE DATABASE name) or correct ?db= in spec.SIDE.url',
  },
  'wrong-path': {
    arrival: 'unknown',
    afterGood: 'retry',
    meaning: 'the server has no endpoint at this path (404)',
    cure: 'correct the path in spec.SIDE.url',
  },
  'method-not-allowed': {
    arrival: 'unknown',
    afterGood: 'retry',
    meaning: 'the server does not accept this kind of request at this path (405, 501)',
    cure: 'correct the path in spec.SIDE.url: it looks like the path of a user interface or of another API',
  },
  redirected: {
    arrival: 'unknown',
    afterGood: 'retry',
    meaning: 'the server returned a redirect; it is not followed because the credentials would be sent along',
    cure: 'set spec.SIDE.url to the final address: often https:// instead of http://, a missing path prefix, or a login page in between',
  },
  'wrong-content-type': {
    arrival: 'unknown',
    afterGood: 'retry',
    meaning: 'the response does not belong to this protocol: it looks like a user interface or a login page',
    cure: 'correct spec.SIDE.url, and the credentials if the server is behind a single sign-on',
  },
  'compressed-answer': {
    arrival: 'unknown',
    afterGood: 'retry',
    meaning: 'a proxy compressed the response although compression was not requested',
    cure: 'turn off compression for this path in the proxy in front of the server',
  },
  'headers-too-large': {
    arrival: 'no',
    meaning:
      'the request headers are larger than the server, or a proxy in front of it, accepts (431, or 400 from nginx)',
    cure: 'shorten the credentials of spec.SIDE.basicAuth or spec.SIDE.authorization, or spec.SIDE.headers; or raise the limit of the server or proxy (nginx large_client_header_buffers)',
  },
  'https-expected': {
    arrival: 'no',
    afterGood: 'retry',
    meaning: 'the port expects HTTPS but the URL says http://',
    cure: 'use https:// in spec.SIDE.url',
  },
  'series-limit': {
    arrival: 'part',
    meaning: "the destination's limit on the number of series is reached; retrying does not help",
    cure: 'raise it (Mimir: max_global_series_per_user and per_metric, Cortex: max_global_series_per_user, Thanos Receive: head_series_limit, InfluxDB: max-series-per-database and max-values-per-tag), or migrate fewer series: spec.selectors, spec.relabelings',
  },
  'bad-query': {
    arrival: 'no',
    meaning: 'the server rejected the query as invalid',
    cure: 'check spec.selectors; if they are correct, the server does not support the regular expression or the matcher',
  },
  'histograms-not-served': {
    arrival: 'no',
    meaning: 'thanos-remote-read fails on native histograms, and on chunk encodings that are newer than it',
    cure: 'exclude the metrics with native histograms with spec.selectors, or read them from another source (the Prometheus next to the Sidecar)',
  },
  'metric-name-required': {
    arrival: 'no',
    meaning: 'the server accepts only queries that name a metric (Cortex chunks storage)',
    cure: 'add a metric name to every selector in spec.selectors',
  },
  'influxdb-failed': {
    arrival: 'no',
    meaning: 'InfluxDB failed with an internal error (500 Internal Server Error)',
    cure: 'make every selector in spec.selectors name one metric with =, or remove the matchers that also match series without the label (!=, !~, =""): InfluxDB fails on them when a query covers several metrics; otherwise check the server\'s log',
  },
  'request-not-understood': {
    arrival: 'no',
    afterGood: 'retry',
    meaning: 'the server could not decode the request',
    cure: 'check that nothing between prom-migrator and the server changes bodies or the Content-Encoding header, and that spec.SIDE.url supports this protocol',
  },
  'unexpected-status': {
    arrival: 'unknown',
    afterGood: 'retry',
    meaning: 'the server returned a status that this protocol does not define',
    cure: 'see the response; check spec.SIDE.url',
  },

  // Another kind of message is needed.
  'message-unsupported': {
    arrival: 'no',
    meaning: 'the server does not accept this message type (415)',
    cure: 'check that spec.SIDE.url is a Prometheus remote endpoint and not, for example, an OTLP one',
  },
  'response-type-unsupported': {
    arrival: 'no',
    meaning: 'the server supports none of the requested response types',
    cure: 'set spec.source.readMode: Samples',
  },
  'unframed-stream': {
    arrival: 'unknown',
    meaning:
      'the response is streamed without a length and without chunked encoding: a truncated response would look complete',
    cure: 'make the proxy in front of the server use HTTP/1.1 on both sides, or set spec.source.readMode: Samples',
  },
  'export-not-offered': {
    arrival: 'no',
    meaning: 'the server has no /api/v1/export (only VictoriaMetrics has it)',
    cure: 'no action needed: another API is used',
  },

  // Worth a retry.
  'rate-limited': {
    arrival: 'unknown',
    smaller: 'when-repeated',
    meaning: 'the server limits requests or samples per second (429)',
    cure: 'no action needed: the request is retried; spec.limits.samplesPerSecond and the ingestion limits of the destination set the speed',
  },
  'ingestion-limited': {
    arrival: 'no',
    smaller: 'when-repeated',
    meaning:
      "the destination's own limit on samples per second is reached (429), and its message says that nothing from the request was stored",
    cure: 'no action needed: the request is retried, in smaller parts if it is larger than the allowed burst; raise the limit (Cortex and Mimir: ingestion_rate, ingestion_burst_size) or set spec.limits.samplesPerSecond below it',
  },
  'request-timeout': {
    arrival: 'unknown',
    meaning: 'the server or a proxy timed out (408, 499)',
    cure: 'no action needed: the request is retried',
  },
  'server-error': {
    arrival: 'unknown',
    meaning: 'the server failed (500 and other 5xx)',
    cure: "check the server's log; the request is retried",
  },
  'bad-gateway': {
    arrival: 'unknown',
    meaning: 'a proxy got no valid response from the server (502)',
    cure: 'no action needed: the request is retried',
  },
  unavailable: {
    arrival: 'unknown',
    meaning: 'the server is not ready or overloaded (503)',
    cure: 'no action needed: the request is retried',
  },
  'gateway-timeout': {
    arrival: 'unknown',
    meaning: 'a proxy timed out waiting for the server (504)',
    cure: 'no action needed: the request is retried, and shorter windows help; if it persists, raise the timeout of the proxy',
  },
  'partial-answer': {
    arrival: 'unknown',
    meaning: 'the response states that parts of the data were unavailable',
    cure: 'no action needed: the request is retried until all storage nodes are available',
  },
  'unknown-bad-request': {
    arrival: 'unknown',
    meaning: 'the source returned 400 without a known reason; Cortex does so for every failure',
    cure: 'see the response; check spec.selectors and the limits of the source',
  },
  'bad-answer': {
    arrival: 'unknown',
    meaning: 'the response cannot be parsed in the format that it declares',
    cure: 'check spec.SIDE.url and the proxies between prom-migrator and the server',
  },

  // The network.
  'dns-not-found': {
    arrival: 'no',
    meaning: "the server's host name cannot be resolved",
    cure: 'check the host name in spec.SIDE.url (in Kubernetes: service.namespace.svc)',
  },
  'connection-refused': {
    arrival: 'no',
    meaning: 'nothing listens on this address and port',
    cure: 'check host and port in spec.SIDE.url, and that the server is running',
  },
  'connection-reset': {
    arrival: 'unknown',
    meaning: 'the connection was closed before a response arrived',
    cure: 'the request is retried; if it persists, check the logs of the server and of the proxies in front of it',
  },
  'connect-timeout': {
    arrival: 'no',
    meaning: 'no connection within spec.SIDE.timeouts.connect',
    cure: 'check that this address is reachable from here: firewall, network policy, VPN',
  },
  'send-timeout': {
    arrival: 'no',
    meaning: 'the server did not read the request in time',
    cure: 'raise spec.SIDE.timeouts.firstByte, or find out what slows the server down',
  },
  'first-byte-timeout': {
    arrival: 'unknown',
    meaning: 'no response within spec.SIDE.timeouts.firstByte',
    cure: 'raise spec.SIDE.timeouts.firstByte, or set a smaller spec.window.max',
  },
  'silence-timeout': {
    arrival: 'unknown',
    meaning: 'the response paused for longer than spec.SIDE.timeouts.silence',
    cure: 'raise spec.SIDE.timeouts.silence, or set a smaller spec.window.max',
  },
  'too-slow': {
    arrival: 'unknown',
    meaning:
      'fewer than 256 bytes of the response arrived in a minute of waiting (or in spec.SIDE.timeouts.silence if that is longer)',
    cure: 'the request is retried; if it persists, find out what slows down the server, or a proxy in front of it',
  },
  'cut-off': {
    arrival: 'unknown',
    meaning: 'the response was cut off before its end',
    cure: 'the request is retried; if it persists, check the logs of the server and of the proxies in front of it for crashes and timeouts',
  },
  unreachable: {
    arrival: 'no',
    meaning: 'there is no network route to the server',
    cure: 'check the address in spec.SIDE.url and the network in between',
  },
  'network-error': { arrival: 'unknown', meaning: 'another network failure', cure: 'see the message' },
  'proxy-unreachable': {
    arrival: 'no',
    meaning: 'the proxy reported that it cannot reach the server',
    cure: 'check spec.SIDE.proxyUrl and what the proxy can reach',
  },

  // TLS.
  'tls-untrusted': {
    arrival: 'no',
    afterGood: 'retry',
    meaning: "the server's certificate is not signed by a known authority, or is not currently valid",
    cure: 'set spec.SIDE.tls.ca to the certificate of its authority, renew an expired certificate, and check the clock',
  },
  'tls-wrong-name': {
    arrival: 'no',
    afterGood: 'retry',
    meaning: "the server's certificate is for a different name",
    cure: 'use a name from the certificate in spec.SIDE.url, or set spec.SIDE.tls.serverName to one',
  },
  'tls-client-certificate': {
    arrival: 'no',
    meaning: 'the server requires a client certificate, or does not accept the one that it received',
    cure: 'set spec.SIDE.tls.cert and spec.SIDE.tls.keySecret to a certificate signed by an authority that the server trusts',
  },
  'tls-bad-material': {
    arrival: 'no',
    meaning: 'the CA, the certificate or the key cannot be used',
    cure: 'check that spec.SIDE.tls.ca, cert and keySecret contain PEM data, and that the certificate matches the key',
  },
  'tls-failed': {
    arrival: 'no',
    afterGood: 'retry',
    meaning: 'the TLS handshake failed: no common version or cipher, or the port does not use TLS',
    cure: 'check https:// against http:// in spec.SIDE.url, spec.SIDE.tls.minVersion, and spec.SIDE.tls.cert if the server requires a client certificate',
  },
  'not-http': {
    arrival: 'unknown',
    afterGood: 'retry',
    meaning: 'the server at this port does not use HTTP/1.1',
    cure: 'check the port in spec.SIDE.url: gRPC ports do not serve this protocol',
  },
  'client-failure': {
    arrival: 'no',
    meaning: 'the request could not be sent',
    cure: 'check url, headers and proxyUrl of spec.SIDE for characters that HTTP does not allow',
  },

  aborted: { arrival: 'unknown', meaning: 'prom-migrator aborted the request', cure: 'no action needed' },
} as const satisfies Record<string, ResponseCode>;

export type RemoteCode = keyof typeof RESPONSE_CODES;

/** The place of a side's endpoint in the manifest. */
export function manifestPath(side: Side): string {
  return side === 'progress' ? 'spec.destination.progress' : `spec.${side}`;
}

/** The fix for a code, in the words of one side. */
export function hintOf(code: RemoteCode, side: Side): string {
  return RESPONSE_CODES[code].cure.replaceAll('spec.SIDE', manifestPath(side));
}
