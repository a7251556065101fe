// Which settings fit what was seen. Pure.

import type { Product, ServerReport } from '../../remote/server-report.ts';
import type { Observations } from './observations.ts';
import type { Recommended } from './preflight-result.ts';
import { acceptsAnyOrder } from './store-traits.ts';

const HOUR_MS = 3_600_000;
const MAX_PARALLELISM = 4;
const MANY_SERIES = 300_000;
const MEMORY_FOR_MANY_BYTES = 512 * 1024 * 1024;

/** Of the rate that the destination allows, if it has live writes: the rest is theirs. */
const RATE_SHARE = 0.8;

/** How large requests may be, where the destination does not show it. */
const SAMPLES_PER_WRITE: { readonly [product in Product]?: number } = {
  // At most about 1 MB.
  'Amazon Managed Prometheus': 5000,
};

/** @returns undefined without an estimate */
export function recommend(seen: Observations): Recommended | undefined {
  const { plan, servers, estimate } = seen;
  if (estimate === undefined) return undefined;
  const ordering = orderingFor(plan.destination.ordering, servers.destination);
  const samplesPerSecond = rateFor(seen);
  // Stretches side by side need a store that accepts any order, and time to be worth it.
  const hours = Math.floor(estimate.durationMs.value / HOUR_MS);
  const isLimited = samplesPerSecond !== undefined || plan.limits.bytesPerSecond !== undefined || holdsBack(seen);
  const parallelism = ordering === 'Any' && !isLimited ? Math.max(1, Math.min(MAX_PARALLELISM, hours)) : 1;
  const many = estimate.series.value > MANY_SERIES;
  return {
    ordering,
    parallelism,
    memoryBytes: many ? Math.max(plan.limits.memoryBytes, MEMORY_FOR_MANY_BYTES) : plan.limits.memoryBytes,
    inFlightWrites: plan.limits.inFlightWrites,
    samplesPerSecond,
    samplesPerWrite: requestFor(seen),
  };
}

/** With Prometheus, `Any` can lose new series at a restart: only a user can choose it. */
function orderingFor(wanted: Recommended['ordering'], server: ServerReport | undefined): Recommended['ordering'] {
  if (acceptsAnyOrder(server?.product)) return 'Any';
  return server?.outOfOrderMs === 0 ? 'InOrder' : wanted;
}

/** A rate that the destination alone limits is followed, and needs no setting. */
function rateFor({ plan, servers, destination }: Observations): number | undefined {
  const own = plan.limits.samplesPerSecond;
  const allowed = servers.destination?.limits?.samplesPerSecond;
  if (allowed === undefined || destination.hasNewer !== true) return own;
  return Math.max(1, Math.min(own ?? Number.POSITIVE_INFINITY, Math.floor(RATE_SHARE * allowed.value)));
}

/** Whether the destination accepts samples more slowly than the source sends them. */
function holdsBack({ servers, estimate }: Observations): boolean {
  const allowed = servers.destination?.limits?.samplesPerSecond;
  if (allowed === undefined || estimate === undefined) return false;
  return (1000 * estimate.samples.value) / allowed.value > estimate.durationMs.value;
}

function requestFor({ plan, servers: { destination } }: Observations): number {
  const largest = destination?.product === undefined ? undefined : SAMPLES_PER_WRITE[destination.product];
  const burst = destination?.limits?.samplesPerBurst?.value;
  const most = Math.min(largest ?? Number.POSITIVE_INFINITY, burst ?? Number.POSITIVE_INFINITY);
  return Math.max(1, Math.min(plan.limits.samplesPerWrite, most));
}
