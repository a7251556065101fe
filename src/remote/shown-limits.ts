// The limits that a store shows: the configuration and the tenants' overrides of Mimir and Cortex, and the flags of VictoriaMetrics. Pure.

import { promDuration } from './prometheus-duration.ts';
import { scalarAt, type YamlScalars, yamlScalars } from './yaml-scalars.ts';

/** Durations in milliseconds, lengths in bytes. */
export type LimitKind =
  | 'labelNames'
  | 'labelNameLength'
  | 'labelValueLength'
  | 'series'
  | 'seriesPerMetric'
  | 'newSeriesPerHour'
  | 'newSeriesPerDay'
  | 'samplesPerSecond'
  | 'samplesPerBurst'
  /** How far behind its newest sample a tenant accepts samples. 0: not at all. */
  | 'outOfOrder'
  /** How old a sample may be, by the clock of the store. */
  | 'age'
  /** How far in the future it may be. */
  | 'future'
  /** What is older than this is not shown. */
  | 'lookback'
  | 'queryLength'
  | 'seriesPerQuery'
  | 'retention'
  /** Of the samples of a series that are closer together than this, only one is kept. */
  | 'deduplication';

export interface ShownLimit {
  readonly value: number;
  /** As the store spells it. */
  readonly setting: string;
  /** The store does not show it: it is the default of the versions that are known, and other versions may have another one. */
  readonly isDefault?: true;
}

export type ShownLimits = { readonly [kind in LimitKind]?: ShownLimit };

/** A tracker of replicas drops the samples of all but one. */
export interface HaTracker {
  readonly clusterLabel: string;
  readonly replicaLabel: string;
}

export interface TenantConfig {
  readonly product: 'Mimir' | 'Cortex';
  readonly limits: ShownLimits;
  readonly haTracker: HaTracker | undefined;
  readonly acceptsHistograms: boolean | undefined;
  /** Cortex' old chunks storage. */
  readonly isChunksStorage: boolean;
}

export interface TenantTexts {
  /** `/config`. */
  readonly config: string | undefined;
  /** `/runtime_config?mode=diff`. */
  readonly runtimeConfig: string | undefined;
  /** Mimir's `/api/v1/user_limits`. */
  readonly userLimits: string | undefined;
  /** Undefined: the tenant of a store without tenants. */
  readonly tenant: string | undefined;
}

type Lookup = (key: string) => string | undefined;

/** @returns undefined for the texts of another store */
export function tenantConfig({ config, runtimeConfig, userLimits, tenant }: TenantTexts): TenantConfig | undefined {
  const scalars = yamlScalars(config ?? '');
  const isMimir = scalarAt(scalars, 'multitenancy_enabled') !== undefined;
  const isCortex = scalarAt(scalars, 'auth_enabled') !== undefined;
  const ofTenant = userLimitsOf(userLimits);
  const hasLimits = scalarAt(scalars, 'limits', 'ingestion_rate') !== undefined;
  if (!(hasLimits && (isMimir || isCortex)) && ofTenant === undefined) return undefined;
  const product = isCortex && !isMimir ? 'Cortex' : 'Mimir';
  const overrides = yamlScalars(runtimeConfig ?? '');
  const user = tenant ?? (product === 'Cortex' ? 'fake' : 'anonymous');
  const limitOf: Lookup = (key) =>
    scalarAt(overrides, 'overrides', user, key) ?? ofTenant?.get(key) ?? scalarAt(scalars, 'limits', key);
  const histograms =
    limitOf('native_histograms_ingestion_enabled') ??
    limitOf('enable_native_histograms') ??
    scalarAt(scalars, 'blocks_storage', 'tsdb', 'enable_native_histograms');
  return {
    product,
    limits: tenantLimits(limitOf),
    haTracker: haTrackerOf(scalars, limitOf),
    acceptsHistograms: histograms === undefined ? undefined : histograms === 'true',
    isChunksStorage: /^chunks/.test(scalarAt(scalars, 'storage', 'engine') ?? ''),
  };
}

/** 0 means unlimited, unless it stands for a window. */
function tenantLimits(limitOf: Lookup): ShownLimits {
  const count = (...settings: readonly string[]) => smallest(settings, (key) => Number(limitOf(key) ?? Number.NaN));
  const duration = (...settings: readonly string[]) => smallest(settings, (key) => durationOf(limitOf(key)));
  const outOfOrderMs = durationOf(limitOf('out_of_order_time_window'));
  const pastGraceMs = durationOf(limitOf('past_grace_period'));
  const rejectsOld = limitOf('reject_old_samples') === 'true' ? duration('reject_old_samples_max_age') : undefined;
  const age = pastGraceMs > 0 ? { value: pastGraceMs + (outOfOrderMs || 0), setting: 'past_grace_period' } : rejectsOld;
  return defined({
    labelNames: count('max_label_names_per_series'),
    labelNameLength: count('max_label_name_length'),
    labelValueLength: count('max_label_value_length'),
    series: count('max_global_series_per_user', 'max_series_per_user'),
    seriesPerMetric: count('max_global_series_per_metric', 'max_series_per_metric'),
    samplesPerSecond: count('ingestion_rate'),
    samplesPerBurst: count('ingestion_burst_size'),
    outOfOrder: Number.isNaN(outOfOrderMs) ? undefined : { value: outOfOrderMs, setting: 'out_of_order_time_window' },
    age,
    future: duration('creation_grace_period'),
    lookback: duration('max_query_lookback'),
    queryLength: duration('max_partial_query_length', 'max_query_length'),
    seriesPerQuery: count('max_fetched_series_per_query'),
    retention: duration('compactor_blocks_retention_period'),
  });
}

