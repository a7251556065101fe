// What one seed means: stores, data, manifest, and how many faults of which kinds. Pure.

import { type Draw, drawFor } from '../storm/random.ts';
import type { DataSet, Shape, Size, Store } from './data-sets.ts';
import { FAULT_KINDS, type FaultKind } from './faults.ts';

export interface Scenario {
  readonly seed: number;
  readonly size: Size;
  readonly store: Store;
  readonly shape: Shape;
  readonly readMode: 'Auto' | 'Samples';
  readonly destinationVersion: string;
  readonly cleansTombstones: boolean;
  /** How old a sample the destination accepts, a Prometheus. */
  readonly outOfOrderWindow?: string;
  readonly window: Readonly<Record<string, unknown>>;
  readonly memory: string;
  /** How many stretches are compared at once; undefined: the range is not divided. */
  readonly parallelism?: number;
  readonly faults: readonly FaultKind[];
}

/** No generator makes an extra series for rules that rename: which source series would it be compared with? */
const NOT_RELABELLED: readonly FaultKind[] = ['series-extra'];
/** VictoriaMetrics keeps neither histograms nor NaN payloads nor the sign of zero, and only it keeps a sample twice. */
const NOT_IN: Readonly<Record<Store, readonly FaultKind[]>> = {
  prometheus: ['sample-doubled'],
  'victoria-metrics': ['nan-payload-changed', 'zero-lost-its-sign', 'bucket-changed', 'histogram-sum-altered'],
};
/** What plain samples do not show. */
const NOT_IN_SAMPLES: readonly FaultKind[] = ['zero-lost-its-sign'];

/** All of a window's samples are wanted at once, and do not fit into the memory. */
const WIDE: Pick<Scenario, 'shape' | 'readMode' | 'window' | 'memory'> = {
  shape: 'plain',
  readMode: 'Auto',
  window: { max: '2h', targetSamples: 20_000_000 },
  memory: '128Mi',
};
/** `limits.memory` and 150 MiB: the bound in docs/operations.md. */
export const WIDE_MAX_RSS_BYTES = (128 + 150) * 2 ** 20;

export interface ScenarioOptions {
  readonly size?: Size | undefined;
  readonly store?: Store | undefined;
  readonly parallelism?: number;
}

export function drawScenario(seed: number, options: ScenarioOptions = {}): Scenario {
  const draw = drawFor('verify-faults', seed);
  const drawn = {
    size: seed % 10 === 0 ? ('ten-million' as const) : ('large' as const),
    store: draw.pick(['prometheus', 'victoria-metrics'] as const),
    shape: draw.chance(0.35) ? ('relabelled' as const) : ('plain' as const),
    readMode: draw.chance(0.2) ? ('Samples' as const) : ('Auto' as const),
    destinationVersion: draw.pick(['3.5', 'current']),
    cleansTombstones: draw.chance(0.5),
    window: {
      max: draw.pick(['20m', '30m', '1h', '2h']),
      targetSamples: draw.pick([300_000, 1_000_000, 10_000_000]),
    },
    // With less, overlapping selectors of this many series leave room for windows of seconds, in `run` as in `verify`.
    memory: draw.pick(['64Mi', '128Mi', '256Mi']),
  };
  const { size = drawn.size, store = drawn.store } = options;
  const base = { ...drawn, ...(size === 'wide' ? WIDE : {}), seed, size, store };
  const faults = drawFaults(draw, base);
  // Drawn last, so that the other choices of a seed stay as they were.
  const { parallelism = base.memory !== '64Mi' && draw.chance(0.4) ? 4 : undefined } = options;
  return { ...base, ...(parallelism !== undefined && { parallelism }), faults };
}

function drawFaults(
  draw: Draw,
  { seed, store, shape, readMode, size }: Omit<Scenario, 'faults'>,
): readonly FaultKind[] {
  const excluded = [
    ...NOT_IN[store],
    ...(shape === 'relabelled' ? NOT_RELABELLED : []),
    ...(readMode === 'Samples' ? NOT_IN_SAMPLES : []),
  ];
  const possible = FAULT_KINDS.filter((kind) => !excluded.includes(kind));
  if (size === 'wide') return ['sample-dropped'];
  // Among ten million samples, one.
  if (size === 'ten-million') return [draw.pick(['sample-dropped', 'value-altered', 'timestamp-moved'] as const)];
  // Each kind alone, one after the other.
  const alone = possible[(seed >> 1) % possible.length];
  if (seed % 2 === 1 && alone !== undefined) return [alone];
  // All at once, each a few times.
  return possible.flatMap((kind) => Array.from({ length: draw.pick([1, 1, 2, 5]) }, () => kind));
}

/** The `spec` of the migration whose destination is verified; the addresses are those of the servers. */
export function specOf(
  { store, readMode, window, memory, parallelism }: Scenario,
  data: DataSet,
  { source, destination }: { source: string; destination: string },
) {
  return {
    ...data.spec,
    source: { url: `${source}/api/v1/read`, readMode },
    destination: {
      url: `${destination}/api/v1/write`,
      ordering: 'Any',
      progress:
        store === 'prometheus'
          ? { protocol: 'RemoteRead', url: `${destination}/api/v1/read` }
          : { protocol: 'PromQL', url: destination },
    },
    timeRange: { start: new Date(data.startMs).toISOString(), end: new Date(data.endMs).toISOString() },
    window,
    limits: { memory },
    ...(parallelism !== undefined && { execution: { parallelism } }),
    verification: { settle: '3s' },
  };
}
