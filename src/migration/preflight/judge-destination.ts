// What the destination will not accept, keep or show. Pure.

import { formatDuration, formatTimeShort } from '../../telemetry/format.ts';
import { type Observations, oldestMs } from './observations.ts';
import { type Finding, finding } from './preflight-result.ts';
import { acceptsAnyOrder, retentionSetting } from './store-traits.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const OOO = 'storage.tsdb.out_of_order_time_window';

export function judgeDestination(seen: Observations): Finding[] {
  return [
    ...judgeReceiver(seen),
    ...judgeAge(seen),
    ...judgeRetention(seen),
    ...judgeHistograms(seen),
    ...judgePresentData(seen),
    ...judgeOrdering(seen),
  ];
}

function judgeReceiver({ servers: { destination } }: Observations): Finding[] {
  if (destination?.product !== 'Prometheus' || destination.acceptsWrites !== false) return [];
  return [
    finding('receiver-off', {
      side: 'destination',
      has: `Prometheus ${destination.version} without a remote write receiver`,
      needs: 'a server that accepts remote write',
      setting: '--web.enable-remote-write-receiver',
    }),
  ];
}

/** A head like that of Prometheus accepts what is up to an hour older than its newest sample, and older samples only in its out-of-order window. */
function judgeAge(seen: Observations): Finding[] {
  const { plan, nowMs, estimate } = seen;
  const { destination } = seen.servers;
  if (destination?.product !== 'Prometheus' || destination.outOfOrderMs === undefined) return [];
  const { outOfOrderMs, newestMs, scrapes } = destination;
  const oldest = oldestMs(seen);
  const findings: Finding[] = [];
  const side = 'destination';
  if (outOfOrderMs === 0) findings.push(...withoutWindow(seen));
  if (oldest === undefined) return findings;
  const neededMs = newestMs === undefined ? 0 : newestMs - oldest;
  const durationMs = Math.max(estimate?.durationMs.high ?? 0, estimate?.limitedDurationMs?.high ?? 0);
  if (newestMs !== undefined && neededMs > Math.max(outOfOrderMs, HOUR_MS)) {
    const goal = wholeDays(Math.max(neededMs, nowMs - oldest) + durationMs);
    findings.push(
      finding('behind-newer-data', {
        side,
        has: `${windowText(outOfOrderMs)}, and samples up to ${formatTimeShort(newestMs)}`,
        needs: `room for samples from ${formatTimeShort(oldest)}: ${formatDuration(neededMs)} behind`,
        setting: OOO,
        cure: `set ${OOO}: ${goal} in the prometheus.yml of the destination, or copy into an empty server that scrapes nothing`,
      }),
    );
  } else if (
    outOfOrderMs > 0 &&
    nowMs - oldest + durationMs > outOfOrderMs &&
    (scrapes === true || newestMs !== undefined)
  ) {
    findings.push(
      finding('window-soon-too-small', {
        side,
        has: windowText(outOfOrderMs),
        needs: `${wholeDays(nowMs - oldest + durationMs)}, until the copy has finished`,
        setting: OOO,
      }),
    );
  }
  if (outOfOrderMs === 0 && scrapes === true && nowMs - oldest > HOUR_MS && plan.destination.ordering === 'InOrder') {
    findings.push(
      finding('destination-scrapes', {
        side,
        has: 'scrape_configs, and no out-of-order window',
        needs: `a newest sample that is at most an hour after ${formatTimeShort(oldest)}`,
        setting: 'scrape_configs',
      }),
    );
  }
  return findings;
}

function withoutWindow({ plan, servers }: Observations): Finding[] {
  const { version } = servers.destination ?? {};
  const { parallelism, order, mode } = plan.execution;
  const has = `Prometheus ${version ?? ''} without an out-of-order window`;
  const findings: Finding[] = [];
  if (plan.destination.ordering === 'Any')
    findings.push(
      finding('any-needs-window', {
        side: 'destination',
        has,
        needs: 'samples in any order',
        setting: 'spec.destination.ordering',
      }),
    );
  if (parallelism > 1 || order === 'NewestFirst' || (mode === 'Job' && parallelism !== 1))
    findings.push(
      finding('stretches-need-window', {
        side: 'destination',
        has,
        needs: order === 'NewestFirst' ? 'old stretches after newer ones' : `${parallelism} stretches at once`,
        setting: 'spec.execution',
      }),
    );
  return findings;
}

