// Every limit that a page of docs/systems marks as checked by `plan`: the setting, a store that behaves and shows itself as if it had that setting,
// and the finding that names it.

import { preflight } from '../../../src/migration/preflight.ts';
import type { FindingCode } from '../../../src/migration/preflight/finding-codes.ts';
import { judge } from '../../../src/migration/preflight/judge.ts';
import type { Finding } from '../../../src/migration/preflight/preflight-result.ts';
import type { Product } from '../../../src/remote/server-report.ts';
import { SYSTEM_CLOCK } from '../../../src/telemetry/clock.ts';
import { type Behaviour, type FakeStore, startFakeStore } from '../../support/stores/fake-store.ts';
import { m3 } from '../../support/stores/m3.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import {
  prometheusShowing,
  tenantStore,
  type TenantStoreOptions,
  victoriaMetricsWith,
} from '../../support/stores/status-pages.ts';
import { thanos } from '../../support/stores/thanos.ts';
import { histogramSeries } from '../stores/support/copies.ts';
import { testSeries } from '../stores/support/store-cases.ts';
import { dayMs, endpoint, planFor } from '../support/plan.ts';
import { into, seenWith, UNKNOWN } from './observed.ts';

type Changes = Parameters<typeof planFor>[1];

interface Settings {
  readonly source?: Behaviour;
  readonly destination?: Behaviour;
  readonly changes?: Changes;
  readonly hasHistograms?: true;
  readonly probeWrite?: true;
}

export interface StoreLimit {
  /** Of docs/systems. */
  readonly page: string;
  readonly setting: string;
  readonly code: FindingCode;
  readonly findings: () => Promise<readonly Finding[]>;
}

/** What `plan` finds between two stores of the tests. */
async function between(settings: Settings): Promise<readonly Finding[]> {
  const { changes, hasHistograms, probeWrite = false } = settings;
  await using source = await startFakeStore(settings.source ?? prometheus());
  await using destination = await startFakeStore(settings.destination ?? prometheus());
  source.put(hasHistograms === true ? [histogramSeries('durations')] : testSeries());
  const plan = planFor({ source, destination }, { ...protocolOf(destination), ...sourceOf(source), ...changes });
  const context = { clock: SYSTEM_CLOCK, random: () => 0.5, signal: new AbortController().signal, probeMs: 100 };
  return (await preflight(plan, { ...context, probeWrite })).findings;
}

function protocolOf({ readUrl }: FakeStore): Changes {
  return readUrl.endsWith('/no-remote-read') ? { protocol: 'PromQL' } : {};
}

function sourceOf({ readUrl, queryUrl }: FakeStore): Changes {
  if (!readUrl.endsWith('/no-remote-read')) return {};
  return { source: { ...endpoint('source', queryUrl), protocol: 'VictoriaMetrics' } };
}

const limit = (page: string, setting: string, code: FindingCode, settings: Settings): StoreLimit => ({
  ...{ page, setting, code },
  findings: () => between(settings),
});

/** A product that only its URL shows. */
const ofProduct = (page: string, setting: string, code: FindingCode, product: Product): StoreLimit => ({
  ...{ page, setting, code },
  findings: async () => judge(seenWith(into({ ...UNKNOWN, product }))),
});

const REPLICAS = { externalLabels: { cluster: 'c', __replica__: 'r2' } };
const inTenDays = { endMs: Date.now() + 10 * dayMs };

function tenantLimits(page: string, product: TenantStoreOptions['product']): StoreLimit[] {
  const series = product === 'Mimir' ? 'max_global_series_per_user' : 'max_series_per_user';
  const histograms = product === 'Mimir' ? 'native_histograms_ingestion_enabled' : 'enable_native_histograms';
  const into = (options: Omit<TenantStoreOptions, 'product'>, others: Settings = {}): Settings => ({
    destination: tenantStore({ product, ...options }),
    ...others,
  });
  const row = (setting: string, value: string | number | boolean, code: FindingCode, others?: Settings) =>
    limit(page, setting, code, into({ limits: { [setting]: value } }, others));
  return [
    row('out_of_order_time_window', '1h', 'needs-out-of-order-window'),
    limit(page, 'out_of_order_time_window', 'probe-too-old', {
      // Its newest sample is the one that the test has put there.
      ...into({ limits: { out_of_order_time_window: 0 } }),
      destination: behindNewer(tenantStore({ product, limits: { out_of_order_time_window: '0s' } })),
      probeWrite: true,
    }),
    row('ingestion_rate', 1, 'rate-limits-duration'),
    row('ingestion_burst_size', 10, 'burst-too-small'),
    row(series, 1, 'series-exceed-limit'),
    row('max_label_names_per_series', 1, 'labels-exceed-limit'),
    row('max_label_name_length', 3, 'labels-exceed-limit'),
    row('max_label_value_length', 3, 'labels-exceed-limit'),
    row(histograms, false, 'histograms-refused', { hasHistograms: true }),
    limit(page, 'accept_ha_samples', 'ha-tracker', {
      ...into({ haTracker: true, overrides: { accept_ha_samples: true } }),
      changes: REPLICAS,
    }),
    limit(page, 'max_query_lookback', 'source-hides-old-samples', {
      source: tenantStore({ product, limits: { max_query_lookback: '30d' } }),
    }),
    row('max_query_lookback', '30d', 'progress-hidden'),
  ];
}

