// What follows from the samples that `plan --probe-write` has written. Pure.

import type { Product } from '../../remote/server-report.ts';
import { formatTimeShort } from '../../telemetry/format.ts';
import { PROGRESS_METRIC } from '../progress/progress-mark.ts';
import type { Observations, ProbeOutcome } from './observations.ts';
import { type Finding, finding } from './preflight-result.ts';
import { PROBE_VALUE } from './probe-series.ts';

const SIDE = 'destination';
const AGE_REASONS: readonly (string | undefined)[] = ['too_old', 'out_of_order'];

export function judgeProbe(seen: Observations): Finding[] {
  const { probe = [] } = seen;
  const findings = probe.flatMap((outcome) => judgeOutcome(outcome, seen));
  // Samples of the same time are refused for the same reason.
  const different = findings.filter(({ code }, index) => findings.findIndex((other) => other.code === code) === index);
  return [...different, ...judgeWritten(probe)];
}

function judgeOutcome(outcome: ProbeOutcome, seen: Observations): Finding[] {
  const { error, isShown, isUnproven, like, timeMs } = outcome;
  const time = formatTimeShort(timeMs);
  const needs = `a sample from ${time}${like === 'mark' ? '' : `, with the ${LIKES[like]} of the data`}`;
  const grade = error?.isOfSamples === true && seen.plan.rejectedSamples === 'Skip' ? 'warns' : 'blocks';
  if (error !== undefined) {
    const has = `${error.code}: ${error.message}`;
    if (!AGE_REASONS.includes(error.reason)) {
      const cure = error.hint === undefined ? {} : { cure: error.hint };
      return [finding('probe-refused', { side: SIDE, grade, has, needs, ...cure })];
    }
    const setting = windowSetting(seen.servers.destination?.product);
    return [finding('probe-too-old', { side: SIDE, grade, has, needs, ...(setting !== undefined && { setting }) })];
  }
  if (isShown !== false) return [];
  if (isUnproven)
    return [
      finding('probe-dropped', { side: SIDE, has: 'a 202, and the sample is not there', needs, setting: 'ha_tracker' }),
    ];
  return [finding('probe-not-shown', { side: SIDE, has: 'accepted, but not shown within 15 seconds', needs })];
}

const LIKES = { widest: 'most labels', longest: 'longest label' } as const;

const WINDOW_SETTINGS: { readonly [product in Product]?: string } = {
  'Amazon Managed Prometheus': 'outOfOrderTimeWindowInSeconds',
  Cortex: 'out_of_order_time_window',
  'Grafana Cloud': 'out_of_order_time_window',
  InfluxDB: 'the retention policy',
  M3: 'coldWritesEnabled',
  Mimir: 'out_of_order_time_window',
  Prometheus: 'storage.tsdb.out_of_order_time_window',
  Thanos: '--tsdb.out-of-order.time-window',
};

function windowSetting(product: Product | undefined): string | undefined {
  return product === undefined ? undefined : WINDOW_SETTINGS[product];
}

function judgeWritten(probe: readonly ProbeOutcome[]): Finding[] {
  const accepted = probe.filter(({ error }) => error === undefined);
  if (accepted.length === 0) return [];
  const times = [...new Set(accepted.map(({ timeMs }) => formatTimeShort(timeMs)))];
  return [
    finding('probe-written', {
      side: SIDE,
      has: `${accepted.length} samples of ${PROGRESS_METRIC}{probe="${PROBE_VALUE}"} at ${times.join(' and ')}`,
      needs: 'nothing more',
    }),
  ];
}
