// Checks that a schema cannot express: selectors and regular expressions parse, URLs are URLs, the time range lies in the past, stretches
// end at the borders of blocks. They apply to manifests of `run` and to resources that the API server has accepted.

import { parseDuration } from './duration.ts';
import { type PathSegment, valueAt } from './field-path.ts';
import { parseSelector, regexProblem } from './selector.ts';
import { MAX_STRETCHES, STRETCH_UNIT_MS, shortestStretchText, stretchCount } from './stretch-count.ts';
import { parseTime } from './time.ts';

export interface SemanticViolation {
  readonly path: readonly PathSegment[];
  readonly message: string;
}

const SOURCE_URL: readonly string[] = ['spec', 'source', 'url'];

const URL_PATHS: readonly (readonly string[])[] = [
  SOURCE_URL,
  ['spec', 'source', 'proxyUrl'],
  ['spec', 'destination', 'url'],
  ['spec', 'destination', 'proxyUrl'],
  ['spec', 'destination', 'progress', 'url'],
  ['spec', 'destination', 'progress', 'proxyUrl'],
];

/**
 * Violations in a manifest with its defaults filled in. Takes any value: missing fields and wrong types are left to the schema, and so are
 * paths for which `hasProblem` is true. Without `nowMs` the time range may lie in the future.
 */
export function checkSemantics(
  migration: unknown,
  nowMs: number | undefined,
  hasProblem: (path: readonly PathSegment[]) => boolean,
): SemanticViolation[] {
  const violations: SemanticViolation[] = [];

  function checkText(path: readonly PathSegment[], check: (text: string) => string | undefined): void {
    const text = valueAt(migration, path);
    if (typeof text !== 'string' || hasProblem(path)) return;
    const message = check(text);
    if (message !== undefined) violations.push({ path, message });
  }

  for (const path of URL_PATHS) checkText(path, path === SOURCE_URL ? sourceUrlProblem : urlProblem);
  entriesAt(migration, ['spec', 'selectors']).forEach((_, index) => {
    checkText(['spec', 'selectors', index], selectorProblem);
  });
  entriesAt(migration, ['spec', 'relabelings']).forEach((_, index) => {
    checkText(['spec', 'relabelings', index, 'regex'], regexProblem);
  });

  const range = ['spec', 'timeRange'];
  const [startMs, endMs] = ['start', 'end'].map((bound) => timeAt(migration, [...range, bound]));
  checkText(['spec', 'execution', 'stretch'], (text) => stretchProblem(text, startMs, endMs));

  const lagMs = durationAt(migration, [...range, 'lag']) ?? 0;
  checkText([...range, 'lag'], (text) =>
    parseDuration(text) === undefined ? 'must be a Prometheus duration such as 5m, 1h30m or 0' : undefined,
  );
  if (nowMs !== undefined) {
    const hasEnd = valueAt(migration, [...range, 'end']) !== undefined;
    checkText([...range, 'start'], (text) => startProblem(text, nowMs, hasEnd ? undefined : lagMs));
    checkText([...range, 'end'], (text) =>
      (parseTime(text) ?? nowMs) > nowMs
        ? `must not be in the future (it is now ${new Date(nowMs).toISOString()}); omit end to copy everything up to now`
        : undefined,
    );
  }
  return violations;
}

function startProblem(text: string, nowMs: number, lagMs: number | undefined): string | undefined {
  const startMs = parseTime(text);
  if (startMs === undefined) return undefined;
  const now = new Date(nowMs).toISOString();
  if (startMs >= nowMs) return `must be in the past (it is now ${now})`;
  if (lagMs !== undefined && startMs >= nowMs - lagMs) {
    return `must be earlier than now minus lag, which is the end when end is omitted (it is now ${now})`;
  }
  return undefined;
}

/** @param endMs undefined: open, so that the number of stretches is only known when the copy begins */
function stretchProblem(text: string, startMs: number | undefined, endMs: number | undefined): string | undefined {
  const lengthMs = parseDuration(text);
  if (lengthMs === undefined) return 'must be a Prometheus duration such as 2h, 1d12h or 4w';
  if (lengthMs > 0 && lengthMs % STRETCH_UNIT_MS === 0) {
    if (startMs === undefined || endMs === undefined) return undefined;
    const count = stretchCount({ startMs, endMs }, lengthMs);
    if (count <= MAX_STRETCHES) return undefined;
    const shortest = shortestStretchText({ startMs, endMs });
    return `divides the time range into ${count} stretches, and at most ${MAX_STRETCHES} are possible; set at least ${shortest}, or remove it to let it be chosen`;
  }
  const nearestMs = Math.max(1, Math.round(lengthMs / STRETCH_UNIT_MS)) * STRETCH_UNIT_MS;
  return `must be a positive multiple of 2h, because a stretch consists of whole blocks of the source; the nearest is ${nearestMs / 3_600_000}h`;
}

function selectorProblem(text: string): string | undefined {
  const parsed = parseSelector(text);
  return parsed.ok ? undefined : `must be a PromQL series selector: ${parsed.message}`;
}

function urlProblem(text: string): string | undefined {
  const url = URL.parse(text);
  const isUrl = url !== null && (url.protocol === 'http:' || url.protocol === 'https:');
  return isUrl ? undefined : 'must be an absolute http:// or https:// URL with a valid host and port';
}

function timeAt(root: unknown, path: readonly PathSegment[]): number | undefined {
  const text = valueAt(root, path);
  return typeof text === 'string' ? parseTime(text) : undefined;
}

/** Which scheme fits the protocol is a rule of the schema. */
function sourceUrlProblem(text: string): string | undefined {
  if (!/^grpcs?:/i.test(text)) return urlProblem(text);
  return URL.canParse(text) ? undefined : 'must be grpc://host:port or grpcs://host:port with a valid host and port';
}

function durationAt(root: unknown, path: readonly PathSegment[]): number | undefined {
  const text = valueAt(root, path);
  return typeof text === 'string' ? parseDuration(text) : undefined;
}

function entriesAt(root: unknown, path: readonly PathSegment[]): readonly unknown[] {
  const list = valueAt(root, path);
  return Array.isArray(list) ? list : [];
}
