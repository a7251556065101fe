// Which settings fit what was seen. Pure.

import type { Observations } from './observations.ts';
import type { Recommended } from './preflight-result.ts';

const HOUR_MS = 3_600_000;
const MAX_PARALLELISM = 4;
const MANY_SERIES = 300_000;
const MEMORY_FOR_MANY_BYTES = 512 * 1024 * 1024;

/** @returns undefined without an estimate */
export function recommend({ plan, servers, estimate }: Observations): Recommended | undefined {
  if (estimate === undefined) return undefined;
  const { product, outOfOrderMs } = servers.destination ?? {};
  const ordering = orderingFor(plan.destination.ordering, product, outOfOrderMs);
  // Stretches side by side need a store that accepts any order, and time to be worth it.
  const hours = Math.floor(estimate.durationMs.value / HOUR_MS);
  const isLimited = plan.limits.samplesPerSecond !== undefined || plan.limits.bytesPerSecond !== undefined;
  const parallelism = ordering === 'Any' && !isLimited ? Math.max(1, Math.min(MAX_PARALLELISM, hours)) : 1;
  const many = estimate.series.value > MANY_SERIES;
  return {
    ordering,
    parallelism,
    memoryBytes: many ? Math.max(plan.limits.memoryBytes, MEMORY_FOR_MANY_BYTES) : plan.limits.memoryBytes,
    inFlightWrites: plan.limits.inFlightWrites,
    samplesPerSecond: plan.limits.samplesPerSecond,
  };
}

/** With Prometheus, `Any` can lose new series at a restart: only a user can choose it. */
function orderingFor(
  wanted: Recommended['ordering'],
  product: string | undefined,
  outOfOrderMs: number | undefined,
): Recommended['ordering'] {
  if (product === 'VictoriaMetrics' || product === 'InfluxDB') return 'Any';
  return product === 'Prometheus' && outOfOrderMs === 0 ? 'InOrder' : wanted;
}
