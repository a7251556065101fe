// What a server says about itself, from the texts of its status APIs. Pure. Anything may be missing: most stores show only a part of it.

import type { IncomingHttpHeaders } from 'node:http';

type Product = 'Prometheus' | 'VictoriaMetrics' | 'Mimir' | 'InfluxDB';

export interface ServerReport {
  /** Undefined if nothing shows it: Thanos and Cortex look like an old Prometheus. */
  readonly product: Product | undefined;
  /** As the server writes it: `3.5.0`. VictoriaMetrics does not report its own. */
  readonly version: string | undefined;
  /** How far the server's clock is ahead of this machine's, from a header with whole seconds. */
  readonly clockAheadMs: number | undefined;
  /** When a Prometheus was started, which tells two of them apart. */
  readonly startedAt: string | undefined;
  /** Of the samples that a Prometheus has not compacted yet; undefined without any, or if not known. */
  readonly newestMs: number | undefined;
  /** How long samples are kept. Infinity without a limit. */
  readonly retentionMs: number | undefined;
  /** 0 if a Prometheus has none. */
  readonly outOfOrderMs: number | undefined;
  /** Whether a Prometheus scrapes anything. */
  readonly scrapes: boolean | undefined;
  readonly acceptsWrites: boolean | undefined;
  readonly acceptsHistograms: boolean | undefined;
}

/** A response of a status API. */
export interface StatusText {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface StatusTexts {
  readonly buildinfo?: StatusText;
  readonly runtimeinfo?: StatusText;
  readonly flags?: StatusText;
  readonly config?: StatusText;
  readonly tsdb?: StatusText;
  /** VictoriaMetrics' /flags. */
  readonly plainFlags?: StatusText;
  readonly ping?: StatusText;
}

/** @param nowMs when the first response arrived */
export function serverReport(texts: StatusTexts, nowMs: number): ServerReport {
  const build = dataOf(texts.buildinfo);
  const version = textOf(build, 'version');
  const influxdb = oneOf(texts.ping?.headers['x-influxdb-version'] ?? texts.buildinfo?.headers['x-influxdb-version']);
  const dateMs = Date.parse(texts.buildinfo?.headers.date ?? texts.ping?.headers.date ?? '');
  const clockAheadMs = Number.isNaN(dateMs) ? undefined : dateMs - Math.floor(nowMs / 1000) * 1000;
  const other = { ...UNKNOWN, version: influxdb ?? version, clockAheadMs };
  if (influxdb !== undefined) return { ...other, product: 'InfluxDB' };
  if (texts.buildinfo?.headers['x-server-hostname'] !== undefined && textOf(build, 'revision') === undefined)
    return { ...other, product: 'VictoriaMetrics', version: undefined, ...victoriaMetrics(texts.plainFlags) };
  if (/mimir/i.test(textOf(build, 'application') ?? '')) return { ...other, product: 'Mimir' };
  const flags = dataOf(texts.flags);
  // Thanos shows flags of its own.
  if (textOf(flags, 'storage.tsdb.min-block-duration') === undefined || version === undefined) return other;
  return { ...other, product: 'Prometheus', version, ...prometheus(texts, flags, version) };
}

const UNKNOWN: ServerReport = {
  product: undefined,
  version: undefined,
  clockAheadMs: undefined,
  startedAt: undefined,
  newestMs: undefined,
  retentionMs: undefined,
  outOfOrderMs: undefined,
  scrapes: undefined,
  acceptsWrites: undefined,
  acceptsHistograms: undefined,
};

type Fields = Readonly<Record<string, unknown>>;

function prometheus(texts: StatusTexts, flags: Fields, version: string): Partial<ServerReport> {
  const features = (textOf(flags, 'enable-feature') ?? '').split(',');
  const runtime = dataOf(texts.runtimeinfo);
  const yaml = textOf(dataOf(texts.config), 'yaml');
  const head = dataOf(texts.tsdb)['headStats'];
  const newestMs = isFields(head) && typeof head['maxTime'] === 'number' ? head['maxTime'] : undefined;
  return {
    startedAt: textOf(runtime, 'startTime'),
    // An empty head has the smallest integer.
    newestMs: newestMs !== undefined && newestMs > 0 ? newestMs : undefined,
    retentionMs: retentionOf(textOf(runtime, 'storageRetention')),
    outOfOrderMs: yaml === undefined ? undefined : outOfOrderWindow(yaml),
    scrapes: yaml === undefined ? undefined : /^scrape_configs:\n[-\s]/m.test(yaml),
    acceptsWrites:
      textOf(flags, 'web.enable-remote-write-receiver') === 'true' || features.includes('remote-write-receiver'),
    acceptsHistograms: features.includes('native-histograms') || isAtLeast(version, 3, 9),
  };
}

/** `15d`, `15d or 5GiB`, `5GiB`. A limit of the size says nothing about time. */
function retentionOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [first = ''] = text.split(' or ');
  const durationMs = promDuration(first);
  if (durationMs === undefined) return /B$/.test(first) ? Number.POSITIVE_INFINITY : undefined;
  return durationMs === 0 ? Number.POSITIVE_INFINITY : durationMs;
}

/** Prometheus prints its configuration with two spaces a level, and every key on a line of its own. */
function outOfOrderWindow(yaml: string): number | undefined {
  const [, text] = /^storage:\n(?: .*\n)*? {4}out_of_order_time_window: *(\S+)$/m.exec(yaml) ?? [];
  return text === undefined ? 0 : promDuration(text);
}

/** Flags that are not set are not shown. */
function victoriaMetrics(flags: StatusText | undefined): Partial<ServerReport> {
  if (flags?.status !== 200 || !/^-[\w.]+="/m.test(flags.text)) return {};
  const [, text = '1'] = /^-retentionPeriod="([^"]*)"/m.exec(flags.text) ?? [];
  const months = /^[\d.]+$/.test(text) ? Number(text) * 31 * DAY_MS : promDuration(text);
  return { retentionMs: months, acceptsWrites: true };
}

const DAY_MS = 86_400_000;
const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: DAY_MS,
  w: 7 * DAY_MS,
  y: 365 * DAY_MS,
};

function promDuration(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[smhdwy]))+$/.test(text)) return undefined;
  return [...text.matchAll(/([\d.]+)(ms|[smhdwy])/g)].reduce(
    (sum, [, number, unit = '']) => sum + Number(number) * (UNITS_MS[unit] ?? 0),
    0,
  );
}

function isAtLeast(version: string, major: number, minor: number): boolean {
  const [a = 0, b = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return a > major || (a === major && b >= minor);
}

function dataOf(response: StatusText | undefined): Fields {
  if (response?.status !== 200) return {};
  try {
    const data = (JSON.parse(response.text) as { data?: unknown } | null)?.data;
    return isFields(data) ? data : {};
  } catch {
    return {};
  }
}

function textOf(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function oneOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
