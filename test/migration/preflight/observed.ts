// What was seen of both sides, for the tests of the findings.

import type { FindingCode } from '../../../src/migration/preflight/finding-codes.ts';
import type { Observations } from '../../../src/migration/preflight/observations.ts';
import type { ProbeWindow } from '../../../src/migration/preflight/probe-window.ts';
import type { Estimate } from '../../../src/migration/preflight/preflight-result.ts';
import type { LimitKind, ShownLimits } from '../../../src/remote/shown-limits.ts';
import type { ServerReport } from '../../../src/remote/server-report.ts';
import { dayMs, epochMs, hourMs, planFor } from '../support/plan.ts';

const SIDES = {
  source: { readUrl: 'http://s' },
  destination: { writeUrl: 'http://d', readUrl: 'http://d', queryUrl: 'http://d' },
};
const RANGE = { startMs: epochMs, endMs: epochMs + 10 * dayMs };
export const planOf = (changes: Parameters<typeof planFor>[1] = {}) => planFor(SIDES, { ...RANGE, ...changes });

export const UNKNOWN: ServerReport = {
  ...{ product: undefined, version: undefined, clockAheadMs: undefined, startedAt: undefined, newestMs: undefined },
  ...{ retentionMs: undefined, outOfOrderMs: undefined, scrapes: undefined },
  ...{ acceptsWrites: undefined, acceptsHistograms: undefined },
};

/** A new one that was prepared for a copy. */
export const PROMETHEUS: ServerReport = {
  ...UNKNOWN,
  ...{ product: 'Prometheus', version: '3.5.0', clockAheadMs: 0, startedAt: 'then', retentionMs: 365 * dayMs },
  ...{ outOfOrderMs: 0, scrapes: false, acceptsWrites: true, acceptsHistograms: true },
};
export const VICTORIAMETRICS: ServerReport = { ...UNKNOWN, product: 'VictoriaMetrics', retentionMs: 365 * dayMs };

export function windowAt(fromMs: number, changes: Partial<ProbeWindow> = {}): ProbeWindow {
  return {
    ...{ fromMs, toMs: fromMs + hourMs, series: 5, samples: 100, histograms: 0, samplesReceived: 100 },
    ...{ bytesReceived: 1000, entries: 5, labelBytes: 500, seconds: 0.1, seriesOfSelector: [5] },
    ...{ seriesDropped: 0, seriesInvalid: 0, names: new Map(), encoded: undefined },
    ...changes,
  };
}
export const EMPTY = { series: 0, samples: 0, seriesOfSelector: [0] };
export const WINDOWS = [0, 3, 6, 9].map((day) => windowAt(epochMs + day * dayMs));
export const eachWindow = (changes: Partial<ProbeWindow>) => WINDOWS.map((window) => ({ ...window, ...changes }));

export function seenWith(changes: Partial<Observations> = {}): Observations {
  return {
    ...{ plan: planOf(), nowMs: epochMs + 20 * dayMs, ...RANGE, refusals: [], windows: WINDOWS, tooLarge: [] },
    servers: { source: PROMETHEUS, destination: PROMETHEUS, progress: PROMETHEUS },
    destination: { hasMark: false, presentAtMs: [], hasNewer: false },
    estimate: undefined,
    ...changes,
  };
}

export const into = (destination: ServerReport) => ({
  servers: { source: PROMETHEUS, destination, progress: destination },
});
export const newer = { ...PROMETHEUS, newestMs: epochMs + 19 * dayMs };

export interface Case {
  readonly name: string;
  readonly seen: Partial<Observations>;
  readonly codes: readonly FindingCode[];
  /** Of the first finding. */
  readonly says?: RegExp;
}

const exactly = (value: number) => ({ value, low: value, high: value });

export const ESTIMATE: Estimate = {
  ...{ startMs: epochMs, endMs: epochMs + 10 * dayMs, series: exactly(5000), samples: exactly(3_600_000) },
  ...{ histograms: 0, bytesRead: exactly(1e7), bytesWritten: exactly(1e7), windows: exactly(240) },
  ...{ durationMs: exactly(60_000), limitedDurationMs: undefined, peakMemoryBytes: exactly(1e8) },
  ...{ bytesPerSecondRead: 1e6, largestNames: [], overTime: [], probes: 20, probed: 0.1 },
};

type Values = { readonly [kind in LimitKind]?: number };

export const limitsOf = (values: Values): ShownLimits =>
  Object.fromEntries(Object.entries(values).map(([kind, value]) => [kind, { value, setting: `the ${kind}` }]));

/** A tenant whose window reaches everything. */
export const cortex = (values: Values = {}, changes: Partial<ServerReport> = {}): ServerReport => ({
  ...UNKNOWN,
  product: 'Cortex',
  limits: limitsOf({ outOfOrder: 100 * dayMs, ...values }),
  outOfOrderMs: values.outOfOrder ?? 100 * dayMs,
  ...changes,
});
