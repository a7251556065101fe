// What is known of one end of a migration before there is a manifest.

import type { Product, ServerReport } from '../../remote/server-report.ts';

/** Promscale does not say what it is: its paths show it. */
export type EndProduct = Product | 'Promscale';

export interface EndLook {
  /** `found`: the server shows it. `guessed`: from the URL, because nothing was asked or the server does not say. */
  readonly product: { readonly name: EndProduct | undefined; readonly how: 'found' | 'guessed' };
  /** Undefined if the server was not asked, or did not let us. */
  readonly report?: ServerReport;
  /** The server wants credentials. */
  readonly isRefused?: boolean;
  /** A VictoriaMetrics with storage nodes. */
  readonly isCluster?: boolean;
  /** Of the paths that were tried, those that exist. */
  readonly served?: readonly string[];
  /** A StoreAPI of Thanos beside its HTTP port. */
  readonly storeUrl?: string;
  /** The oldest sample of a source, if the server shows it. */
  readonly oldestMs?: number;
}

/** A line of the manifest, and why it is so. */
export interface Note {
  /** Of the field, under `spec`. */
  readonly path: readonly string[];
  readonly how: 'found' | 'guessed' | 'hint';
  readonly text: string;
}

/** The end cannot be used without a choice of the user. */
export class NeedsChoice extends Error {
  /** With which flag. */
  readonly cure: string;

  constructor(message: string, cure: string) {
    super(message);
    this.cure = cure;
  }
}

/** Paths that only the end of this product has, for servers that do not say what they are. */
export const READ_PATHS = [
  '/api/v1/read',
  '/prometheus/api/v1/read',
  '/api/v1/prom/remote/read',
  '/api/v1/prom/read',
  '/read',
];
export const WRITE_PATHS = [
  '/api/v1/write',
  '/api/v1/push',
  '/api/v1/receive',
  '/api/v1/prom/remote/write',
  '/api/v1/prom/write',
  '/write',
];
export const QUERY_PATH = '/api/v1/query';

/** `Prometheus 3.5.0`. */
export function productText({ product: { name }, report }: EndLook): string {
  if (name === undefined) return 'a store that does not say what it is';
  return report?.version === undefined ? name : `${name} ${report.version}`;
}

const GUESSES: readonly (readonly [RegExp, EndProduct])[] = [
  [/victoria|vminsert|vmselect|vmsingle|:84(?:28|80|81)$/, 'VictoriaMetrics'],
  [/mimir/, 'Mimir'],
  [/cortex/, 'Cortex'],
  [/thanos|:19291$|:1090[0-9]$/, 'Thanos'],
  [/influx|:8086$/, 'InfluxDB'],
  [/m3coordinator|:7201$/, 'M3'],
  [/promscale|:9201$/, 'Promscale'],
  [/greptime/, 'GreptimeDB'],
];

/** From host and port alone. */
export function guessedProduct(url: string): EndProduct {
  const { host } = new URL(url);
  return GUESSES.find(([pattern]) => pattern.test(host))?.[1] ?? 'Prometheus';
}