function judgeRetention(seen: Observations): Finding[] {
  const { servers, nowMs } = seen;
  const { retentionMs } = servers.destination ?? {};
  const oldest = oldestMs(seen);
  if (retentionMs === undefined || oldest === undefined || nowMs - oldest <= retentionMs) return [];
  return [
    finding('destination-retention', {
      side: 'destination',
      has: `a retention of ${formatDuration(retentionMs)}`,
      needs: `${wholeDays(nowMs - oldest)}, for samples from ${formatTimeShort(oldest)}`,
      setting: retentionSetting(servers.destination),
    }),
  ];
}

function judgeHistograms({ plan, windows, servers: { destination } }: Observations): Finding[] {
  const histograms = windows.reduce((sum, window) => sum + window.histograms, 0);
  if (histograms === 0) return [];
  const { product = 'a store', version = '', acceptsHistograms } = destination ?? {};
  const needs = `native histograms: ${histograms} in the probed windows`;
  const side = 'destination';
  if (acceptsHistograms === false || product === 'M3') {
    const grade = plan.rejectedSamples === 'Skip' ? 'warns' : 'blocks';
    const has = `${`${product} ${version}`.trim()} without native histograms`;
    const setting = HISTOGRAM_SETTINGS[product];
    return [finding('histograms-refused', { side, grade, has, needs, ...(setting !== undefined && { setting }) })];
  }
  const changes = HISTOGRAM_CHANGES[product];
  return changes === undefined ? [] : [finding('histograms-changed', { side, has: changes, needs })];
}

const HISTOGRAM_SETTINGS: Readonly<Record<string, string>> = {
  Prometheus: '--enable-feature=native-histograms',
  Mimir: 'native_histograms_ingestion_enabled',
  Cortex: 'enable_native_histograms',
};

const HISTOGRAM_CHANGES: Readonly<Record<string, string>> = {
  InfluxDB: 'InfluxDB, which drops them',
  GreptimeDB: 'GreptimeDB, which has no native histograms',
  VictoriaMetrics: 'VictoriaMetrics, which drops them or stores vmrange buckets instead',
};

function judgePresentData({ plan, windows, servers, destination }: Observations): Finding[] {
  const { hasMark, presentAtMs, hasNewer } = destination;
  const side = 'progress';
  if (hasMark === true)
    return [finding('copy-has-begun', { side, has: 'a progress mark of this migration', needs: 'nothing more' })];
  const findings: Finding[] = [];
  const [first] = presentAtMs;
  if (first !== undefined)
    findings.push(
      finding('destination-has-data', {
        side,
        has: `samples of the selected series in ${presentAtMs.length} of the probed windows, at ${formatTimeShort(first)} first`,
        needs: 'a range without them, or a store that keeps one sample per timestamp',
        setting: 'spec.timeRange',
      }),
    );
  const isJudgedByAge = servers.destination?.outOfOrderMs !== undefined;
  const takesAnyOrder = acceptsAnyOrder(servers.destination?.product);
  if (
    hasNewer === true &&
    !isJudgedByAge &&
    !takesAnyOrder &&
    plan.destination.ordering === 'InOrder' &&
    windows.length > 0
  )
    findings.push(
      finding('newer-series-data', {
        side,
        has: 'samples of the selected series after the end of the range',
        needs: 'room for samples that are older than these',
        setting: 'out_of_order_time_window',
      }),
    );
  return findings;
}

function judgeOrdering({ plan, servers: { destination } }: Observations): Finding[] {
  const { product } = destination ?? {};
  if (plan.destination.ordering !== 'InOrder' || !acceptsAnyOrder(product)) return [];
  return [
    finding('any-is-faster', {
      side: 'destination',
      has: `${product}, which accepts samples in any order`,
      needs: 'nothing more',
      setting: 'spec.destination.ordering',
    }),
  ];
}

function windowText(ms: number): string {
  return ms === 0 ? 'no out-of-order window' : `an out-of-order window of ${formatDuration(ms)}`;
}

/** As Prometheus spells it, rounded up. */
function wholeDays(ms: number): string {
  return `${Math.ceil(ms / DAY_MS)}d`;
}
