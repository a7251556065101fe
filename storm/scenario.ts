// The scenario of a seed: the data to copy, the servers, the settings, and when the process is killed. Drawn from the seed. Pure.

import type { SeriesKind } from '../test/support/dataset.ts';
import type { Way } from './fault-kinds.ts';
import { type Draw, drawFor } from './random.ts';

/** A few series of each kind, or many series with churn. */
const VARIANTS = ['steady', 'churn'] as const;
export type Variant = (typeof VARIANTS)[number];

export const PAIRS = ['prometheus-prometheus', 'prometheus-victoriametrics'] as const;
export type Pair = (typeof PAIRS)[number];

export type DestinationKind = 'prometheus-in-order' | 'prometheus-out-of-order' | 'victoria-metrics';

/** The kill of one run at this moment; it does not happen when the run ends earlier. */
export interface PlannedKill {
  readonly signal: 'SIGKILL' | 'SIGTERM';
  readonly when:
    | { readonly afterMs: number }
    /** The request with this number, counted from the start of the run, has arrived or has been carried out. */
    | { readonly way: Way; readonly request: number; readonly at: 'arrived' | 'carried-out' };
}

export interface Scenario {
  readonly seed: number;
  readonly pair: Pair;
  readonly variant: Variant;
  readonly destination: DestinationKind;
  readonly ordering: 'InOrder' | 'Any';
  readonly readMode: 'Auto' | 'Samples';
  readonly progress: 'RemoteRead' | 'PromQL';
  readonly window: { readonly min: string; readonly max: string; readonly targetSamples: number };
  readonly limits: {
    readonly memory: string;
    readonly inFlightWrites: number;
    readonly samplesPerWrite: number;
  };
  /** Kinds of series that are excluded, because this way of copying cannot transfer them; see EXCLUDED_KINDS. */
  readonly excluded: readonly SeriesKind[];
  /** One per run, in this order. */
  readonly kills: readonly PlannedKill[];
}

const HISTOGRAMS: readonly SeriesKind[] = [
  'integer-histogram',
  'float-histogram',
  'gauge-histogram',
  'custom-bucket-histogram',
];

/** docs/systems/ explains why; the migration loses none of these. */
const EXCLUDED_KINDS: Readonly<Record<DestinationKind | 'Samples', readonly SeriesKind[]>> = {
  // A rejected request leaves its float histograms in the write-ahead log of Prometheus 3.5, in the wrong order.
  'prometheus-in-order': ['float-histogram'],
  'prometheus-out-of-order': [],
  // It has its own histogram format, and cannot store the smallest and the largest doubles in one block.
  'victoria-metrics': [...HISTOGRAMS, 'extremes'],
  // Plain responses of Prometheus 3.5 omit the bounds.
  Samples: ['custom-bucket-histogram'],
};

export function drawScenario(seed: number, onlyPair?: Pair): Scenario {
  const draw = drawFor('scenario', seed);
  const pair = onlyPair ?? draw.pick(PAIRS);
  const destination = destinationOf(pair, draw);
  const ordering = destination === 'prometheus-in-order' || draw.chance(0.4) ? 'InOrder' : 'Any';
  const readMode = draw.chance(0.25) ? 'Samples' : 'Auto';
  const excluded = [...EXCLUDED_KINDS[destination], ...(readMode === 'Samples' ? EXCLUDED_KINDS.Samples : [])];
  return {
    seed,
    pair,
    variant: draw.pick(VARIANTS),
    destination,
    ordering,
    readMode,
    progress: destination === 'victoria-metrics' || draw.chance(0.5) ? 'PromQL' : 'RemoteRead',
    window: {
      min: draw.pick(['1s', '30s', '1m']),
      max: draw.pick(['5m', '10m', '20m', '30m']),
      targetSamples: draw.pick([1000, 3000, 10_000]),
    },
    limits: {
      memory: draw.pick(['32Mi', '64Mi']),
      inFlightWrites: draw.pick([1, 2, 8]),
      samplesPerWrite: draw.pick([300, 500, 1000, 3000]),
    },
    excluded: [...new Set(excluded)],
    kills: Array.from({ length: draw.pick([0, 1, 1, 2, 2, 3]) }, () => drawKill(draw)),
  };
}

function destinationOf(pair: Pair, draw: Draw): DestinationKind {
  const outOfOrder = draw.chance(0.5);
  if (pair === 'prometheus-victoriametrics') return 'victoria-metrics';
  return outOfOrder ? 'prometheus-out-of-order' : 'prometheus-in-order';
}

function drawKill(draw: Draw): PlannedKill {
  const signal = draw.chance(0.75) ? 'SIGKILL' : 'SIGTERM';
  if (draw.chance(0.3)) return { signal, when: { afterMs: draw.integer(100, 3000) } };
  const way = draw.pick(['write', 'write', 'write', 'source', 'progress'] as const);
  const request = draw.integer(1, { source: 12, write: 40, progress: 4 }[way]);
  return { signal, when: { way, request, at: draw.chance(0.5) ? 'arrived' : 'carried-out' } };
}

/** The selector of what is copied; the kinds are part of the metric names (test/support/dataset.ts). */
export function selectorOf({ excluded }: Scenario): string {
  const names = excluded.map((kind) => `.*_${kind.replaceAll('-', '_')}`);
  return names.length === 0 ? '{__name__=~".+"}' : `{__name__=~".+",__name__!~"${names.join('|')}"}`;
}

/** Applies the same selection to a metric name. */
export function isCopied({ excluded }: Scenario, name: string): boolean {
  return !excluded.some((kind) => name.endsWith(`_${kind.replaceAll('-', '_')}`));
}

export interface Addresses {
  readonly source: string;
  readonly write: string;
  readonly progress: string;
}

/** The migration's timeout; the proxies stall for longer. */
export const TIMEOUT_MS = 1500;

/** The `spec` of the migration; the addresses are the proxies'. */
export function specOf(scenario: Scenario, addresses: Addresses, range: { startMs: number; endMs: number }) {
  const { ordering, readMode, progress, window, limits } = scenario;
  const timeouts = { connect: '1s', firstByte: `${TIMEOUT_MS}ms`, silence: `${TIMEOUT_MS}ms` };
  return {
    source: { url: `${addresses.source}/api/v1/read`, readMode, timeouts },
    destination: {
      url: `${addresses.write}/api/v1/write`,
      ordering,
      timeouts,
      progress: {
        protocol: progress,
        url: progress === 'RemoteRead' ? `${addresses.progress}/api/v1/read` : addresses.progress,
        timeouts,
      },
    },
    selectors: [selectorOf(scenario)],
    timeRange: { start: new Date(range.startMs).toISOString(), end: new Date(range.endMs).toISOString() },
    window,
    limits,
  };
}
