// The table of response rules: what a status and a text mean for each side. The texts are those of real servers, named beside them.

import { manifestPath, type RemoteCode } from './response-codes.ts';
import type { Side } from './side.ts';
import type { ResponseClass, RejectReason } from './remote-error.ts';

export interface Rule {
  readonly class: Exclude<ResponseClass, 'aborted'>;
  readonly code: RemoteCode;
  readonly reason?: RejectReason;
  readonly sides?: readonly Side[];
  readonly statuses: readonly number[];
  readonly text?: RegExp;
  readonly hint?: (side: Side) => string;
}

const TO_WRITE: readonly Side[] = ['destination'];
const TO_READ: readonly Side[] = ['source', 'progress'];
// Prometheus before 2.50 returns 500 for samples that are too old, and every Prometheus returns it for histograms that are switched off.
// Thanos returns 409. Some gateways return 422.
const REJECTING = [400, 409, 422, 500] as const;
const CLIENT_ERRORS = [400, 409, 422] as const;
const LIMIT_STATUSES = [400, 422, 429, 500, 503] as const;

/** The first matching rule wins, so special rules come before general ones. */
export const RULES: readonly Rule[] = [
  // The two protocols on one port: Go's net/http, nginx.
  {
    class: 'refused',
    code: 'https-expected',
    statuses: [400, 497],
    text: /HTTP request (?:was sent )?to (?:an )?HTTPS (?:server|port)/i,
  },

  // Any Go server, Node and Envoy. nginx returns 400; its log, and some gateways built on it, say 494.
  { class: 'refused', code: 'headers-too-large', statuses: [431] },
  {
    class: 'refused',
    code: 'headers-too-large',
    statuses: [400, 494],
    text: /request header or cookie too large|request header fields too large|header (?:field )?(?:is )?too (?:large|long)/i,
  },

  // Too much at once: VictoriaMetrics, Go's snappy, gRPC inside Mimir, Cortex and Thanos, InfluxDB, Mimir, Prometheus 3.8.
  { class: 'too-large', code: 'request-too-large', sides: TO_WRITE, statuses: [413] },
  { class: 'too-large', code: 'response-too-large', sides: TO_READ, statuses: [413] },
  {
    class: 'too-large',
    code: 'request-too-large',
    sides: TO_WRITE,
    statuses: [400, 422, 429, 500],
    text: /too big (?:un)?packed request|too big data size|maxInsertRequestSize|message (?:size )?(?:is )?(?:too large|larger than)|decoded (?:block|size|length) .*(?:too large|exceed|larger|limit)|snappy.*too large|request (?:body|entity|size)(?: is)? too large|max-write-message-size|max-write-request-data-item-size|max_recv_msg_size|trying to send message larger/i,
  },
  {
    class: 'too-large',
    code: 'too-many-samples',
    sides: TO_READ,
    statuses: LIMIT_STATUSES,
    // Prometheus, Mimir, Cortex and Thanos, InfluxDB, VictoriaMetrics.
    text: /exceeded (?:sample|chunks?) limit|too many samples|err-mimir-max-(?:estimated-)?chunks-per-|err-mimir-max-(?:total|partial)-query-length|query hit the max number of chunks|query time range exceeds the limit|max-select-(?:point|buckets)|-search\.max(?:Samples|PointsPerTimeseries)/i,
  },
  {
    class: 'too-large',
    code: 'too-many-series',
    sides: TO_READ,
    statuses: LIMIT_STATUSES,
    // Mimir, Cortex and Thanos, InfluxDB, VictoriaMetrics, M3 (limits.perQuery.maxFetchedSeries, and its limit of documents, which are
    // series).
    text: /exceeded series limit|err-mimir-max-series|query hit the max number of series|max-select-series|-search\.max(?:UniqueTimeseries|Series|ExportSeries)|number of matching (?:unique )?timeseries exceeds|query exceeded limit/i,
  },
  {
    class: 'too-large',
    code: 'response-too-large',
    sides: TO_READ,
    statuses: LIMIT_STATUSES,
    text: /exceeded bytes limit|err-mimir-max-(?:chunks-bytes|(?:estimated-)?memory-consumption|query-)|query (?:hit|exceeded) the (?:max|aggregated)|message larger than max|-search\.maxMemoryPerQuery|(?:block|message) is too large/i,
  },

  // A limit on the number of series applies whatever is repeated or omitted: Mimir, Cortex, Thanos Receive, InfluxDB, AMP.
  {
    class: 'refused',
    code: 'series-limit',
    sides: TO_WRITE,
    statuses: [400, 422, 429, 500],
    text: /max-series-per-(?:user|metric|database)|max-active-series|per[- ](?:user|tenant|metric)(?:_| )series(?: |_)limit|max-values-per-tag|head series limit|(?:active )?series limit .*(?:exceeded|reached)/i,
  },

  // M3: a sum with retryable errors is retryable, whatever else it reports. The rules for single samples come later.
  // Prometheus rejects the far future with a text that starts with "out of bounds", so the rule for the future comes before the rule for
  // the past.
  rejection('too-far-in-future', 'too_far_in_future', /too[- ]far in (?:the )?future|too-far-in-future|too new/i),
  rejection('histograms-out-of-order', 'out_of_order', /out[- ]of[- ]order native histogram/i),
  rejection(
    'histograms-disabled',
    'histograms_disabled',
    /native histograms? (?:are|is|ingestion is) (?:disabled|not enabled)|native histograms? (?:are )?not supported/i,
  ),
  rejection(
    'duplicate-timestamp',
    'duplicate_timestamp',
    /duplicate sample for timestamp|repeated timestamp|sample-duplicate-timestamp|duplicate timestamp/i,
  ),
  rejection('out-of-order', 'out_of_order', /err-mimir-sample-out-of-order/i),
  rejection(
    'too-old',
    'too_old',
    /too old|timestamp-too-old|out of bounds?|too[- ]far[- ]in[- ](?:the[- ])?past|beyond (?:the )?retention|outside (?:the )?retention|older than (?:the )?(?:retention|min)/i,
  ),
  rejection('out-of-order', 'out_of_order', /out[- ]of[- ]order/i),
  rejection(
    'invalid-sample',
    'invalid_sample',
    // Prometheus' histogram.Validate (5xx before 3.7), Mimir, InfluxDB's field types.
    /histogram'?s?\b.*(?:observation|bucket|span|custom|schema|negative|invalid)|observations found in buckets|native-histogram|invalid (?:native )?histogram|unsupported value|field type conflict/i,
  ),
  // Promscale with multi-tenancy.
  {
    class: 'refused',
    code: 'unauthorized',
    statuses: [400],
    text: /authorization error for tenant/i,
    hint: (side) => `set ${manifestPath(side)}.tenant, with header TENANT, to a tenant that exists on the server`,
  },
  {
    class: 'rejected',
    code: 'invalid-labels',
    reason: 'invalid_labels',
    sides: TO_WRITE,
    statuses: CLIENT_ERRORS,
    // Cortex, Mimir, Thanos, Prometheus with 2.0 messages, M3.
    text: /label|metric[- ]name|invalid[- ]metric|no metric|missing (?:a )?(?:metric )?name|too many tags|tag (?:name|value|literal)|symbols? table/i,
  },

  // The request as a whole.
  {
    class: 'refused',
    code: 'receiver-disabled',
    sides: TO_WRITE,
    statuses: [404],
    text: /remote write receiver needs to be enabled/i,
  },
  {
    class: 'refused',
    code: 'agent-mode',
    statuses: [400, 403, 404, 405, 422, 500],
    text: /unavailable with prometheus agent/i,
  },
  {
    class: 'refused',
    code: 'database-not-found',
    statuses: [400, 404, 500],
    text: /database not found|retention policy not found|"no database"|database (?:name )?(?:is )?required/i,
  },
  { class: 'unsupported', code: 'message-unsupported', statuses: [415] },
  {
    class: 'unsupported',
    code: 'message-unsupported',
    sides: TO_WRITE,
    statuses: [400],
    text: /unsupported (?:remote write )?(?:version|content type|proto)|unknown (?:remote write )?(?:protobuf|proto) /i,
  },
  {
    class: 'unsupported',
    code: 'response-type-unsupported',
    sides: TO_READ,
    statuses: [400, 500],
    text: /does not support any of the requested response types/i,
  },
  {
    class: 'refused',
    code: 'histograms-not-served',
    sides: TO_READ,
    statuses: [500],
    // thanos-remote-read: the encoding is that of a chunk with native histograms (1), or a later one.
    text: /unexpected encoding type/i,
  },
  {
    class: 'refused',
    code: 'metric-name-required',
    sides: TO_READ,
    statuses: [400, 422, 500],
    text: /must contain metric name/i,
  },
  {
    class: 'refused',
    code: 'bad-query',
    sides: TO_READ,
    // Prometheus returns 500 for a bad regular expression in remote_read. The query API returns bad_data.
    statuses: [400, 422, 500],
    text: /error parsing regexp|invalid matcher|unknown matcher type|bad_data|parse error|cannot parse|invalid parameter|at least one (?:non-empty )?matcher|unparsed data/i,
  },
  // VictoriaMetrics and vmauth return 400 where others return 404.
  {
    class: 'refused',
    code: 'wrong-path',
    statuses: [400],
    text: /unsupported path requested|missing route for/i,
    hint: pathHint,
  },
  {
    class: 'refused',
    code: 'request-not-understood',
    statuses: [400],
    text: /(?:snappy|s2): (?:corrupt|unsupported)|proto: |unmarshal|illegal wireType|unexpected EOF|cannot decompress|content-encoding|content-type/i,
  },
  {
    class: 'transient',
    code: 'partial-response',
    sides: TO_READ,
    statuses: [400, 422, 500, 503],
    // Thanos Query, for a request with partial_response=false, when one of its stores fails. That no store has such data is not a failure.
    text: /^(?!.*No StoreAPIs matched).*(?:proxy Series\(\)|receive series from |fetch series for |failed to receive any data in )/s,
  },
  { class: 'ambiguous', code: 'unknown-bad-request', sides: TO_READ, statuses: CLIENT_ERRORS },
  { class: 'rejected', code: 'other-rejection', reason: 'other', sides: TO_WRITE, statuses: CLIENT_ERRORS },

  { class: 'refused', code: 'unauthorized', statuses: [401] },
  { class: 'refused', code: 'forbidden', statuses: [403] },
  { class: 'refused', code: 'proxy-refused', statuses: [407] },
  { class: 'refused', code: 'wrong-path', statuses: [404, 410], hint: pathHint },
  { class: 'refused', code: 'method-not-allowed', statuses: [405, 501, 505], hint: pathHint },
];

