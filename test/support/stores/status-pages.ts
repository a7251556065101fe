// Fake stores that show their settings as the real ones do: by their configuration, flags and runtime information.

import { cortex } from './cortex.ts';
import type { Behaviour } from './fake-store.ts';
import { prometheus } from './prometheus.ts';
import { victoriametrics } from './victoriametrics.ts';

type Settings = Readonly<Record<string, string | number | boolean>>;

export interface TenantStoreOptions {
  readonly product: 'Cortex' | 'Mimir';
  /** The limits of the configuration. */
  readonly limits?: Settings;
  /** What the runtime configuration overrides for the only tenant. */
  readonly overrides?: Settings;
  readonly haTracker?: boolean;
  readonly engine?: 'blocks' | 'chunks';
}

/** Cortex, or Mimir, which behaves like it apart from its names. Both behave as their limits say. */
export function tenantStore(options: TenantStoreOptions): Behaviour {
  const { product, limits = {}, overrides = {}, haTracker = false, engine = 'blocks' } = options;
  const indent = product === 'Mimir' ? '    ' : '  ';
  const linesOf = (settings: Settings, depth: number) =>
    Object.entries(settings).map(([key, value]) => `${indent.repeat(depth)}${key}: ${value}\n`);
  const defaults = { ingestion_rate: 1_000_000, out_of_order_time_window: '90000h' };
  const config = [
    `${product === 'Mimir' ? 'multitenancy_enabled' : 'auth_enabled'}: false\n`,
    `distributor:\n${indent}ha_tracker:\n${indent.repeat(2)}enable_ha_tracker: ${haTracker}\n`,
    `storage:\n${indent}engine: ${engine}\n`,
    'limits:\n',
    ...linesOf({ ...defaults, ...limits }, 1),
  ];
  const tenant = product === 'Mimir' ? 'anonymous' : 'fake';
  const all = { ...limits, ...overrides };
  const count = (key: string) => (all[key] === undefined ? {} : { value: Number(all[key]) });
  const [names, values, series, fetched] = [
    count('max_label_name_length').value,
    count('max_label_value_length').value,
    (count('max_global_series_per_user') ?? count('max_series_per_user')).value,
    count('max_fetched_series_per_query').value,
  ];
  return {
    ...cortex({
      storage: engine,
      ...(names !== undefined && { maxLabelNameLength: names }),
      ...(values !== undefined && { maxLabelValueLength: values }),
      ...(series !== undefined && { maxSeriesPerUser: series }),
      ...(fetched !== undefined && { maxFetchedSeries: fetched }),
    }),
    pages: {
      '/config': config.join(''),
      '/runtime_config?mode=diff': [`overrides:\n${indent}${tenant}:\n`, ...linesOf(overrides, 2)].join(''),
    },
  };
}

/** @param flags without their dash, as `/flags` shows those that are set */
export function victoriaMetricsWith(flags: Settings): Behaviour {
  const shown = { httpListenAddr: ':8428', retentionPeriod: '100y', ...flags };
  return {
    ...victoriametrics(),
    pages: {
      '/api/v1/status/buildinfo': JSON.stringify({ status: 'success', data: { version: '2.24.0' } }),
      '/flags': Object.entries(shown)
        .map(([flag, value]) => `-${flag}="${value}"\n`)
        .join(''),
    },
  };
}

export interface PrometheusPages {
  readonly version?: string;
  readonly flags?: Settings;
  readonly yaml?: string;
  readonly retention?: string;
  readonly newestMs?: number;
}

export function prometheusShowing(pages: PrometheusPages): Behaviour {
  const { version = '3.5.0', flags = {}, yaml = 'global: {}\n', retention = '100y', newestMs } = pages;
  const data = (fields: object) => JSON.stringify({ status: 'success', data: fields });
  const defaults = { 'storage.tsdb.min-block-duration': '2h', 'web.enable-remote-write-receiver': 'true' };
  return {
    ...prometheus(),
    pages: {
      '/api/v1/status/buildinfo': data({ version, revision: 'abc' }),
      '/api/v1/status/flags': data(asTexts({ ...defaults, 'enable-feature': 'native-histograms', ...flags })),
      '/api/v1/status/runtimeinfo': data({ startTime: 'then', storageRetention: retention }),
      '/api/v1/status/config': data({ yaml }),
      '/api/v1/status/tsdb': data({ headStats: { maxTime: newestMs ?? Number.MIN_SAFE_INTEGER } }),
    },
  };
}

function asTexts(settings: Settings): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));
}
