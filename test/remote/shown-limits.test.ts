// Which limits the configuration of a store shows.

import assert from 'node:assert/strict';
import {
  type LimitKind,
  type ShownLimits,
  tenantConfig,
  type TenantTexts,
  victoriaMetricsLimits,
} from '../../src/remote/shown-limits.ts';
import { productOfUrl } from '../../src/remote/url-product.ts';
import { scalarAt, yamlScalars } from '../../src/remote/yaml-scalars.ts';

const DAY_MS = 86_400_000;

/** As `/config` of Mimir prints it, shortened. */
const MIMIR = `target: all
multitenancy_enabled: true
distributor:
    ha_tracker:
        enable_ha_tracker: true
limits:
    ingestion_rate: 10000
    ingestion_burst_size: 200000
    accept_ha_samples: false
    ha_cluster_label: cluster
    ha_replica_label: __replica__
    drop_labels: []
    max_label_names_per_series: 30
    max_label_name_length: 1024
    max_label_value_length: 2048
    past_grace_period: 0s
    creation_grace_period: 10m
    metric_relabel_configs:
        - source_labels: [a]
          regex: ingestion_rate
    max_global_series_per_user: 150000
    max_global_series_per_metric: 0
    native_histograms_ingestion_enabled: true
    out_of_order_time_window: 0s
    max_fetched_series_per_query: 0
    max_partial_query_length: 0s
    max_query_lookback: 0s
    compactor_blocks_retention_period: 0s
`;

const CORTEX = `auth_enabled: true
storage:
  engine: blocks
limits:
  ingestion_rate: 25000
  ingestion_burst_size: 50000
  reject_old_samples: false
  reject_old_samples_max_age: 2w
  max_series_per_user: 5000000
  max_series_per_metric: 50000
  max_global_series_per_user: 0
  max_query_lookback: 1w
  enable_native_histograms: false
`;

const texts = (changes: Partial<TenantTexts>): TenantTexts => ({
  ...{ config: undefined, runtimeConfig: undefined, userLimits: undefined, tenant: undefined },
  ...changes,
});

const valuesOf = (limits: ShownLimits = {}) =>
  Object.fromEntries(Object.entries(limits).map(([kind, { value }]) => [kind, value]));

describe('the limits of a tenant', () => {
  it('are those of the configuration, without what is unlimited', () => {
    const found = tenantConfig(texts({ config: MIMIR }));
    assert.equal(found?.product, 'Mimir');
    assert.deepEqual(valuesOf(found.limits), {
      ...{ labelNames: 30, labelNameLength: 1024, labelValueLength: 2048, series: 150_000 },
      ...{ samplesPerSecond: 10_000, samplesPerBurst: 200_000, outOfOrder: 0, future: 600_000 },
    });
    assert.equal(found.acceptsHistograms, true);
    assert.equal(found.haTracker, undefined);
  });

  it('are those of Cortex with its names', () => {
    const found = tenantConfig(texts({ config: CORTEX }));
    assert.equal(found?.product, 'Cortex');
    assert.deepEqual(found.limits.series, { value: 5_000_000, setting: 'max_series_per_user' });
    assert.deepEqual(found.limits.lookback, { value: 7 * DAY_MS, setting: 'max_query_lookback' });
    assert.equal(found.limits.age, undefined);
    assert.equal(found.acceptsHistograms, false);
    assert.equal(found.isChunksStorage, false);
  });

  it('are overridden for one tenant, and no other', () => {
    const runtimeConfig =
      'overrides:\n    other:\n        ingestion_rate: 1\n    "team-a":\n        ingestion_rate: 2.5e+06\n        accept_ha_samples: true\n';
    const found = tenantConfig(texts({ config: MIMIR, runtimeConfig, tenant: 'team-a' }));
    assert.equal(found?.limits.samplesPerSecond?.value, 2_500_000);
    assert.deepEqual(found.haTracker, { clusterLabel: 'cluster', replicaLabel: '__replica__' });
    assert.equal(tenantConfig(texts({ config: MIMIR, runtimeConfig }))?.limits.samplesPerSecond?.value, 10_000);
  });

  it('are shown by user_limits if there is nothing else', () => {
    const userLimits = JSON.stringify({
      ...{ ingestion_rate: 10, max_global_series_per_user: 20, compactor_blocks_retention_period_seconds: 86_400 },
    });
    const found = tenantConfig(texts({ userLimits }));
    assert.deepEqual(valuesOf(found?.limits), { samplesPerSecond: 10, series: 20, retention: DAY_MS });
  });

  const ages: readonly [name: string, lines: string, expected: number | undefined][] = [
    ['no rejection of old samples', '  reject_old_samples: false\n  reject_old_samples_max_age: 1d\n', undefined],
    ['a rejection of old samples', '  reject_old_samples: true\n  reject_old_samples_max_age: 1d\n', DAY_MS],
    ['a grace period beside a window', '  past_grace_period: 1d\n  out_of_order_time_window: 2d\n', 3 * DAY_MS],
    ['a grace period', '  past_grace_period: 1h0m0s\n', DAY_MS / 24],
  ];
  for (const [name, lines, expected] of ages) {
    it(`show the oldest age: ${name}`, () => {
      const config = `auth_enabled: true\nlimits:\n  ingestion_rate: 1\n${lines}`;
      assert.equal(tenantConfig(texts({ config }))?.limits.age?.value, expected);
    });
  }

  it('show the chunks storage', () => {
    const config = 'auth_enabled: false\nstorage:\n  engine: chunks\nlimits:\n  ingestion_rate: 1\n';
    assert.equal(tenantConfig(texts({ config }))?.isChunksStorage, true);
  });

  for (const config of ['', '<html>', 'limits:\n  ingestion_rate: 1\n', 'auth_enabled: true\n', '{}', 'limits: 3']) {
    it(`are not read from ${JSON.stringify(config)}`, () =>
      assert.equal(tenantConfig(texts({ config, userLimits: config })), undefined));
  }
});

