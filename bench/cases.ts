// The cases to measure, in the order of measurement. Each case is one scenario, or several that are compared with each other.

import type { DataSetName } from './data-sets.ts';

const HOUR_MS = 3_600_000;
const NEW_YEAR_MS = Date.UTC(2026, 0, 1);

export interface Scenario {
  readonly name: string;
  readonly dataSet: DataSetName;
  /** The range of the migration. */
  readonly startMs: number;
  readonly endMs: number;
  /** The end of the counted samples, when it is not `endMs`. */
  readonly dataEndMs?: number;
  readonly destination: 'victoria-metrics' | 'prometheus';
  /** Part of spec.source in our manifest. */
  readonly readMode?: 'Samples';
  /** spec.source.protocol. With VictoriaMetrics, the data set is copied into one first, which is then the source. */
  readonly protocol?: 'VictoriaMetrics' | 'PromQL' | 'ThanosStore';
  /** How vmctl reads, when it is compared; it has no equivalent of readMode, and cannot write to Prometheus. */
  readonly vmctl?: 'stream' | 'samples';
  /** Which halves of the floor are measured. */
  readonly floor: readonly ('read' | 'write')[];
  /** The delay in each direction of each connection. */
  readonly delayMs?: number;
  /** spec.execution.parallelism. */
  readonly parallelism?: number;
  /** spec.limits.inFlightWrites, which the stretches share. */
  readonly inFlightWrites?: number;
  /** Runs this many migrations in one process, each with a slice of the series, instead of one. */
  readonly migrations?: number;
  readonly nativeHistograms?: true;
  /** Measures `verify` on what a run has copied, and a run that verifies by itself. */
  readonly verifies?: true;
  readonly rounds: number;
}

const STANDARD = {
  dataSet: 'standard',
  startMs: NEW_YEAR_MS,
  endMs: NEW_YEAR_MS + 6 * HOUR_MS,
  destination: 'victoria-metrics',
  vmctl: 'stream',
  floor: ['read', 'write'],
  rounds: 5,
} as const satisfies Partial<Scenario>;

const SPARSE_DAY_MS = Date.UTC(2023, 5, 15);

export const CASES: Readonly<Record<string, readonly Scenario[]>> = {
  standard: [{ ...STANDARD, name: 'standard' }],
  samples: [{ ...STANDARD, name: 'samples', readMode: 'Samples', vmctl: 'samples' }],
  'in-order': [inOrder()],
  long: [
    { ...STANDARD, name: 'long-1h', endMs: NEW_YEAR_MS + HOUR_MS, floor: [], rounds: 3 },
    { ...STANDARD, name: 'long-6h', floor: [], rounds: 3 },
    { ...withoutVmctl(), name: 'long-24h', endMs: NEW_YEAR_MS + 24 * HOUR_MS, floor: [], rounds: 3 },
  ],
  wide: [
    { ...STANDARD, name: 'wide', dataSet: 'wide', endMs: NEW_YEAR_MS + 150_000, rounds: 3 },
    { ...STANDARD, name: 'million', dataSet: 'million', endMs: NEW_YEAR_MS + 30_000, rounds: 3 },
  ],
  narrow: [{ ...STANDARD, name: 'narrow', dataSet: 'narrow', endMs: NEW_YEAR_MS + 7 * 24 * HOUR_MS, rounds: 3 }],
  sparse: [
    { ...sparse(), name: 'sparse', startMs: Date.UTC(2021, 0, 1), endMs: NEW_YEAR_MS },
    { ...sparse(), name: 'sparse-day' },
  ],
  histograms: [
    {
      ...withoutVmctl(),
      name: 'histograms',
      dataSet: 'histograms',
      destination: 'prometheus',
      nativeHistograms: true,
      rounds: 3,
    },
  ],
  far: [
    { ...STANDARD, name: 'far', delayMs: 25, floor: [] },
    { ...withoutVmctl(), name: 'far-parallel', delayMs: 25, parallelism: 4, inFlightWrites: 32, floor: [] },
  ],
  verify: [verifying('prometheus'), verifying('victoria-metrics')],
  sources: [
    { ...withoutVmctl(), name: 'source-remote-read', floor: [], rounds: 3 },
    { ...withoutVmctl(), name: 'source-victoria-metrics', protocol: 'VictoriaMetrics', floor: [], rounds: 3 },
    { ...withoutVmctl(), name: 'source-thanos-store', protocol: 'ThanosStore', floor: [], rounds: 3 },
    { ...withoutVmctl(), name: 'source-promql', protocol: 'PromQL', floor: [], rounds: 3 },
  ],
  many: [{ ...withoutVmctl(), name: 'many', migrations: 8, floor: [], rounds: 3 }],
};

function withoutVmctl(): Omit<typeof STANDARD, 'vmctl'> {
  const { vmctl: _, ...rest } = STANDARD;
  return rest;
}

function inOrder(): Scenario {
  return { ...withoutVmctl(), name: 'in-order', destination: 'prometheus' };
}

function verifying(destination: Scenario['destination']): Scenario {
  return { ...withoutVmctl(), name: `verify-${destination}`, destination, floor: ['read'], verifies: true, rounds: 3 };
}

/** A day of data, and empty years around it. */
function sparse(): Omit<Scenario, 'name'> {
  const dataEndMs = SPARSE_DAY_MS + 24 * HOUR_MS;
  return { ...STANDARD, dataSet: 'sparse', startMs: SPARSE_DAY_MS, endMs: dataEndMs, dataEndMs, floor: [], rounds: 3 };
}

/** The same with three million samples, where possible: a quick check without quotable figures. */
export function quick(scenario: Scenario): Scenario {
  const hours = (scenario.endMs - scenario.startMs) / HOUR_MS;
  if (scenario.dataSet !== 'standard' || hours !== 6) return scenario;
  return { ...scenario, endMs: scenario.startMs + 40 * 60_000 };
}
