// The fake stores as sources and destinations of a whole migration: how each is opened, how its progress is read, and how it changes
// values.

import type { MigrationPlan } from '../../../../src/migration/plan/migration-plan.ts';
import { cortex } from '../../../support/stores/cortex.ts';
import type { Behaviour } from '../../../support/stores/fake-store.ts';
import { m3 } from '../../../support/stores/m3.ts';
import { prometheus } from '../../../support/stores/prometheus.ts';
import { promscale } from '../../../support/stores/promscale.ts';
import { thanos, thanosLabels } from '../../../support/stores/thanos.ts';
import { victoriametrics } from '../../../support/stores/victoriametrics.ts';
import { dayMs, epochMs, hourMs } from '../../support/plan.ts';
import { bitsOf, type FloatSample, keyOf, type Series, staleBits } from '../../support/remote-messages.ts';

export interface DestinationCase {
  readonly name: string;
  /** Accepts data while it is empty. */
  readonly open: () => Behaviour;
  /** Accepts data older than its newest data; undefined: it can't. */
  readonly openForOldData: (() => Behaviour) | undefined;
  readonly protocol: 'RemoteRead' | 'PromQL';
  readonly ordering: MigrationPlan['destination']['ordering'];
  /** The value that it stores; undefined: nothing. */
  readonly stores: (bits: bigint) => bigint | undefined;
}

export interface SourceCase {
  readonly name: string;
  readonly open: () => Behaviour;
  /** The value that a reader gets for a stored value. */
  readonly shows: (bits: bigint) => bigint;
  /** Labels that it adds to the written ones. */
  readonly adds: readonly (readonly [string, string])[];
  /** Instead of one for everything. */
  readonly selectors?: MigrationPlan['selectors'];
}

const outOfOrderWindowMs = 60 * dayMs;
const negativeZero = 1n << 63n;
const same = (bits: bigint) => bits;
const positiveZero = (bits: bigint) => (bits === negativeZero ? 0n : bits);
/** The value that VictoriaMetrics stores: no NaN except stale markers. */
export const withoutNan = (bits: bigint) => (bits === oddNan ? undefined : positiveZero(bits));
const oddNan = 0x7ff8_0000_dead_beefn;

export const destinationCases: readonly DestinationCase[] = [
  {
    name: 'Prometheus, progress by RemoteRead',
    open: () => prometheus(),
    openForOldData: () => prometheus({ outOfOrderWindowMs }),
    protocol: 'RemoteRead',
    ordering: 'InOrder',
    stores: same,
  },
  {
    name: 'Prometheus 2, progress by PromQL',
    open: () => prometheus({ major: 2 }),
    openForOldData: () => prometheus({ major: 2, outOfOrderWindowMs }),
    protocol: 'PromQL',
    ordering: 'InOrder',
    stores: same,
  },
  {
    name: 'VictoriaMetrics',
    open: () => victoriametrics({ hiddenForMs: 2000 }),
    openForOldData: () => victoriametrics({ hiddenForMs: 2000 }),
    protocol: 'PromQL',
    ordering: 'Any',
    stores: withoutNan,
  },
  {
    name: 'Cortex',
    open: () => cortex(),
    openForOldData: () => cortex({ outOfOrderWindowMs }),
    protocol: 'RemoteRead',
    ordering: 'InOrder',
    stores: positiveZero,
  },
  {
    name: 'the chunks storage of Cortex, progress by RemoteRead',
    open: () => cortex({ storage: 'chunks' }),
    openForOldData: undefined,
    protocol: 'RemoteRead',
    ordering: 'InOrder',
    stores: positiveZero,
  },
  {
    name: 'the chunks storage of Cortex, progress by PromQL',
    open: () => cortex({ storage: 'chunks' }),
    openForOldData: undefined,
    protocol: 'PromQL',
    ordering: 'InOrder',
    stores: positiveZero,
  },
  {
    name: 'Thanos, progress by PromQL',
    open: () => thanos(),
    openForOldData: () => thanos({ outOfOrderWindowMs }),
    protocol: 'PromQL',
    ordering: 'InOrder',
    stores: same,
  },
  {
    name: 'Thanos, progress by RemoteRead through the bridge',
    open: () => thanos(),
    openForOldData: () => thanos({ outOfOrderWindowMs }),
    protocol: 'RemoteRead',
    ordering: 'InOrder',
    stores: same,
  },
  {
    name: 'M3, progress by RemoteRead',
    open: () => m3(),
    openForOldData: () => m3(),
    protocol: 'RemoteRead',
    ordering: 'Any',
    stores: positiveZero,
  },
  {
    name: 'M3, progress by PromQL',
    open: () => m3(),
    openForOldData: () => m3(),
    protocol: 'PromQL',
    ordering: 'Any',
    stores: positiveZero,
  },
  {
    name: 'Promscale',
    open: () => promscale(),
    openForOldData: () => promscale(),
    protocol: 'RemoteRead',
    ordering: 'Any',
    stores: positiveZero,
  },
];

