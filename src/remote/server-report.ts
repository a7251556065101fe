// What a server says about itself, from the texts of its status APIs. Pure. Anything may be missing: most stores show only a part of it.

import type { IncomingHttpHeaders } from 'node:http';
import { promDuration } from './prometheus-duration.ts';
import {
  type HaTracker,
  type ShownLimits,
  tenantConfig,
  victoriaMetricsDuration,
  victoriaMetricsLimits,
} from './shown-limits.ts';
import type { UrlProduct } from './url-product.ts';

export type Product = 'Prometheus' | 'VictoriaMetrics' | 'Mimir' | 'Cortex' | UrlProduct;

export interface ServerReport {
  /** Undefined if neither the server nor its URL shows it. */
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
  readonly limits?: ShownLimits;
  readonly haTracker?: HaTracker;
  /** What a Prometheus adds to every series that is read by remote_read. */
  readonly externalLabels?: Readonly<Record<string, string>>;
  /** The smallest block of a Prometheus: without an out-of-order window, it accepts samples that are half of this behind its newest one. */
  readonly minBlockMs?: number;
  /** How large a Prometheus makes the frames of a stream. */
  readonly frameBytes?: number;
  /** Of a Thanos component that is read by its StoreAPI. */
  readonly store?: ReportedStore;
  /** Cortex' old storage, which only accepts queries that name a metric. */
  readonly isChunksStorage?: boolean;
}

/** What a Thanos component says about itself. */
export interface ReportedStore {
  /** `query`, `sidecar`, `store`, `receive`, `rule`. */
  readonly component: string;
  /** How many sets of external labels its data has. */
  readonly labelSets: number;
  /** Both inclusive. */
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
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
  /** Of Mimir and Cortex: `/config`, `/runtime_config?mode=diff`, `/api/v1/user_limits`. */
  readonly tenantConfig?: StatusText;
  readonly runtimeConfig?: StatusText;
  readonly userLimits?: StatusText;
}

/** What is known without a response. */
interface ReportedEndpoint {
  readonly urlProduct: UrlProduct | undefined;
  readonly tenant: string | undefined;
}

const NOTHING_KNOWN: ReportedEndpoint = { urlProduct: undefined, tenant: undefined };

/** @param nowMs when the first response arrived */
export function serverReport(texts: StatusTexts, nowMs: number, endpoint = NOTHING_KNOWN): ServerReport {
  const build = dataOf(texts.buildinfo);
  const version = textOf(build, 'version');
  const influxdb = oneOf(texts.ping?.headers['x-influxdb-version'] ?? texts.buildinfo?.headers['x-influxdb-version']);
  const dateMs = Date.parse(texts.buildinfo?.headers.date ?? texts.ping?.headers.date ?? '');
  const clockAheadMs = Number.isNaN(dateMs) ? undefined : dateMs - Math.floor(nowMs / 1000) * 1000;
  const other = { ...UNKNOWN, version: influxdb ?? version, clockAheadMs };
  if (influxdb !== undefined) return { ...other, product: 'InfluxDB' };
  if (texts.buildinfo?.headers['x-server-hostname'] !== undefined && textOf(build, 'revision') === undefined)
    return { ...other, product: 'VictoriaMetrics', version: undefined, ...victoriaMetrics(texts.plainFlags) };
  const tenants = tenantsOf(texts, endpoint.tenant);
  if (/mimir/i.test(textOf(build, 'application') ?? '')) return { ...other, ...tenants, product: 'Mimir' };
  if (tenants !== undefined) return { ...other, ...tenants };
  const flags = dataOf(texts.flags);
  // Thanos Query shows flags of its own.
  if (textOf(flags, 'query.replica-label') !== undefined) return { ...other, product: 'Thanos' };
  if (textOf(flags, 'storage.tsdb.min-block-duration') === undefined || version === undefined)
    return { ...other, product: endpoint.urlProduct };
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
    ...known({
      externalLabels: yaml === undefined ? undefined : externalLabels(yaml),
      minBlockMs: promDuration(textOf(flags, 'storage.tsdb.min-block-duration') ?? ''),
      frameBytes: numberOf(textOf(flags, 'storage.remote.read-max-bytes-in-frame')),
    }),
  };
}

function tenantsOf(
  { tenantConfig: config, runtimeConfig, userLimits }: StatusTexts,
  tenant: string | undefined,
): Partial<ServerReport> | undefined {
  const text = (response: StatusText | undefined) => (response?.status === 200 ? response.text : undefined);
  const found = tenantConfig({
    config: text(config),
    runtimeConfig: text(runtimeConfig),
    userLimits: text(userLimits),
    tenant,
  });
  if (found === undefined) return undefined;
  const { product, limits, haTracker, acceptsHistograms, isChunksStorage } = found;
  return {
    ...{ product, limits, acceptsHistograms, isChunksStorage },
    ...known({ haTracker }),
    ...(limits.retention !== undefined && { retentionMs: limits.retention.value }),
    ...(limits.outOfOrder !== undefined && { outOfOrderMs: limits.outOfOrder.value }),
  };
}

/** Without what is undefined. */
function known<Fields extends object>(fields: Fields): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]?: Exclude<Fields[Name], undefined>;
  };
}

function externalLabels(yaml: string): Record<string, string> {
  const [, block = ''] = /^ {2}external_labels:\n((?: {4}.*\n)*)/m.exec(yaml) ?? [];
  const labels: Record<string, string> = {};
  for (const [, name = '', value = ''] of block.matchAll(/^ {4}"?([\w.:-]+)"?:(.*)$/gm))
    labels[name] = value.trim().replace(/^(["'])(.*)\1$/, '$2');
  return labels;
}

function numberOf(text: string | undefined): number | undefined {
  const value = Number(text ?? Number.NaN);
  return Number.isNaN(value) ? undefined : value;
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
  const shown = new Map(
    [...flags.text.matchAll(/^-([\w.]+)="([^"]*)"/gm)].map(([, name = '', value = '']) => [name, value]),
  );
  const retentionMs = victoriaMetricsDuration(shown.get('retentionPeriod') ?? '1');
  return {
    ...(!Number.isNaN(retentionMs) && { retentionMs }),
    limits: victoriaMetricsLimits((flag) => shown.get(flag)),
    acceptsWrites: true,
  };
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
