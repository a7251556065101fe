// What exceeds a limit that the destination shows. Pure.

import type { LimitKind, ShownLimit } from '../../remote/shown-limits.ts';
import { formatCount, formatDuration, formatTimeShort } from '../../telemetry/format.ts';
import type { Grade } from './finding-codes.ts';
import { type Observations, oldestMs } from './observations.ts';
import { type Finding, finding } from './preflight-result.ts';
import { KEPT_AGE_MS, unseenLimits } from './store-traits.ts';

const HOUR_MS = 3_600_000;
const SIDE = 'destination';

export function judgeLimits(seen: Observations): Finding[] {
  return [
    ...judgeLabels(seen),
    ...judgeSeriesCounts(seen),
    ...judgeRate(seen),
    ...judgeOldest(seen),
    ...judgeTenantWindow(seen),
    ...judgeNewest(seen),
    ...judgeReplicas(seen),
    ...judgeIntervals(seen),
    ...judgeBlocks(seen),
    ...judgeUnseen(seen),
  ];
}

function judgeLabels({ plan, servers, shape }: Observations): Finding[] {
  if (shape === undefined) return [];
  const cases: readonly [limit: LimitKind, found: number, what: string][] = [
    ['labelNames', shape.mostLabels, 'labels in a series'],
    ['labelNameLength', shape.longestName, 'bytes in the name of a label'],
    ['labelValueLength', shape.longestValue, 'bytes in the value of a label'],
  ];
  return cases.flatMap(([kind, found, what]) => {
    const limit = servers.destination?.limits?.[kind];
    if (limit === undefined || found <= limit.value) return [];
    const isDefault = limit.isDefault === true;
    const grade: Grade = isDefault || plan.rejectedSamples === 'Skip' ? 'warns' : 'blocks';
    const has = `at most ${limit.value} ${what}${isDefault ? ', by default' : ''}`;
    return [
      finding('labels-exceed-limit', { side: SIDE, grade, has, needs: `${found} ${what}`, setting: limit.setting }),
    ];
  });
}

function judgeSeriesCounts({ servers, windows, estimate }: Observations): Finding[] {
  const limits = servers.destination?.limits;
  if (limits === undefined || windows.length === 0) return [];
  const inOneWindow = Math.max(...windows.map(({ series }) => series));
  const inAll = Math.max(inOneWindow, estimate?.series.value ?? 0);
  const [name, ofName] = largestMetric(windows);
  const cases: readonly [limit: LimitKind, certain: number, likely: number, what: string][] = [
    ['series', inOneWindow, inAll, 'series'],
    ['seriesPerMetric', ofName, ofName, `series of ${name.slice(0, 100)}`],
    ['newSeriesPerHour', inOneWindow, inAll, 'new series an hour'],
    ['newSeriesPerDay', inOneWindow, inAll, 'new series a day'],
  ];
  return cases.flatMap(([kind, certain, likely, what]) => {
    const limit = limits[kind];
    if (limit === undefined || likely <= limit.value) return [];
    const isCertain = certain > limit.value;
    return [
      finding('series-exceed-limit', {
        side: SIDE,
        grade: isCertain ? 'blocks' : 'warns',
        has: `at most ${formatCount(limit.value)} ${what}`,
        needs: isCertain ? `${formatCount(certain)} in a single window` : `about ${formatCount(likely)} in the range`,
        setting: limit.setting,
      }),
    ];
  });
}

export function largestMetric(windows: Observations['windows']): [name: string, series: number] {
  let largest: [string, number] = ['', 0];
  for (const { names } of windows)
    for (const [name, { series }] of names) if (series > largest[1]) largest = [name, series];
  return largest;
}

function judgeRate({ plan, servers, estimate }: Observations): Finding[] {
  const { samplesPerBurst, samplesPerSecond } = servers.destination?.limits ?? {};
  const findings: Finding[] = [];
  const { samplesPerWrite } = plan.limits;
  if (samplesPerBurst !== undefined && samplesPerBurst.value < samplesPerWrite)
    findings.push(
      finding('burst-too-small', {
        side: SIDE,
        has: `at most ${samplesPerBurst.value} samples at once`,
        needs: `${samplesPerWrite} samples in a request`,
        setting: samplesPerBurst.setting,
      }),
    );
  if (samplesPerSecond === undefined || estimate === undefined) return findings;
  const ownLimit = plan.limits.samplesPerSecond ?? Number.POSITIVE_INFINITY;
  const fastestMs = (1000 * estimate.samples.value) / samplesPerSecond.value;
  if (fastestMs > estimate.durationMs.high && samplesPerSecond.value < ownLimit)
    findings.push(
      finding('rate-limits-duration', {
        side: SIDE,
        has: `at most ${formatCount(samplesPerSecond.value)} samples a second`,
        needs: `${formatDuration(fastestMs)} for ${formatCount(estimate.samples.value)} samples`,
        setting: samplesPerSecond.setting,
      }),
    );
  return findings;
}