function haTrackerOf(config: YamlScalars, limitOf: Lookup): HaTracker | undefined {
  const isEnabled = scalarAt(config, 'distributor', 'ha_tracker', 'enable_ha_tracker') === 'true';
  if (!isEnabled || limitOf('accept_ha_samples') !== 'true') return undefined;
  const [clusterLabel, replicaLabel] = [limitOf('ha_cluster_label'), limitOf('ha_replica_label')];
  return { clusterLabel: clusterLabel ?? 'cluster', replicaLabel: replicaLabel ?? '__replica__' };
}

function userLimitsOf(text: string | undefined): ReadonlyMap<string, string> | undefined {
  let fields: unknown;
  try {
    fields = JSON.parse(text ?? 'null');
  } catch {
    return undefined;
  }
  if (typeof fields !== 'object' || fields === null || !('max_global_series_per_user' in fields)) return undefined;
  const shown = new Map(Object.entries(fields).map(([key, value]) => [key, String(value)]));
  const seconds = shown.get('compactor_blocks_retention_period_seconds');
  if (seconds !== undefined) shown.set('compactor_blocks_retention_period', `${seconds}s`);
  return shown;
}

/** The defaults of VictoriaMetrics, whose `/flags` shows only what is set. */
const VICTORIAMETRICS_DEFAULTS = {
  maxLabelsPerTimeseries: '40',
  maxLabelNameLen: '256',
  maxLabelValueLen: '4KiB',
  futureRetention: '2d',
} as const;

/** @param flagOf the value of a flag without its dash; undefined if it is not set */
export function victoriaMetricsLimits(flagOf: Lookup): ShownLimits {
  const textOf: Lookup = (flag) => flagOf(flag) ?? VICTORIAMETRICS_DEFAULTS[flag as 'maxLabelNameLen'];
  const limit = (flag: string, value: number): ShownLimit | undefined => {
    if (Number.isNaN(value) || value <= 0) return undefined;
    return { value, setting: `-${flag}`, ...(flagOf(flag) === undefined && { isDefault: true }) };
  };
  const count = (flag: string) => limit(flag, sizeOf(textOf(flag)));
  const duration = (flag: string) => limit(flag, victoriaMetricsDuration(textOf(flag)));
  return defined({
    labelNames: count('maxLabelsPerTimeseries'),
    labelNameLength: count('maxLabelNameLen'),
    labelValueLength: count('maxLabelValueLen'),
    newSeriesPerHour: count('storage.maxHourlySeries'),
    newSeriesPerDay: count('storage.maxDailySeries'),
    future: duration('futureRetention'),
    deduplication: duration('dedup.minScrapeInterval'),
  });
}

/** A number without a unit counts months. */
export function victoriaMetricsDuration(text: string | undefined): number {
  if (text === undefined) return Number.NaN;
  return /^[\d.]+$/.test(text) ? Number(text) * MONTH_MS : durationOf(text);
}

const MONTH_MS = 31 * 86_400_000;

const SIZES: Readonly<Record<string, number>> = { '': 1, B: 1, KB: 1e3, KiB: 1024, MB: 1e6, MiB: 1024 ** 2 };

function sizeOf(text: string | undefined): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([KM]i?B|B)?$/.exec(text ?? '') ?? [];
  return number === undefined ? Number.NaN : Number(number) * (SIZES[unit] ?? Number.NaN);
}

function durationOf(text: string | undefined): number {
  if (text === '0') return 0;
  return (text === undefined ? undefined : promDuration(text)) ?? Number.NaN;
}

/** Of several settings for the same thing, the one that is reached first. */
function smallest(settings: readonly string[], measure: (setting: string) => number): ShownLimit | undefined {
  let found: ShownLimit | undefined;
  for (const setting of settings) {
    const value = measure(setting);
    if (value > 0 && value < (found?.value ?? Number.POSITIVE_INFINITY)) found = { value, setting };
  }
  return found;
}

function defined(limits: { readonly [kind in LimitKind]?: ShownLimit | undefined }): ShownLimits {
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined)) as ShownLimits;
}
