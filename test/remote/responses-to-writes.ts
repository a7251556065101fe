// What receivers answer to a write, and what it means: the rows of classify-response.test.ts.

export type Row = readonly [from: string, status: number, text: string, expected: string];

export const written: readonly Row[] = [
  ['Prometheus', 200, '', 'done'],
  ['Prometheus, VictoriaMetrics, InfluxDB', 204, '', 'done'],
  ['Mimir, HA tracker', 202, 'ha: did not accept sample', 'done ha-tracker'],
  ['Cortex, HA tracker', 202, 'replicas did not match, rejecting sample: replica=r2, elected=r1', 'done ha-tracker'],
  [
    'Promscale without a tenant',
    400,
    'authorization error for tenant : unauthorized or invalid tenant',
    'refused unauthorized',
  ],
  ['a gateway that writes later', 202, '', 'done accepted-only'],

  // Rate limits: the limiter's own text proves that nothing was stored, a bare 429 proves nothing.
  [
    'Cortex',
    429,
    'ingestion rate limit (25000) exceeded while adding 5999 samples and 0 metadata',
    'transient ingestion-limited',
  ],
  [
    'Mimir',
    429,
    'the request has been rejected because the tenant exceeded the ingestion rate limit, set to 10000 items/s with a maximum allowed burst of 200000 (err-mimir-tenant-max-ingestion-rate)',
    'transient ingestion-limited',
  ],
  ['nginx', 429, '<html><head><title>429 Too Many Requests</title></head></html>', 'transient rate-limited'],

  // A page comes from a proxy, not from a store.
  [
    'nginx',
    400,
    '<html><head><title>400 Bad Request</title></head><body>nginx</body></html>',
    'refused unexpected-status',
  ],

  // Duplicates.
  ['Prometheus', 400, 'duplicate sample for timestamp', 'rejected duplicate-timestamp duplicate_timestamp'],
  [
    'Prometheus 3',
    400,
    'duplicate sample for timestamp 1700000000000; overrides not allowed: existing 1, new value 2',
    'rejected duplicate-timestamp duplicate_timestamp',
  ],
  [
    'Cortex chunks',
    400,
    'user=1: sample with repeated timestamp but different value; last value: 1, incoming value: 2',
    'rejected duplicate-timestamp duplicate_timestamp',
  ],
  [
    'Mimir',
    400,
    'send data to ingesters: failed pushing to ingester: user=1: the sample has been rejected because another sample with the same timestamp, but a different value, has already been ingested (err-mimir-sample-duplicate-timestamp). The affected sample has timestamp 2023-01-01T00:00:00Z and is from series up',
    'rejected duplicate-timestamp duplicate_timestamp',
  ],
  [
    'Thanos Receive',
    409,
    'store locally for endpoint : add 1 samples: duplicate sample for timestamp',
    'rejected duplicate-timestamp duplicate_timestamp',
  ],
  ['a gateway', 422, 'duplicate sample for timestamp', 'rejected duplicate-timestamp duplicate_timestamp'],

  // Out of order.
  ['Prometheus', 400, 'out of order sample\n', 'rejected out-of-order out_of_order'],
  [
    'Cortex chunks',
    400,
    'sample timestamp out of order; last timestamp: 1.2, incoming timestamp: 1.1 for series {}',
    'rejected out-of-order out_of_order',
  ],
  [
    'Cortex blocks',
    400,
    'user=1: err: out of order sample. timestamp=2023-01-01T00:00:00Z, series={__name__="up"}',
    'rejected out-of-order out_of_order',
  ],
  [
    'Mimir',
    400,
    'the sample has been rejected because another sample with a more recent timestamp has already been ingested and out-of-order samples are not allowed (err-mimir-sample-out-of-order)',
    'rejected out-of-order out_of_order',
  ],
  [
    'Thanos Receive',
    409,
    'store locally for endpoint : add 12 samples: out of order sample',
    'rejected out-of-order out_of_order',
  ],
  [
    'Prometheus 3.0 to 3.3',
    500,
    'out-of-order native histogram ingestion is disabled',
    'rejected histograms-out-of-order out_of_order',
  ],

  // Too old.
  ['Prometheus', 400, 'out of bounds', 'rejected too-old too_old'],
  ['Prometheus 2.50 and newer', 400, 'too old sample', 'rejected too-old too_old'],
  ['Prometheus before 2.50', 500, 'too old sample\n', 'rejected too-old too_old'],
  [
    'Cortex',
    400,
    'user=1: err: out of bounds. timestamp=2020-01-01T00:00:00Z, series={__name__="up"}',
    'rejected too-old too_old',
  ],
  ['Cortex', 400, 'timestamp too old: 1600000000 metric: "up"', 'rejected too-old too_old'],
  [
    'Mimir',
    400,
    'the sample has been rejected because its timestamp is too old (err-mimir-sample-timestamp-too-old). The affected sample has timestamp x and is from series up, out-of-order window 1h',
    'rejected too-old too_old',
  ],
  [
    'Mimir',
    400,
    'received a sample whose timestamp is too far in the past, timestamp: 1 series: up (err-mimir-too-far-in-past)',
    'rejected too-old too_old',
  ],
  ['Thanos Receive', 409, 'add 3 samples: out of bounds', 'rejected too-old too_old'],
  [
    'M3',
    400,
    '{"status":"error","error":"bad_request_errors: count=3, last=datapoint too far in past: off_by=1h, timestamp=x"}',
    'rejected too-old too_old',
  ],
  ['InfluxDB', 400, '{"error":"partial write: points beyond retention policy dropped=7"}', 'rejected too-old too_old'],

  // The future, which Prometheus calls out of bounds too.
  [
    'Prometheus 2.54 and newer',
    400,
    'out of bounds (timestamp is too far in the future)',
    'rejected too-far-in-future too_far_in_future',
  ],
  [
    'Prometheus',
    400,
    'timestamp is too far in the future: out of bounds',
    'rejected too-far-in-future too_far_in_future',
  ],
  ['Cortex', 400, 'timestamp too new: 1900000000 metric: "up"', 'rejected too-far-in-future too_far_in_future'],
  [
    'Mimir',
    400,
    'received a sample whose timestamp is too far in the future, timestamp: 1 series: up (err-mimir-too-far-in-future). To adjust',
    'rejected too-far-in-future too_far_in_future',
  ],
  [
    'M3',
    400,
    'bad_request_errors: count=1, last=datapoint too far in future: off_by=1h',
    'rejected too-far-in-future too_far_in_future',
  ],

  // Labels.
  ['Cortex', 400, 'label name too long: "x" metric "up"', 'rejected invalid-labels invalid_labels'],
  [
    'Cortex',
    400,
    'series has too many labels (actual: 31, limit: 30) series: up',
    'rejected invalid-labels invalid_labels',
  ],
  [
    'Mimir',
    400,
    "received a series whose label value length exceeds the limit, label: 'a' (err-mimir-label-value-too-long)",
    'rejected invalid-labels invalid_labels',
  ],
  [
    'Mimir',
    400,
    'received a series whose number of labels exceeds the limit (err-mimir-max-label-names-per-series)',
    'rejected invalid-labels invalid_labels',
  ],
  [
    'Mimir',
    400,
    'received a series with an invalid metric name: (err-mimir-metric-name-invalid)',
    'rejected invalid-labels invalid_labels',
  ],
  [
    'Mimir',
    400,
    'received series has no metric name (err-mimir-missing-metric-name)',
    'rejected invalid-labels invalid_labels',
  ],
  ['Thanos Receive', 409, 'external labels conflict', 'rejected invalid-labels invalid_labels'],
  ['M3', 400, 'bad_request_errors: count=1, last=too many tags', 'rejected invalid-labels invalid_labels'],

  // Samples.
  ['Prometheus', 500, 'native histograms are disabled\n', 'rejected histograms-disabled histograms_disabled'],
  ['Prometheus', 400, 'native histograms are disabled\n', 'rejected histograms-disabled histograms_disabled'],
  [
    'Prometheus 3.7 and newer',
    400,
    "3 observations found in buckets, but the Count field is 4: histogram's observation count should equal the number of observations found in the buckets (in absence of NaN)",
    'rejected invalid-sample invalid_sample',
  ],
  [
    'Prometheus before 3.7',
    500,
    'positive side: span number 2 with offset -1: histogram has a span whose offset is negative',
    'rejected invalid-sample invalid_sample',
  ],
  [
    'Mimir',
    400,
    'received a native histogram sample with too many buckets (err-mimir-max-native-histogram-buckets)',
    'rejected invalid-sample invalid_sample',
  ],
  [
    'InfluxDB',
    400,
    '{"error":"partial write: field type conflict: input field \\"value\\" is type float, already exists as type integer dropped=1"}',
    'rejected invalid-sample invalid_sample',
  ],

  // A 400 of no known reason is bisected down to its sample.
  ['AMP, which may say nothing', 400, '', 'rejected other-rejection other'],
  ['anything', 400, 'something else', 'rejected other-rejection other'],
  ['anything', 409, 'conflict', 'rejected other-rejection other'],

  // Credentials and paths.
  ['anything', 401, 'no org id', 'refused unauthorized'],
  ['anything', 403, 'out of bounds', 'refused forbidden'],
  ['a proxy', 407, '', 'refused proxy-refused'],
  [
    'Prometheus',
    404,
    'remote write receiver needs to be enabled with --web.enable-remote-write-receiver',
    'refused receiver-disabled',
  ],
  [
    'Prometheus 2.25 to 2.32',
    404,
    'remote write receiver needs to be enabled with --enable-feature=remote-write-receiver',
    'refused receiver-disabled',
  ],
  ['Prometheus 2.24', 404, '404 page not found', 'refused wrong-path'],
  ['InfluxDB', 404, '{"error":"database not found: \\"metrics\\""}', 'refused database-not-found'],
  ['a user interface', 405, 'Method Not Allowed', 'refused method-not-allowed'],
  ['a file server', 501, 'Unsupported method', 'refused method-not-allowed'],
  ['nginx', 400, '<html><title>400 The plain HTTP request was sent to HTTPS port</title>', 'refused https-expected'],
  ['Go', 400, 'Client sent an HTTP request to an HTTPS server.\n', 'refused https-expected'],
  ['anything', 418, '', 'refused unexpected-status'],

  // Too large.
  ['anything', 413, '', 'too-large request-too-large'],
  ['InfluxDB', 413, '{"error":"Request Entity Too Large"}', 'too-large request-too-large'],
  [
    'VictoriaMetrics',
    400,
    'error in "/api/v1/write": too big packed request; mustn\'t exceed `-maxInsertRequestSize=33554432` bytes',
    'too-large request-too-large',
  ],
  [
    'VictoriaMetrics',
    400,
    "too big unpacked request; mustn't exceed `-maxInsertRequestSize=33554432` bytes; got 40000000 bytes",
    'too-large request-too-large',
  ],
  ['Go, snappy', 400, 'snappy: decoded block is too large', 'too-large request-too-large'],
  [
    'Mimir',
    413,
    'its message size of 37 bytes is larger than the allowed limit of 30 bytes (err-mimir-distributor-max-write-message-size)',
    'too-large request-too-large',
  ],
  [
    'Mimir, older',
    400,
    'its message size is larger than the allowed limit (err-mimir-distributor-max-write-message-size)',
    'too-large request-too-large',
  ],
  ['Cortex', 400, 'received message larger than max (110000000 vs 104857600)', 'too-large request-too-large'],
  [
    'a gRPC hop',
    500,
    'rpc error: code = ResourceExhausted desc = grpc: received message larger than max (5 vs 4)',
    'too-large request-too-large',
  ],
  ['a Kafka hop', 500, 'message too large', 'too-large request-too-large'],
  ['Prometheus 3.8', 400, 'snappy: decoded size 40000000 exceeds limit 33554432', 'too-large request-too-large'],

  // Message types.
  ['anything', 415, 'expected application/x-protobuf', 'unsupported message-unsupported'],
  ['a receiver of 2.0 only', 400, 'unsupported remote write version', 'unsupported message-unsupported'],
  ['Prometheus', 400, 'snappy: corrupt input', 'refused request-not-understood'],
  ['Prometheus', 400, 'proto: illegal wireType 7', 'refused request-not-understood'],

  // Limits on series: a retry loop would never end.
  [
    'Mimir',
    400,
    'per-user series limit of 150000 exceeded (err-mimir-max-series-per-user). To adjust the related per-tenant limit',
    'refused series-limit',
  ],
  [
    'Cortex',
    400,
    'per-user series limit of 5000000 exceeded, please contact administrator to raise it',
    'refused series-limit',
  ],
  [
    'Cortex, older',
    429,
    'per-user series limit (local limit: 0 global limit: 1 actual local limit: 1) exceeded',
    'refused series-limit',
  ],
  ['Cortex', 400, 'per-metric series limit of 50000 exceeded', 'refused series-limit'],
  ['Thanos Receive', 429, 'tenant is above head series limit', 'refused series-limit'],
  [
    'InfluxDB',
    400,
    '{"error":"partial write: max-values-per-tag limit exceeded (100000/100000): measurement=\\"up\\" dropped=1"}',
    'refused series-limit',
  ],
  ['InfluxDB', 500, 'partial write: max-series-per-database limit exceeded: (1000000)', 'refused series-limit'],

  // Worth another try.
  ['anything', 408, '', 'transient request-timeout'],
  ['anything', 499, '', 'transient request-timeout'],
  [
    'Mimir',
    429,
    'the request has been rejected because the tenant exceeded the ingestion rate limit, set to 10000 items/s (err-mimir-tenant-max-ingestion-rate)',
    'transient ingestion-limited',
  ],
  ['AMP', 429, 'ingestion rate limit (70000) exceeded while adding 100 samples', 'transient ingestion-limited'],
  ['Cortex', 500, 'at least 2 live replicas required, could only find 1', 'transient server-error'],
  ['anything', 500, '', 'transient server-error'],
  ['anything', 502, '<html>', 'transient bad-gateway'],
  ['vminsert, Thanos Receive', 503, 'cannot write: storage is down', 'transient unavailable'],
  ['anything', 504, '', 'transient gateway-timeout'],
  ['Cloudflare', 524, '', 'transient server-error'],
  [
    'M3, both kinds at once',
    500,
    'retryable_errors: count=2, last=timeout, bad_request_errors: count=1, last=datapoint too far in past',
    'transient server-error',
  ],

  // Seen from Prometheus 3.16 and VictoriaMetrics 1.145.
  ['Prometheus', 400, 's2: corrupt input', 'refused request-not-understood'],
  ['Prometheus', 400, 'decoded size exceeds the 33554432 bytes limit', 'too-large request-too-large'],
  [
    'VictoriaMetrics',
    400,
    'cannot read prometheus remote_write data from client in 0 seconds: too big data size exceeding -maxInsertRequestSize=1000 bytes',
    'too-large request-too-large',
  ],
  [
    'VictoriaMetrics',
    400,
    'cannot read prometheus remote_write data from client in 0 seconds: cannot decompress snappy-encoded request with length 40753: too big data size 78571 exceeding 65536 bytes',
    'too-large request-too-large',
  ],
  ['VictoriaMetrics', 400, 'unsupported path requested: "/write"', 'refused wrong-path'],
];
