// What is known of a product and what its APIs do not show.

import type { Product, ServerReport } from '../../remote/server-report.ts';

const ANY_ORDER: readonly (Product | undefined)[] = ['VictoriaMetrics', 'InfluxDB', 'GreptimeDB'];

export function acceptsAnyOrder(product: Product | undefined): boolean {
  return ANY_ORDER.includes(product);
}

export function retentionSetting(server: ServerReport | undefined): string {
  if (server?.limits?.retention !== undefined) return server.limits.retention.setting;
  return server?.product === 'VictoriaMetrics' ? '-retentionPeriod' : '--storage.tsdb.retention.time';
}

/** Samples that are further from the present are dropped, and no setting changes that. */
export const KEPT_AGE_MS: { readonly [product in Product]?: number } = { 'Azure Monitor': 20 * 60_000 };

const TENANT_LIMITS = ['out_of_order_time_window', 'max_global_series_per_user', 'max_label_names_per_series'];

/** Limits of a destination that no API shows, as its page names them. */
const UNSEEN_LIMITS: { readonly [product in Product]?: readonly string[] } = {
  'Amazon Managed Prometheus': ['outOfOrderTimeWindowInSeconds', 'the quotas of the workspace'],
  Cortex: TENANT_LIMITS,
  'Grafana Cloud': TENANT_LIMITS,
  GreptimeDB: ['the TTL of the database'],
  InfluxDB: ['the retention policy', 'max-series-per-database', 'max-values-per-tag'],
  M3: ['coldWritesEnabled', 'bufferPast', 'bufferFuture', 'retentionPeriod'],
  Mimir: TENANT_LIMITS,
  Thanos: [
    '--tsdb.out-of-order.time-window',
    '--tsdb.retention',
    '--tsdb.too-far-in-future.time-window',
    '--tsdb.enable-native-histograms',
    'the write limits of Receive',
  ],
};

/** @returns none if the server shows its limits, or if its product is not known */
export function unseenLimits({ product, limits }: ServerReport): readonly string[] {
  if (product === undefined || limits?.outOfOrder !== undefined) return [];
  return UNSEEN_LIMITS[product] ?? [];
}
