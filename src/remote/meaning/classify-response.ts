// Classifies a response: one pure function over the table in response-rules.ts.

import type { IncomingHttpHeaders } from 'node:http';

import { redactUrl } from '../../telemetry/secret.ts';
import { hintOf, type RemoteCode } from './response-codes.ts';
import { pathHint, type Rule, RULES } from './response-rules.ts';
import type { Side } from './side.ts';
import type { ResponseClass, RejectReason } from './remote-error.ts';

export interface JudgedResponse {
  readonly side: Side;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** The beginning of the body, if it is text. Empty for a good response whose body is not read yet. */
  readonly text: string;
  /** Milliseconds since 1970, for a Retry-After that is a date. */
  readonly now: number;
}

export type Classified =
  /** `unproven`: the samples may have been dropped, and why. */
  | { readonly class: 'done'; readonly unproven?: 'ha-tracker' | 'accepted-only' }
  | {
      readonly class: Exclude<ResponseClass, 'aborted'>;
      readonly code: RemoteCode;
      readonly hint?: string;
      readonly reason?: RejectReason;
      readonly retryAfterMs?: number;
    };

const TRANSIENT_CODES: Readonly<Record<number, RemoteCode>> = {
  408: 'request-timeout',
  425: 'request-timeout',
  429: 'rate-limited',
  499: 'request-timeout',
  502: 'bad-gateway',
  503: 'unavailable',
  504: 'gateway-timeout',
};

/** The texts of Go's HTTP server and of InfluxDB's panic recovery: the same request would fail again. */
const CRASH = /^\s*Internal Server Error\s*$/i;

/**
 * Cortex, Mimir and Amazon: the rate limiter rejected the request before any of it was stored. A bare 429 may come from any proxy in
 * between.
 */
const OWN_RATE_LIMIT = /ingestion rate limit|err-mimir-tenant-max-(?:ingestion|request)-rate|ThrottlingException/i;

/** No store sends an HTML page. It comes from a proxy, whose 400 says nothing about samples. */
const PAGE = /^\s*<(?:!doctype|html)/i;

/** The text of Cortex and Mimir for a replica that they do not follow. */
const HA_TRACKER = /replicas did(?: not|n't) match|\bha\b|dedup/i;

const LONGEST_RETRY_AFTER_MS = 5 * 60_000;

/**
 * The class, the stable code and the fix of an HTTP response, for remote_read, remote_write and the query API. A good response to a read is
 * `done` if its Content-Type is one of the known ones (protobuf, streamed protobuf, JSON, native export). The client checks whether it is the requested
 * one. Follows the texts of Prometheus 2.24 to 3.14, Mimir, Cortex, Thanos, M3, VictoriaMetrics, InfluxDB 1.x, Promscale.
 */
export function classifyResponse(response: JudgedResponse): Classified {
  const { side, status, text } = response;
  if (status >= 200 && status < 300) return classifyGood(response);
  if (status >= 300 && status < 400) {
    const location = locationOf(response);
    const hint = hintOf('redirected', side);
    return {
      class: 'refused',
      code: 'redirected',
      hint: location === undefined ? hint : `${hint}; the redirect points to ${location}`,
    };
  }
  if (
    side !== 'destination' &&
    status === 500 &&
    response.headers['x-influxdb-version'] !== undefined &&
    CRASH.test(text)
  ) {
    return { class: 'ambiguous', code: 'influxdb-failed', hint: hintOf('influxdb-failed', side) };
  }
  // M3 summarises both kinds of errors of one request. If it reports retryable errors, the request must be repeated, even if it also
  // reports bad samples.
  const retryable = status >= 500 && /\bretryable_errors: count=[1-9]/.test(text);
  const judged = { ...response, text: relevantPart(text) };
  const rule = retryable ? undefined : RULES.find((candidate) => applies(candidate, judged));
  if (rule?.class === 'rejected' && PAGE.test(text)) {
    return { class: 'refused', code: 'unexpected-status', hint: hintOf('unexpected-status', side) };
  }
  if (rule !== undefined) {
    const { code, reason } = rule;
    const hint = rule.hint?.(side) ?? hintOf(code, side);
    return { class: rule.class, code, hint, ...(reason !== undefined && { reason }) };
  }
  const transient =
    status === 429 && side === 'destination' && OWN_RATE_LIMIT.test(text)
      ? 'ingestion-limited'
      : (TRANSIENT_CODES[status] ?? (status >= 500 ? 'server-error' : undefined));
  if (transient === undefined)
    return { class: 'refused', code: 'unexpected-status', hint: hintOf('unexpected-status', side) };
  const retryAfterMs = retryAfterOf(response);
  return {
    class: 'transient',
    code: transient,
    hint: hintOf(transient, side),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

/** The text without the parts that come from the data: a metric called `too_old` must not decide. Mimir's own error ids are unambiguous. */
function relevantPart(text: string): string {
  return /\berr-mimir-[a-z-]+/.exec(text)?.[0] ?? text.replaceAll(/\bseries[=:]? ?(?:\S{1,200})?\{[^}]*\}?/g, 'series');
}

function applies(rule: Rule, { side, status, text }: JudgedResponse): boolean {
  return (
    rule.statuses.includes(status) &&
    (rule.sides === undefined || rule.sides.includes(side)) &&
    (rule.text === undefined || rule.text.test(text))
  );
}

const KNOWN_TYPE =
  /^(?:application\/(?:x-protobuf|x-streamed-protobuf|(?:[\w.-]+\+)?json|x-ndjson)|victoriametrics\/native)\b/i;

function classifyGood({ side, status, headers, text }: JudgedResponse): Classified {
  const contentType = headers['content-type'] ?? '';
  const html = /\bhtml\b/i.test(contentType) || PAGE.test(text);
  const encoding = headers['content-encoding'] ?? 'identity';
  if (side === 'destination') {
    if (html) return { class: 'refused', code: 'wrong-content-type', hint: pathHint(side) };
    if (status !== 202) return { class: 'done' };
    // Cortex and Mimir: the HA tracker follows another replica and dropped the whole request.
    return { class: 'done', unproven: HA_TRACKER.test(text) ? 'ha-tracker' : 'accepted-only' };
  }
  if (html || !KNOWN_TYPE.test(contentType)) {
    return { class: 'refused', code: 'wrong-content-type', hint: pathHint(side) };
  }
  if (!/^\s*(?:snappy|identity)?\s*$/i.test(encoding)) {
    return { class: 'refused', code: 'compressed-response', hint: hintOf('compressed-response', side) };
  }
  if (headers['m3-results-limited'] !== undefined) {
    return { class: 'too-large', code: 'results-limited', hint: hintOf('results-limited', side) };
  }
  return { class: 'done' };
}

function locationOf({ headers }: JudgedResponse): string | undefined {
  const location = headers['location'];
  if (location === undefined) return undefined;
  return URL.canParse(location) ? redactUrl(location) : location.replace(/[?#].*$/s, '?***').slice(0, 200);
}

/** RFC 9110 §10.2.3: seconds or an HTTP date. */
function retryAfterOf({ headers, now }: JudgedResponse): number | undefined {
  const value = headers['retry-after']?.trim();
  if (value === undefined || value === '') return undefined;
  const ms = /^\d+(?:\.\d+)?$/.test(value)
    ? Number(value) * 1000
    : /[a-z]{3}/i.test(value)
      ? Date.parse(value) - now
      : Number.NaN;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(Math.ceil(ms), 0), LONGEST_RETRY_AFTER_MS);
}