export const sourceCases: readonly SourceCase[] = [
  { name: 'Prometheus', open: () => prometheus(), shows: same, adds: [] },
  {
    name: 'Prometheus with external labels',
    open: () => prometheus({ externalLabels: { cluster: 'eu' } }),
    shows: same,
    adds: [['cluster', 'eu']],
  },
  { name: 'Cortex', open: () => cortex(), shows: positiveZero, adds: [] },
  {
    name: 'the chunks storage of Cortex',
    open: () => cortex({ storage: 'chunks' }),
    shows: positiveZero,
    adds: [],
    selectors: ['metric_0', 'metric_1'].map((value) => [{ kind: '=', name: '__name__', value }]),
  },
  { name: 'Thanos', open: () => thanos(), shows: positiveZero, adds: thanosLabels() },
  { name: 'M3', open: () => m3(), shows: positiveZero, adds: [] },
  { name: 'Promscale', open: () => promscale(), shows: positiveZero, adds: [] },
];

const stepMs = 30_000;
const odd: readonly bigint[] = [staleBits, oddNan, bitsOf(Infinity), bitsOf(-Infinity), negativeZero, bitsOf(0.1)];

/**
 * Six series with a sample every 30 s in [fromMs, toMs): half of them at the last millisecond of their 30 s, where windows end; all with
 * values that a careless copy changes.
 */
export function testSeries(fromMs: number = epochMs, toMs: number = epochMs + hourMs): Series[] {
  return Array.from({ length: 6 }, (_, i) => ({
    labels: [
      ['__name__', `metric_${i % 2}`],
      ['instance', `host-${i}`],
    ] as const,
    samples: Array.from({ length: Math.floor((toMs - fromMs) / stepMs) }, (_, k) => ({
      timeMs: fromMs + k * stepMs + (i % 2 === 0 ? 0 : stepMs - 1),
      bits: k % 50 === 7 * i ? odd[i]! : bitsOf(i * 1000 + k / 2),
    })),
    histograms: [],
  }));
}

/** The series with changed values and additional labels, sorted like those of a fake store. */
export function changed(
  series: readonly Series[],
  change: (bits: bigint) => bigint | undefined,
  added: readonly (readonly [string, string])[] = [],
): Series[] {
  return series.map(({ labels, samples }) => ({
    labels: [...labels, ...added].sort(([a], [b]) => (a < b ? -1 : 1)),
    samples: samples.flatMap(({ timeMs, bits }: FloatSample) => {
      const stored = change(bits);
      return stored === undefined ? [] : [{ timeMs, bits: stored }];
    }),
    histograms: [],
  }));
}

/** The differences between two sets of series, one line each, at most ten: assert's own diff of thousands of samples takes seconds. */
export function differences(actual: readonly Series[], due: readonly Series[]): string[] {
  const [have, want] = [actual, due].map(linesOf) as [Map<string, string>, Map<string, string>];
  const lines: string[] = [];
  for (const [at, value] of want) {
    if (have.get(at) !== value) lines.push(`${at}: ${have.get(at) ?? 'missing'} instead of ${value}`);
  }
  for (const [at, value] of have) if (!want.has(at)) lines.push(`${at}: ${value} should not be there`);
  return lines.length <= 10 ? lines : [...lines.slice(0, 10), `${lines.length - 10} more`];
}

function linesOf(series: readonly Series[]): Map<string, string> {
  const lines = new Map<string, string>();
  for (const { labels, samples, histograms = [] } of series) {
    const key = keyOf(labels);
    const add = (timeMs: number, value: string) => {
      const at = `${key} ${new Date(timeMs).toISOString()}`;
      const known = lines.get(at);
      lines.set(at, known === undefined ? value : `${known} and ${value}`);
    };
    for (const { timeMs, bits } of samples) add(timeMs, bits.toString(16));
    for (const { timeMs, message } of histograms) add(timeMs, Buffer.from(message).toString('hex'));
  }
  return lines;
}