function rejection(code: RemoteCode, reason: RejectReason, text: RegExp): Rule {
  return { class: 'rejected', code, reason, sides: TO_WRITE, statuses: REJECTING, text };
}

/** The usual paths: a wrong path is the most common mistake. */
export function pathHint(side: Side): string {
  const url = `${manifestPath(side)}.url`;
  if (side === 'source') {
    return (
      `check ${url}; remote_read is at /api/v1/read (Prometheus, thanos-remote-read), /prometheus/api/v1/read (Mimir, Cortex), ` +
      '/api/prom/api/v1/read (Grafana Cloud), /read (Promscale), /api/v1/prom/remote/read (M3), /api/v1/prom/read?db=NAME (InfluxDB 1.x); ' +
      'VictoriaMetrics and Thanos themselves do not have it: with spec.source.protocol VictoriaMetrics, ThanosStore or PromQL, the URL is their base (http://victoriametrics:8428, http://host:9090)'
    );
  }
  if (side === 'progress') {
    return (
      `check ${url}; protocol PromQL needs the base of a query API (http://host:9090, http://victoriametrics:8428, ` +
      'http://vmselect:8481/select/TENANT/prometheus), protocol RemoteRead a remote_read URL (/api/v1/read)'
    );
  }
  return (
    `check ${url}; remote_write is at /api/v1/write (Prometheus with --web.enable-remote-write-receiver, VictoriaMetrics), /api/v1/push (Mimir, Cortex), ` +
    '/api/prom/push (Grafana Cloud), /api/v1/receive (Thanos Receive), /insert/TENANT/prometheus/api/v1/write (vminsert), /write (Promscale), ' +
    '/api/v1/prom/remote/write (M3), /api/v1/prom/write?db=NAME (InfluxDB 1.x), /workspaces/ID/api/v1/remote_write (AMP)'
  );
}
