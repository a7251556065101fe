// The catalogue of codes that a RemoteError can carry: what each means and what cures it. Hints are made from the cures, and the
// documentation lists them. `spec.SIDE` stands for the endpoint's place in the manifest.

import type { Side } from '../endpoint.ts';

export interface AnswerCode {
  readonly meaning: string;
  readonly cure: string;
  /**
   * Whether a write request that failed like this may have been stored. `no`: it was never sent whole, or the server's own text says that it
   * stored none of it. `part`: the server's own text says that it refused some of it; Cortex, Mimir, Thanos and M3 keep the rest, Prometheus
   * keeps nothing. Any other failure is `unknown`: a proxy that restarts replaces the acknowledgement of a store that has committed by 500,
   * 503 or 408.
   */
  readonly arrival: 'no' | 'part' | 'unknown';
  /**
   * A refusal that looks like a wrong setting. Before the first good response of a side it is one; afterwards it is more often an ingress that
   * restarts, and is retried for some minutes (retrier.ts).
   */
  readonly afterGood?: 'retry';
  /** Whether a smaller request can succeed: always worth a try, or only when the same failure repeats. */
  readonly smaller?: 'always' | 'when-repeated';
}

const outOfOrderSettings =
  'Prometheus storage.tsdb.out_of_order_time_window, Mimir and Cortex out_of_order_time_window of the tenant, ' +
  'Thanos Receive --tsdb.out-of-order.time-window, M3 coldWritesEnabled of the namespace';
const policy = 'or let the migration go on without them: spec.rejectedSamples: Skip';