function judgeOldest(seen: Observations): Finding[] {
  const { nowMs, servers, plan } = seen;
  const oldest = oldestMs(seen);
  const { product, limits } = servers.destination ?? {};
  const keptMs = product === undefined ? undefined : KEPT_AGE_MS[product];
  const limit: Partial<ShownLimit> = keptMs === undefined ? (limits?.age ?? {}) : { value: keptMs };
  if (oldest === undefined || limit.value === undefined || nowMs - oldest <= limit.value) return [];
  return [
    finding('age-exceeds-limit', {
      side: SIDE,
      grade: plan.rejectedSamples === 'Skip' ? 'warns' : 'blocks',
      has: `only samples of the last ${formatDuration(limit.value)}`,
      needs: `samples from ${formatTimeShort(oldest)}`,
      ...(limit.setting !== undefined && { setting: limit.setting }),
    }),
  ];
}

/** Of Mimir and Cortex: a tenant accepts what is up to an hour behind its newest sample, and older samples within its window. */
function judgeTenantWindow(seen: Observations): Finding[] {
  const { nowMs, servers, estimate, destination } = seen;
  const window = servers.destination?.limits?.outOfOrder;
  const oldest = oldestMs(seen);
  if (window === undefined || oldest === undefined) return [];
  const durationMs = Math.max(estimate?.durationMs.high ?? 0, estimate?.limitedDurationMs?.high ?? 0);
  const neededMs = nowMs - oldest + durationMs;
  if (neededMs <= Math.max(window.value, HOUR_MS)) return [];
  return [
    finding('needs-out-of-order-window', {
      side: SIDE,
      grade: destination.hasNewer === true ? 'blocks' : 'warns',
      has: window.value === 0 ? 'no out-of-order window' : `an out-of-order window of ${formatDuration(window.value)}`,
      needs: `${formatDuration(neededMs)}, for samples from ${formatTimeShort(oldest)} until the copy has finished`,
      setting: window.setting,
    }),
  ];
}

function judgeNewest({ nowMs, endMs, servers }: Observations): Finding[] {
  const limit = servers.destination?.limits?.future;
  if (limit === undefined || endMs - nowMs <= limit.value) return [];
  return [
    finding('samples-in-future', {
      side: SIDE,
      has: `samples up to ${formatDuration(limit.value)} in the future`,
      needs: `samples up to ${formatTimeShort(endMs)}`,
      setting: limit.setting,
    }),
  ];
}

function judgeReplicas({ servers, shape }: Observations): Finding[] {
  const tracker = servers.destination?.haTracker;
  const replica = tracker && shape?.common[tracker.replicaLabel];
  const cluster = tracker && shape?.common[tracker.clusterLabel];
  if (tracker === undefined || replica === undefined || cluster === undefined) return [];
  return [
    finding('ha-tracker', {
      side: SIDE,
      has: `an HA tracker for ${tracker.clusterLabel} and ${tracker.replicaLabel}`,
      needs: `the samples of the replica ${JSON.stringify(replica.slice(0, 100))}`,
      setting: 'accept_ha_samples',
    }),
  ];
}

function judgeIntervals({ servers, windows }: Observations): Finding[] {
  const limit = servers.destination?.limits?.deduplication;
  if (limit === undefined || limit.value <= 1 || windows.length === 0) return [];
  return [
    finding('destination-deduplicates', {
      side: SIDE,
      has: `one sample of a series in ${formatDuration(limit.value)}`,
      needs: 'every sample',
      setting: limit.setting,
    }),
  ];
}

function judgeBlocks({ plan, servers }: Observations): Finding[] {
  const { minBlockMs, outOfOrderMs } = servers.destination ?? {};
  if (minBlockMs === undefined || outOfOrderMs !== 0 || plan.destination.ordering !== 'InOrder') return [];
  if (plan.window.maxMs <= minBlockMs / 2) return [];
  return [
    finding('window-exceeds-block', {
      side: SIDE,
      has: `blocks of ${formatDuration(minBlockMs)}`,
      needs: `windows of at most ${formatDuration(minBlockMs / 2)}, not ${formatDuration(plan.window.maxMs)}`,
      setting: 'spec.window.max',
    }),
  ];
}

function judgeUnseen({ servers: { destination } }: Observations): Finding[] {
  const limits = destination === undefined ? [] : unseenLimits(destination);
  if (limits.length === 0) return [];
  return [
    finding('limits-not-shown', {
      side: SIDE,
      has: `${destination?.product}, which does not show ${limits.join(', ')}`,
      needs: 'limits that fit the range',
    }),
  ];
}
