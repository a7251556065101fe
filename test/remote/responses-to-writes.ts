// The responses of receivers to a write, and their classification: rows of classify-response.test.ts.

import { rejectedSamples } from './rejected-samples.ts';

export type Row = readonly [from: string, status: number, text: string, expected: string];

export const written: readonly Row[] = [
  ...rejectedSamples,

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

  // Rate limits: the message of a store's own limiter proves that nothing was stored; a bare 429 proves nothing.
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

  // An HTML page comes from a proxy, not from a store.
  [
    'nginx',
    400,
    '<html><head><title>400 Bad Request</title></head><body>nginx</body></html>',
    'refused unexpected-status',
  ],

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

  // Limits on series: retries would never succeed.
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

  // Transient errors.
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

  // Observed with Prometheus 3.16 and VictoriaMetrics 1.145.
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