export const answerCodes = {
  // The destination refuses samples.
  'out-of-order': {
    arrival: 'part',
    meaning: 'the destination holds a newer sample of the series and takes none before it',
    cure: `widen the destination's out-of-order window (${outOfOrderSettings}) beyond the age of the oldest data, or migrate into a destination that nothing else writes to; ${policy}`,
  },
  'too-old': {
    arrival: 'part',
    meaning: "the sample is older than the destination's window or retention",
    cure: `widen the destination's out-of-order window (${outOfOrderSettings}) and its retention beyond the age of the oldest data, or let a Prometheus without such a window hold nothing newer (no scrape of itself) with destination.ordering: InOrder; ${policy}`,
  },
  'too-far-in-future': {
    arrival: 'part',
    meaning: "the sample is further in the future than the destination's clock allows",
    cure: `set spec.timeRange.end to the present or earlier, and compare the clocks of source and destination (Mimir and Cortex: creation_grace_period; M3: bufferFuture); ${policy}`,
  },
  'duplicate-timestamp': {
    arrival: 'part',
    meaning: 'the destination already holds another value of the series at that timestamp, and keeps it',
    cure: `find out who else writes these series to the destination (a second replica, an earlier migration of other data); ${policy}`,
  },
  'invalid-labels': {
    arrival: 'part',
    meaning: "the series' labels break a rule or a limit of the destination",
    cure: `raise the destination's label limits (Mimir and Cortex: max_label_names_per_series, max_length_label_name, max_length_label_value) or change the labels with spec.relabelings; ${policy}`,
  },
  'invalid-sample': {
    arrival: 'part',
    meaning: 'the destination holds the sample itself for invalid',
    cure: `see the answer for what is wrong with it (Mimir: max_native_histogram_buckets for histograms with too many buckets); ${policy}`,
  },
  'histograms-disabled': {
    arrival: 'part',
    meaning: 'the destination takes no native histograms',
    cure: `start a Prometheus before 3.9 with --enable-feature=native-histograms; Mimir: native_histograms_ingestion_enabled, Cortex: enable_native_histograms, Thanos Receive: --tsdb.enable-native-histograms; ${policy}`,
  },
  'histograms-out-of-order': {
    arrival: 'part',
    meaning: 'the destination takes native histograms in order only',
    cure: `use Prometheus 3.4 or newer, or start 3.0 to 3.3 with --enable-feature=ooo-native-histograms; Mimir: ooo_native_histograms_ingestion_enabled; ${policy}`,
  },
  'histograms-dropped': {
    arrival: 'part',
    meaning: 'the destination acknowledges native histograms and does not store them',
    cure: `switch native histograms on (Cortex: enable_native_histograms, Mimir: native_histograms_ingestion_enabled; Promscale has no place for them); ${policy}`,
  },
  'ha-tracker': {
    arrival: 'part',
    meaning: 'the destination answered 202: its HA tracker follows another replica, and drops the samples of this one',
    cure: `drop the replica label with spec.relabelings (Cortex and Mimir: __replica__, ha_replica_label); ${policy}`,
  },
  'accepted-only': {
    arrival: 'part',
    meaning: 'the destination answered 202, which says that it has the samples, not that it keeps them',
    cure: `look into the destination's log; if its HA tracker follows another replica, drop the replica label with spec.relabelings; ${policy}`,
  },
  'other-rejection': {
    arrival: 'part',
    meaning: 'the destination refused samples for a reason that is not known here',
    cure: `see the answer; ${policy}`,
  },

  // Too much at once.
  'request-too-large': {
    arrival: 'no',
    smaller: 'always',
    meaning: 'the request is larger than the server or a proxy before it takes',
    cure: 'smaller requests are sent by themselves; if even one series is too large, raise the limit (VictoriaMetrics -maxInsertRequestSize, Mimir and Cortex max_recv_msg_size, nginx client_max_body_size)',
  },
  'too-many-samples': {
    arrival: 'no',
    meaning: 'the query is over a limit of the source on samples or chunks',
    cure: 'shorter windows are requested automatically; if even one metric is too large, raise the limit (Prometheus --storage.remote.read-sample-limit, Mimir and Cortex max_fetched_chunks_per_query)',
  },
  'too-many-series': {
    arrival: 'no',
    meaning: 'the query is over a limit of the source on series',
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
    meaning: 'M3 cut its answer short (M3-Results-Limited)',
    cure: "metric names are requested in groups automatically; if even one metric is cut, raise the coordinator's limits (limits.perQuery.maxFetchedSeries) or set the header M3-Limit-Max-Series in spec.SIDE.headers",
  },

  // Somebody has to change something.
  unauthorized: {
    arrival: 'no',
    meaning: 'the server knows no such credentials (401)',
    cure: 'check spec.SIDE.basicAuth or spec.SIDE.authorization and the Secret that it refers to; Mimir, Cortex and Loki-like gateways also answer 401 when spec.SIDE.tenant is missing',
  },
  forbidden: {
    arrival: 'no',
    meaning: 'the credentials may not do this (403)',
    cure: 'give the account of spec.SIDE.basicAuth or spec.SIDE.authorization the right to read or write metrics, and check spec.SIDE.tenant',
  },
  'proxy-refused': {
    arrival: 'no',
    meaning: 'the proxy refused the tunnel or the credentials in its URL',
    cure: 'check spec.SIDE.proxyUrl, and that the proxy allows CONNECT to this host and port',
  },
  'receiver-disabled': {
    arrival: 'no',
    meaning: 'Prometheus runs without its remote-write receiver',
    cure: 'start Prometheus with --web.enable-remote-write-receiver (versions 2.25 to 2.32: --enable-feature=remote-write-receiver)',
  },
  'agent-mode': {
    arrival: 'no',
    meaning: 'a Prometheus in agent mode cannot be read',
    cure: 'let spec.SIDE.url point to the server that the agent writes to',
  },
  'database-not-found': {
    arrival: 'no',
    meaning: 'InfluxDB has no such database',
    cure: 'create it (CREATE DATABASE name) or correct ?db= in spec.SIDE.url',
  },
  'wrong-path': {
    arrival: 'unknown',
    afterGood: 'retry',
    meaning: 'the server has nothing at this path (404)',
    cure: 'correct the path in spec.SIDE.url',
  },
  'method-not-allowed': {
    arrival: 'unknown',
    afterGood: 'retry',
    meaning: 'the server takes no such request at this path (405, 501)',
    cure: 'correct the path in spec.SIDE.url: it seems to be that of a user interface or of another API',
  },
  redirected: {
    arrival: 'unknown',
    afterGood: 'retry',
    meaning: 'the server answered with a redirect, which is not followed because credentials would go along',
    cure: 'write the final address into spec.SIDE.url: often https:// instead of http://, a missing path prefix, or a login page in between',
  },
  'wrong-content-type': {
    arrival: 'unknown',
    afterGood: 'retry',
    meaning: 'the answer is not what this protocol answers: it looks like a user interface or a login page',
    cure: 'correct spec.SIDE.url, and the credentials if a single sign-on stands in front',
  },
  'compressed-answer': {
    arrival: 'unknown',
    afterGood: 'retry',
    meaning: 'something in between compressed the answer though it was asked not to',
    cure: 'turn compression off for this path in the proxy before the server',
  },
  'headers-too-large': {
    arrival: 'no',
    meaning:
      'the headers of the request are larger than the server, or a proxy before it, accepts (431, or 400 from nginx)',
    cure: 'shorten the credentials of spec.SIDE.basicAuth or spec.SIDE.authorization, or spec.SIDE.headers; or raise the limit of the server or proxy (nginx large_client_header_buffers)',
  },
  'https-expected': {
    arrival: 'no',
    afterGood: 'retry',
    meaning: 'the port speaks HTTPS and the URL says http://',
    cure: 'write https:// in spec.SIDE.url',
  },
  'series-limit': {
    arrival: 'part',
    meaning: "the destination's limit on the number of series is reached; no repetition helps",
    cure: 'raise it (Mimir: max_global_series_per_user and per_metric, Cortex: max_global_series_per_user, Thanos Receive: head_series_limit, InfluxDB: max-series-per-database and max-values-per-tag), or migrate fewer series: spec.selectors, spec.relabelings',
  },
  'bad-query': {
    arrival: 'no',
    meaning: 'the server holds the query for invalid',
    cure: 'check spec.selectors; if they are right, the server does not know the regular expression or the matcher',
  },
  'histograms-not-served': {
    arrival: 'no',
    meaning: 'thanos-remote-read fails at native histograms, and at chunks of an encoding newer than it',
    cure: 'leave the metrics with native histograms out with spec.selectors, or read them from another source (the Prometheus beside the Sidecar)',
  },
  'metric-name-required': {
    arrival: 'no',
    meaning: 'the server answers only queries that name a metric (Cortex chunks storage)',
    cure: 'give every selector of spec.selectors a metric name',
  },
  'influxdb-failed': {
    arrival: 'no',
    meaning: 'InfluxDB failed inside (500 Internal Server Error)',
    cure: 'let every selector of spec.selectors name one metric with =, or leave out its matchers that a series without the label passes (!=, !~, =""): InfluxDB fails at them when several metrics are asked for; otherwise look into the server\'s log',
  },
  'request-not-understood': {
    arrival: 'no',
    afterGood: 'retry',
    meaning: 'the server could not decode the request',
    cure: 'check that nothing between here and the server changes bodies or the Content-Encoding header, and that spec.SIDE.url speaks this protocol',
  },
  'unexpected-status': {
    arrival: 'unknown',
    afterGood: 'retry',
    meaning: 'an answer that this protocol does not know',
    cure: 'see the answer; check spec.SIDE.url',
  },

  // Another kind of message.
  'message-unsupported': {
    arrival: 'no',
    meaning: 'the server does not take this message type (415)',
    cure: 'check that spec.SIDE.url is a Prometheus remote endpoint and not, for example, an OTLP one',
  },
  'response-type-unsupported': {
    arrival: 'no',
    meaning: 'the server knows none of the response types that were asked for',
    cure: 'set spec.source.readMode: Samples',
  },
  'unframed-stream': {
    arrival: 'unknown',
    meaning: 'a streamed answer without length and without chunked encoding: a cut could not be told from the end',
    cure: 'let the proxy before the server speak HTTP/1.1 to both sides, or set spec.source.readMode: Samples',
  },
  'export-not-offered': {
    arrival: 'no',
    meaning: 'the server has no /api/v1/export (only VictoriaMetrics has)',
    cure: 'nothing to do: another way is taken',
  },

  // Worth another try.
  'rate-limited': {
    arrival: 'unknown',
    smaller: 'when-repeated',
    meaning: 'the server asks for fewer requests or samples a second (429)',
    cure: 'nothing to do: the request is repeated; spec.limits.samplesPerSecond and the ingestion limits of the destination set the pace',
  },
  'ingestion-limited': {
    arrival: 'no',
    smaller: 'when-repeated',
    meaning:
      "the destination's own limit on samples a second is reached (429), and its text says so: nothing of the request was stored",
    cure: 'nothing to do: the request is repeated, and made smaller when it is larger than the allowed burst; raise the limit (Cortex and Mimir: ingestion_rate, ingestion_burst_size) or set spec.limits.samplesPerSecond below it',
  },
  'request-timeout': {
    arrival: 'unknown',
    meaning: 'the server or a proxy gave up waiting (408, 499)',
    cure: 'nothing to do: the request is repeated',
  },
  'server-error': {
    arrival: 'unknown',
    meaning: 'the server failed (500 and other 5xx)',
    cure: "look into the server's log; the request is repeated",
  },
  'bad-gateway': {
    arrival: 'unknown',
    meaning: 'a proxy got no proper answer from the server (502)',
    cure: 'nothing to do: the request is repeated',
  },
  unavailable: {
    arrival: 'unknown',
    meaning: 'the server is not ready or overloaded (503)',
    cure: 'nothing to do: the request is repeated',
  },
  'gateway-timeout': {
    arrival: 'unknown',
    meaning: 'a proxy gave up waiting for the server (504)',
    cure: 'nothing to do: the request is repeated and shorter windows help; raise the time limit of the proxy if it lasts',
  },
  'partial-answer': {
    arrival: 'unknown',
    meaning: 'the answer says of itself that parts of the data were not reachable',
    cure: 'nothing to do: the request is repeated until all storage nodes are back',
  },
  'unknown-bad-request': {
    arrival: 'unknown',
    meaning: 'the source answered 400 without a known reason; Cortex does so for every failure',
    cure: 'see the answer; check spec.selectors and the limits of the source',
  },
  'bad-answer': {
    arrival: 'unknown',
    meaning: 'the answer cannot be parsed as what it says it is',
    cure: 'check spec.SIDE.url and what stands between here and the server',
  },

  // The network.
  'dns-not-found': {
    arrival: 'no',
    meaning: "the server's name cannot be resolved",
    cure: 'check the host name in spec.SIDE.url (in Kubernetes: service.namespace.svc)',
  },
  'connection-refused': {
    arrival: 'no',
    meaning: 'nothing listens at this address and port',
    cure: 'check host and port in spec.SIDE.url, and that the server runs',
  },
  'connection-reset': {
    arrival: 'unknown',
    meaning: 'the connection was closed before an answer came',
    cure: 'the request is repeated; if it lasts, look into the log of the server and of the proxies before it',
  },
  'connect-timeout': {
    arrival: 'no',
    meaning: 'no connection within spec.SIDE.timeouts.connect',
    cure: 'check that this address can be reached from here: firewall, network policy, VPN',
  },
  'send-timeout': {
    arrival: 'no',
    meaning: 'the server did not take the request in time',
    cure: 'raise spec.SIDE.timeouts.firstByte, or find out what holds the server up',
  },
  'first-byte-timeout': {
    arrival: 'unknown',
    meaning: 'no answer within spec.SIDE.timeouts.firstByte',
    cure: 'raise spec.SIDE.timeouts.firstByte, or set a smaller spec.window.max',
  },
  'silence-timeout': {
    arrival: 'unknown',
    meaning: 'the answer stopped for longer than spec.SIDE.timeouts.silence',
    cure: 'raise spec.SIDE.timeouts.silence, or set a smaller spec.window.max',
  },
  'too-slow': {
    arrival: 'unknown',
    meaning:
      'fewer than 256 bytes of the response arrived in a minute of waiting (or in spec.SIDE.timeouts.silence if that is longer)',
    cure: 'the request is repeated; if it lasts, find out what holds the server, or a proxy before it, up',
  },
  'cut-off': {
    arrival: 'unknown',
    meaning: 'the answer ended before its end',
    cure: 'the request is repeated; if it lasts, look into the log of the server and of the proxies before it for crashes and time limits',
  },
  unreachable: {
    arrival: 'no',
    meaning: 'there is no network route to the server',
    cure: 'check the address in spec.SIDE.url and the network in between',
  },
  'network-error': { arrival: 'unknown', meaning: 'another failure of the network', cure: 'see the message' },
  'proxy-unreachable': {
    arrival: 'no',
    meaning: 'the proxy answered that it cannot reach the server',
    cure: 'check spec.SIDE.proxyUrl and what the proxy can reach',
  },

  // TLS.
  'tls-untrusted': {
    arrival: 'no',
    afterGood: 'retry',
    meaning: "the server's certificate is not signed by a known authority, or is not valid now",
    cure: 'put the certificate of its authority into spec.SIDE.tls.ca, renew an expired certificate, and check the clock',
  },
  'tls-wrong-name': {
    arrival: 'no',
    afterGood: 'retry',
    meaning: "the server's certificate is for another name",
    cure: 'use a name of the certificate in spec.SIDE.url, or set spec.SIDE.tls.serverName to one',
  },
  'tls-client-certificate': {
    arrival: 'no',
    meaning: 'the server wants a client certificate, or does not accept the one that it got',
    cure: 'set spec.SIDE.tls.cert and spec.SIDE.tls.keySecret to a certificate signed by an authority that the server trusts',
  },
  'tls-bad-material': {
    arrival: 'no',
    meaning: 'the CA, the certificate or the key cannot be used',
    cure: 'check that spec.SIDE.tls.ca, cert and keySecret hold PEM texts, and that certificate and key belong together',
  },
  'tls-failed': {
    arrival: 'no',
    afterGood: 'retry',
    meaning: 'no agreement on TLS: other versions or ciphers, or the port does not speak TLS at all',
    cure: 'check https:// against http:// in spec.SIDE.url, spec.SIDE.tls.minVersion, and spec.SIDE.tls.cert if the server asks for a client certificate',
  },
  'not-http': {
    arrival: 'unknown',
    afterGood: 'retry',
    meaning: 'what answers there does not speak HTTP/1.1',
    cure: 'check the port in spec.SIDE.url: gRPC ports do not serve this protocol',
  },
  'client-failure': {
    arrival: 'no',
    meaning: 'the request could not be made',
    cure: 'check url, headers and proxyUrl of spec.SIDE for characters that HTTP does not allow',
  },

  aborted: { arrival: 'unknown', meaning: 'the request was given up by this process', cure: 'nothing to do' },
} as const satisfies Record<string, AnswerCode>;

export type RemoteCode = keyof typeof answerCodes;

/** Where a side's endpoint stands in the manifest. */
export function manifestPath(side: Side): string {
  return side === 'progress' ? 'spec.destination.progress' : `spec.${side}`;
}

/** The cure of a code in the words of one side. */
export function hintOf(code: RemoteCode, side: Side): string {
  return answerCodes[code].cure.replaceAll('spec.SIDE', manifestPath(side));
}