/** A store that already has a sample of the present. */
function behindNewer(behaviour: Behaviour): Behaviour {
  return {
    ...behaviour,
    open: (tenant, now) => {
      const store = behaviour.open(tenant, now);
      store.contents.insert([['__name__', 'newer']], { timeMs: now(), bits: 0n });
      return store;
    },
  };
}

const fromCortex = (options: Omit<TenantStoreOptions, 'product'>): Settings => ({
  source: tenantStore({ product: 'Cortex', ...options }),
});
const cortex = (limits: TenantStoreOptions['limits'] = {}) => ({
  destination: tenantStore({ product: 'Cortex', limits }),
});
const mimir = (limits: TenantStoreOptions['limits'] = {}) => ({
  destination: tenantStore({ product: 'Mimir', limits }),
});
const prom = (pages: Parameters<typeof prometheusShowing>[0]): Settings => ({ destination: prometheusShowing(pages) });
const fromProm = (pages: Parameters<typeof prometheusShowing>[0]): Settings => ({ source: prometheusShowing(pages) });
const vm = (flags: Parameters<typeof victoriaMetricsWith>[0]): Settings => ({
  destination: victoriaMetricsWith(flags),
});
const EXTERNAL = 'global:\n  external_labels:\n    cluster: eu\n';

export const STORE_LIMITS: readonly StoreLimit[] = [
  ...tenantLimits('cortex.md', 'Cortex'),
  limit(
    'cortex.md',
    'reject_old_samples',
    'age-exceeds-limit',
    cortex({ reject_old_samples: true, reject_old_samples_max_age: '2w' }),
  ),
  limit('cortex.md', 'max_series_per_metric', 'series-exceed-limit', cortex({ max_series_per_metric: 0.5 })),
  limit(
    'cortex.md',
    'max_fetched_series_per_query',
    'query-series-limit',
    fromCortex({ limits: { max_fetched_series_per_query: 0.5 } }),
  ),
  limit('cortex.md', 'max_query_length', 'query-length-limit', fromCortex({ limits: { max_query_length: '10m' } })),
  limit(
    'cortex.md',
    'compactor_blocks_retention_period',
    'destination-retention',
    cortex({ compactor_blocks_retention_period: '30d' }),
  ),
  limit('cortex.md', 'engine', 'selectors-need-names', fromCortex({ engine: 'chunks' })),

  ...tenantLimits('mimir.md', 'Mimir'),
  limit(
    'mimir.md',
    'past_grace_period',
    'age-exceeds-limit',
    mimir({ past_grace_period: '1h', out_of_order_time_window: '2h' }),
  ),
  limit(
    'mimir.md',
    'max_global_series_per_metric',
    'series-exceed-limit',
    mimir({ max_global_series_per_metric: 0.5 }),
  ),
  limit('mimir.md', 'creation_grace_period', 'samples-in-future', {
    ...mimir({ creation_grace_period: '10m' }),
    changes: inTenDays,
  }),
  limit(
    'mimir.md',
    'compactor_blocks_retention_period',
    'destination-retention',
    mimir({ compactor_blocks_retention_period: '30d' }),
  ),
  limit('mimir.md', 'compactor_blocks_retention_period', 'source-retention', {
    source: tenantStore({ product: 'Mimir', limits: { compactor_blocks_retention_period: '30d' } }),
  }),

  limit(
    'prometheus.md',
    '--web.enable-remote-write-receiver',
    'receiver-off',
    prom({ flags: { 'web.enable-remote-write-receiver': 'false' } }),
  ),
  limit('prometheus.md', '--storage.tsdb.retention.time', 'destination-retention', prom({ retention: '15d' })),
  limit('prometheus.md', '--storage.tsdb.retention.time', 'source-retention', fromProm({ retention: '15d' })),
  limit('prometheus.md', 'storage.tsdb.out_of_order_time_window', 'behind-newer-data', prom({ newestMs: Date.now() })),
  limit('prometheus.md', 'storage.tsdb.out_of_order_time_window', 'any-needs-window', {
    ...prom({}),
    changes: { destination: { ordering: 'Any' } },
  }),
  limit(
    'prometheus.md',
    'scrape_configs',
    'destination-scrapes',
    prom({ yaml: 'scrape_configs:\n- job_name: prometheus\n' }),
  ),
  limit(
    'prometheus.md',
    '--storage.tsdb.min-block-duration',
    'window-exceeds-block',
    prom({ flags: { 'storage.tsdb.min-block-duration': '30m' } }),
  ),
  limit('prometheus.md', '--enable-feature=native-histograms', 'histograms-refused', {
    ...prom({ flags: { 'enable-feature': '' } }),
    hasHistograms: true,
  }),
  limit('prometheus.md', 'external_labels', 'source-adds-labels', fromProm({ yaml: EXTERNAL })),
  limit('prometheus.md', 'external_labels', 'progress-adds-labels', prom({ yaml: EXTERNAL })),
  limit(
    'prometheus.md',
    '--storage.remote.read-max-bytes-in-frame',
    'frames-exceed-limit',
    fromProm({ flags: { 'storage.remote.read-max-bytes-in-frame': 2 ** 27 } }),
  ),

  limit('victoriametrics.md', '-dedup.minScrapeInterval', 'source-deduplicates', {
    source: victoriaMetricsWith({ 'dedup.minScrapeInterval': '30s' }),
  }),
  limit('victoriametrics.md', '-retentionPeriod', 'destination-retention', vm({ retentionPeriod: '1' })),
  limit('victoriametrics.md', '-futureRetention', 'samples-in-future', {
    ...vm({}),
    changes: { ...inTenDays, protocol: 'PromQL' },
  }),
  limit('victoriametrics.md', '-maxLabelsPerTimeseries', 'labels-exceed-limit', vm({ maxLabelsPerTimeseries: 1 })),
  limit('victoriametrics.md', '-maxLabelValueLen', 'labels-exceed-limit', vm({ maxLabelValueLen: '3B' })),
  limit('victoriametrics.md', '-maxLabelNameLen', 'labels-exceed-limit', vm({ maxLabelNameLen: 3 })),
  limit('victoriametrics.md', '-storage.maxHourlySeries', 'series-exceed-limit', vm({ 'storage.maxHourlySeries': 1 })),
  limit('victoriametrics.md', '-storage.maxDailySeries', 'series-exceed-limit', vm({ 'storage.maxDailySeries': 1 })),
  limit(
    'victoriametrics.md',
    '-dedup.minScrapeInterval',
    'destination-deduplicates',
    vm({ 'dedup.minScrapeInterval': '30s' }),
  ),

  limit('thanos.md', '--tsdb.out-of-order.time-window', 'probe-too-old', {
    destination: behindNewer(thanos()),
    probeWrite: true,
    changes: { protocol: 'PromQL' },
  }),
  ...[
    '--tsdb.out-of-order.time-window',
    '--tsdb.retention',
    '--tsdb.too-far-in-future.time-window',
    '--tsdb.enable-native-histograms',
    'the write limits of Receive',
  ].map((setting) =>
    limit('thanos.md', setting, 'limits-not-shown', { destination: thanos(), changes: { protocol: 'PromQL' } }),
  ),
  limit('m3.md', 'coldWritesEnabled', 'probe-too-old', { destination: m3({ coldWrites: false }), probeWrite: true }),
  ...['coldWritesEnabled', 'bufferPast', 'bufferFuture', 'retentionPeriod'].map((setting) =>
    limit('m3.md', setting, 'limits-not-shown', { destination: m3() }),
  ),
  ...['the retention policy', 'max-series-per-database', 'max-values-per-tag'].map((setting) =>
    ofProduct('influxdb.md', setting, 'limits-not-shown', 'InfluxDB'),
  ),
  ofProduct('amp.md', 'outOfOrderTimeWindowInSeconds', 'limits-not-shown', 'Amazon Managed Prometheus'),
  ofProduct('grafana-cloud.md', 'out_of_order_time_window', 'limits-not-shown', 'Grafana Cloud'),
  ofProduct('greptimedb.md', 'the TTL of the database', 'limits-not-shown', 'GreptimeDB'),
  ofProduct('azure-monitor.md', '20 minutes', 'age-exceeds-limit', 'Azure Monitor'),
];