describe('the limits of VictoriaMetrics', () => {
  const cases: readonly [flag: string, value: string | undefined, kind: LimitKind, expected: number | undefined][] = [
    ['maxLabelsPerTimeseries', undefined, 'labelNames', 40],
    ['maxLabelsPerTimeseries', '60', 'labelNames', 60],
    ['maxLabelValueLen', undefined, 'labelValueLength', 4096],
    ['maxLabelValueLen', '16KiB', 'labelValueLength', 16_384],
    ['maxLabelNameLen', '300', 'labelNameLength', 300],
    ['storage.maxHourlySeries', undefined, 'newSeriesPerHour', undefined],
    ['storage.maxHourlySeries', '1000', 'newSeriesPerHour', 1000],
    ['storage.maxDailySeries', '0', 'newSeriesPerDay', undefined],
    ['futureRetention', undefined, 'future', 2 * DAY_MS],
    ['dedup.minScrapeInterval', '30s', 'deduplication', 30_000],
    ['dedup.minScrapeInterval', '0s', 'deduplication', undefined],
    ['dedup.minScrapeInterval', 'soon', 'deduplication', undefined],
  ];
  for (const [flag, value, kind, expected] of cases) {
    it(`show ${kind} ${expected ?? 'as unlimited'} with -${flag}=${value ?? 'its default'}`, () => {
      const limits = victoriaMetricsLimits((name) => (name === flag ? value : undefined));
      const isDefault = value === undefined ? ({ isDefault: true } as const) : {};
      const shown = { value: expected, setting: `-${flag}`, ...isDefault };
      assert.deepEqual(limits[kind], expected === undefined ? undefined : shown);
    });
  }
});

describe('the scalars of a printed YAML document', () => {
  it('leaves out lines that no configuration has, and spaces at the end', () => {
    const long = `a: x${' '.repeat(1_000_000)}y`;
    const scalars = yamlScalars(`${long}\nb: 2   \n`);
    assert.deepEqual([scalarAt(scalars, 'a'), scalarAt(scalars, 'b')], [undefined, '2']);
  });

  it('are found by their path, and quotes are removed', () => {
    const scalars = yamlScalars(
      'a:\n  b: "1"\n  c:\n    - x: 1\n      y: 2\n  d: \'e f\'\n# g: 1\nb: 2\n"h i":\n  j: 3\n',
    );
    assert.equal(scalarAt(scalars, 'a', 'b'), '1');
    assert.equal(scalarAt(scalars, 'a', 'd'), 'e f');
    assert.equal(scalarAt(scalars, 'b'), '2');
    assert.equal(scalarAt(scalars, 'h i', 'j'), '3');
    assert.equal(scalarAt(scalars, 'a', 'y'), undefined);
  });
});

describe('the product of a URL', () => {
  const cases: readonly [url: string, expected: string | undefined][] = [
    ['http://thanos-receive:19291/api/v1/receive', 'Thanos'],
    ['http://m3coordinator:7201/api/v1/prom/remote/write', 'M3'],
    ['http://influxdb:8086/api/v1/prom/write?db=x', 'InfluxDB'],
    ['http://greptimedb:4000/v1/prometheus/write?db=public', 'GreptimeDB'],
    [
      'https://aps-workspaces.eu-central-1.amazonaws.com/workspaces/ws-0/api/v1/remote_write',
      'Amazon Managed Prometheus',
    ],
    ['https://x.eu-1.metrics.ingest.monitor.azure.com/dataCollectionRules/dcr-1/api/v1/write', 'Azure Monitor'],
    ['https://prometheus-prod-01-eu-west-0.grafana.net/api/prom/push', 'Grafana Cloud'],
    ['http://prometheus:9090/api/v1/write', undefined],
    ['http://cortex/api/v1/push', undefined],
    ['http://promscale:9201/write', undefined],
  ];
  for (const [url, expected] of cases) it(`is ${expected} for ${url}`, () => assert.equal(productOfUrl(url), expected));
});
