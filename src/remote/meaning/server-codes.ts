// The codes for responses that a server or a proxy sends instead of doing what was requested: wrong settings, unsupported messages,
// temporary failures.

import type { ResponseCode } from './response-code.ts';

export const SERVER_CODES = {
  // A configuration change is required.
  unauthorized: {
    arrival: 'no',
    meaning: 'the server requires valid credentials (401)',
    cure: 'check the credentials (spec.SIDE.basicAuth, authorization, oauth2, sigv4 or azureAd) and the Secret that they refer to; Mimir, Cortex and the gateways in front of them also return 401 when spec.SIDE.tenant is missing',
  },
  forbidden: {
    arrival: 'no',
    meaning: 'the credentials do not have permission for this request (403)',
    cure: 'allow the account of the credentials (spec.SIDE.basicAuth, authorization, oauth2, sigv4 or azureAd) to read or write metrics, and check spec.SIDE.tenant',
  },
  'credentials-refused': {
    arrival: 'no',
    meaning:
      'no token or no temporary keys were issued: the token endpoint, Microsoft Entra ID, AWS STS or a metadata service rejects the client, or this pod has no identity',
    cure: 'check the message, and spec.SIDE.oauth2, spec.SIDE.sigv4 or spec.SIDE.azureAd and the Secret that it refers to',
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
  'compressed-response': {
    arrival: 'unknown',
    afterGood: 'retry',
    meaning: 'a proxy compressed the response although compression was not requested',
    cure: 'turn off compression for this path in the proxy in front of the server',
  },
  'headers-too-large': {
    arrival: 'no',
    meaning:
      'the request headers are larger than the server, or a proxy in front of it, accepts (431, or 400 from nginx)',
    cure: 'shorten the credentials (spec.SIDE.basicAuth, authorization, oauth2, sigv4 or azureAd) or spec.SIDE.headers; or raise the limit of the server or proxy (nginx large_client_header_buffers)',
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
  'source-without-export': {
    arrival: 'no',
    afterGood: 'retry',
    meaning: 'spec.source.protocol is VictoriaMetrics, and the server has no /api/v1/export',
    cure: 'set spec.source.url to the base URL of a VictoriaMetrics (http://victoriametrics:8428, http://vmselect:8481/select/0/prometheus), or set another spec.source.protocol',
  },
  'source-is-victoriametrics': {
    arrival: 'no',
    meaning:
      'spec.source.protocol is PromQL, and the server is a VictoriaMetrics, whose query API shows stale markers as ordinary NaN',
    cure: 'set spec.source.protocol: VictoriaMetrics',
  },
  'store-api-not-served': {
    arrival: 'no',
    afterGood: 'retry',
    meaning: 'the server has no StoreAPI (gRPC status UNIMPLEMENTED, or a response without a gRPC status)',
    cure: 'set spec.SIDE.url to the gRPC address of a Thanos Store Gateway, Sidecar, Receive or Query (--grpc-address, port 10901 by default); in a proxy in front of it, route gRPC and not only HTTP',
  },
  'export-not-offered': {
    arrival: 'no',
    meaning: 'the server has no /api/v1/export (only VictoriaMetrics has it)',
    cure: 'no action needed: another API is used',
  },

  // Worth a retry.
  'credentials-unavailable': {
    arrival: 'no',
    meaning:
      'the server that issues tokens or temporary keys does not respond or fails: the token endpoint, Microsoft Entra ID, AWS STS or a metadata service',
    cure: 'no action needed: the request is retried; if it persists, check that the server named in the message is reachable from here',
  },
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
    cure: 'no action needed: the request is retried; if it persists, set a smaller spec.window.max or raise the timeout of the proxy',
  },
  'partial-response': {
    arrival: 'unknown',
    mayLast: true,
    meaning:
      'the response states that parts of the data were unavailable: Thanos and M3 report it in warnings, VictoriaMetrics with isPartial',
    cure: 'bring back the part of the storage that the message names, or remove it from the configuration of the server at spec.SIDE.url; the request is retried until a response is complete, for half an hour',
  },
  'stores-missing': {
    arrival: 'unknown',
    mayLast: true,
    smaller: 'never',
    meaning:
      'what the Info API of a Thanos says shows that its response may lack samples: a Query has no stores, or it no longer covers a range that it covered since the run began. Such a response looks complete, so it is not used',
    cure: 'bring back the store that covers the range in the message, and run Query with --endpoint-strict for each store; or set spec.SIDE.url to a Store Gateway. The request is retried for half an hour; if the data was removed on purpose, the next run begins with what is there then',
  },
  'unknown-bad-request': {
    arrival: 'unknown',
    meaning: 'the source returned 400 without a known reason; Cortex does so for every failure',
    cure: 'see the response; check spec.selectors and the limits of the source',
  },
  'bad-response': {
    arrival: 'unknown',
    meaning: 'the response cannot be parsed in the format that it declares',
    cure: 'check spec.SIDE.url and the proxies between prom-migrator and the server',
  },
} as const satisfies Record<string, ResponseCode>;
