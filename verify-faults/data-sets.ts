// The data that is verified: what the source holds, what the manifest makes of it, and what the destination should hold. Pure; the same options
// give the same bits.

import { generateDataset, HISTOGRAM_KINDS, PLAIN_KINDS, type SeriesKind } from '../test/support/dataset.ts';
import {
  bitsOf,
  type Label,
  labelText,
  SeriesBuilder,
  type SeriesSamples,
  type SeriesSet,
  sortLabels,
} from '../test/support/series-set.ts';

export type Size = 'small' | 'large' | 'ten-million' | 'wide';

export type Store = 'prometheus' | 'victoria-metrics';

/** `plain`: all series as they are. `relabelled`: selectors that overlap, external labels, and rules that drop, rename and remove. */
export type Shape = 'plain' | 'relabelled';

export interface DataSet {
  readonly size: Size;
  readonly shape: Shape;
  readonly store: Store;
  /** Samples lie in [startMs, endMs), with some at both ends. */
  readonly startMs: number;
  readonly endMs: number;
  /** What the source holds. */
  readonly source: SeriesSet;
  /** What the destination should hold, with all bits. */
  readonly wanted: SeriesSet;
  /** What no verification may look at, further content of either store: other metrics, and samples outside the range. */
  readonly bystanders: { readonly source: SeriesSet; readonly destination: SeriesSet };
  /** The part of `spec` that makes `wanted` of `source`. */
  readonly spec: Readonly<Record<string, unknown>>;
}

const HOUR_MS = 3_600_000;
/** Off every round time. */
const START_MS = Date.UTC(2025, 2, 1, 1, 47, 13, 377);
/** The border of a block: two hours from here are one window. */
const BLOCK_START_MS = Date.UTC(2025, 2, 1, 2);

interface Shares {
  readonly startMs: number;
  readonly hours: number;
  readonly series: number;
  readonly histograms: number;
  readonly churn: number;
  /** All kinds that the store keeps if undefined. */
  readonly kinds?: readonly SeriesKind[];
  readonly intervalMs?: number;
}

/** Roughly 0.2, 5.5, 10.2 and 10 million samples. */
const SIZES: Readonly<Record<Size, Shares>> = {
  small: { startMs: START_MS, hours: 2.4, series: 130, histograms: 8, churn: 60 },
  large: { startMs: START_MS, hours: 12, series: 1000, histograms: 16, churn: 600 },
  'ten-million': { startMs: START_MS, hours: 20, series: 1100, histograms: 4, churn: 300 },
  // 20 samples of each series in one window.
  wide: {
    startMs: BLOCK_START_MS,
    hours: 2,
    series: 500_000,
    histograms: 0,
    churn: 0,
    kinds: ['counter', 'decimal', 'random', 'constant', 'unicode-values'],
    intervalMs: 360_000,
  },
};

/** VictoriaMetrics cannot hold these beside each other, and makes series of floats of histograms. */
const EXACT_KINDS: readonly SeriesKind[] = ['extremes'];
const CHURN_KINDS: readonly SeriesKind[] = ['comes-and-goes', 'stale', 'gaps', 'special'];

export function makeDataSet({ size, shape, store }: Pick<DataSet, 'size' | 'shape' | 'store'>): DataSet {
  const { startMs, hours, series, histograms, churn, ...given } = SIZES[size];
  const { intervalMs } = given;
  const endMs = startMs + hours * HOUR_MS;
  const range = { startMs, endMs, seed: size.length, ...(intervalMs !== undefined && { intervalMs }) };
  const exact = store === 'prometheus';
  const kinds = given.kinds ?? [...PLAIN_KINDS, 'utf8-names' as const, ...(exact ? EXACT_KINDS : [])];
  const source: SeriesSet = new Map([
    ...generateDataset({ ...range, series, kinds, prefix: 'many' }),
    ...generateDataset({ ...range, series: churn, kinds: CHURN_KINDS, prefix: 'churn' }),
    ...(exact
      ? generateDataset({
          ...range,
          series: histograms,
          kinds: [...HISTOGRAM_KINDS, 'custom-bucket-histogram'],
          prefix: 'histograms',
        })
      : []),
    ...edgeSeries(startMs, endMs),
  ]);
  const { labelsOf, spec } = SHAPES[shape];
  const wanted = mapLabels(source, labelsOf);
  const bystanders = {
    source: bystandersOf(source, 'bystander_source_total', range),
    destination: bystandersOf(wanted, 'bystander_destination_total', range),
  };
  return { size, shape, store, startMs, endMs, source, wanted, bystanders, spec };
}

/** Windows begin and end at whole minutes or at the ends of the range: samples there and a millisecond before. */
function edgeSeries(startMs: number, endMs: number): SeriesSet {
  const set: SeriesSet = new Map();
  const add = (name: string, timesMs: Iterable<number>) => {
    const builder = new SeriesBuilder([
      ['__name__', name],
      ['instance', `${name}:9100`],
      ['job', 'node'],
    ]);
    let value = 0;
    for (const timeMs of timesMs) builder.add(timeMs, bitsOf(value++));
    set.set(labelText(builder.labels), builder.finish());
  };
  const minutes: number[] = [];
  for (let timeMs = Math.ceil(startMs / 60_000) * 60_000; timeMs < endMs; timeMs += 60_000) minutes.push(timeMs);
  add('edge_at_minutes', minutes);
  add(
    'edge_before_minutes',
    minutes.filter((timeMs) => timeMs > startMs).map((timeMs) => timeMs - 1),
  );
  add('edge_of_range', [startMs, startMs + 1, startMs + 2, endMs - 3, endMs - 2, endMs - 1]);
  return set;
}

const COMPARED = '{__name__=~"(many|churn|histograms|edge).*"}';

const SHAPES: Readonly<
  Record<Shape, { labelsOf: (labels: readonly Label[]) => readonly Label[] | undefined; spec: DataSet['spec'] }>
> = {
  plain: { labelsOf: (labels) => labels, spec: { selectors: [COMPARED] } },
  relabelled: {
    labelsOf(labels) {
      const all = new Map(labels);
      const name = all.get('__name__') ?? '';
      if (name.endsWith('_five_minutes')) return undefined;
      // The series that differ in nothing but their instance stay apart: it is renamed, not removed.
      all.set('host', (all.get('instance') ?? '').replace(/:9100$/, ''));
      all.delete('instance');
      all.delete('odd');
      all.set('__name__', name.replace(/^churn_/, 'moved_'));
      return sortLabels([...all, ['cluster', 'eu-1']]);
    },
    spec: {
      selectors: [COMPARED, '{__name__=~"many.*"}', '{job="node",__name__=~"many.*|edge.*"}'],
      externalLabels: { cluster: 'eu-1', job: 'is there already' },
      relabelings: [
        { action: 'drop', sourceLabels: ['__name__'], regex: '.*_five_minutes' },
        { sourceLabels: ['instance'], regex: '(.*):9100', targetLabel: 'host' },
        { action: 'labeldrop', regex: 'instance|odd' },
        { sourceLabels: ['__name__'], regex: 'churn_(.*)', targetLabel: '__name__', replacement: 'moved_$1' },
      ],
    },
  },
};

function mapLabels(set: SeriesSet, labelsOf: (labels: readonly Label[]) => readonly Label[] | undefined): SeriesSet {
  const mapped: SeriesSet = new Map();
  for (const series of set.values()) {
    const labels = labelsOf(series.labels);
    if (labels === undefined) continue;
    const key = labelText(labels);
    if (mapped.has(key)) throw new Error(`two series become ${key}`);
    mapped.set(key, { ...series, labels });
  }
  return mapped;
}

/** Samples beside the range in series of the copy, and series that no selector matches. Older ones come before all others. */
function bystandersOf(set: SeriesSet, name: string, { startMs, endMs }: { startMs: number; endMs: number }): SeriesSet {
  const bystanders: SeriesSet = new Map();
  let i = 0;
  for (const { labels, timesMs } of set.values()) {
    if (timesMs.length === 0 || (i++ + name.length) % 40 !== 0) continue;
    const builder = new SeriesBuilder(labels);
    for (const timeMs of [startMs - 1, endMs, endMs + 1]) builder.add(timeMs, bitsOf(name.length));
    bystanders.set(labelText(builder.labels), builder.finish());
  }
  const others = new SeriesBuilder([
    ['__name__', name],
    ['instance', 'host-00000:9100'],
  ]);
  for (let timeMs = startMs; timeMs < endMs; timeMs += 60_000) others.add(timeMs, bitsOf(1));
  bystanders.set(labelText(others.labels), others.finish());
  return bystanders;
}

/** What of a series belongs to the comparison: not the bystanders, and no progress marks. */
export function comparedPart(all: SeriesSet, { startMs, endMs }: Pick<DataSet, 'startMs' | 'endMs'>): SeriesSet {
  const part: SeriesSet = new Map();
  for (const [key, series] of all) {
    const name = series.labels.find(([label]) => label === '__name__')?.[1] ?? '';
    if (/^(bystander|prom_migrator_progress)/.test(name)) continue;
    const cut = inRange(series, startMs, endMs);
    if (cut.timesMs.length + cut.histograms.length > 0) part.set(key, cut);
  }
  return part;
}

function inRange(series: SeriesSamples, startMs: number, endMs: number): SeriesSamples {
  const inside = (timeMs: number | undefined) => timeMs === undefined || (timeMs >= startMs && timeMs < endMs);
  if (
    inside(series.timesMs[0]) &&
    inside(series.timesMs.at(-1)) &&
    inside(series.histogramTimesMs[0]) &&
    inside(series.histogramTimesMs.at(-1))
  )
    return series;
  const keep = (_: unknown, i: number) => inside(series.timesMs[i]);
  const keepHistogram = (_: unknown, i: number) => inside(series.histogramTimesMs[i]);
  return {
    labels: series.labels,
    timesMs: series.timesMs.filter(keep),
    bits: series.bits.filter(keep),
    histogramTimesMs: series.histogramTimesMs.filter(keepHistogram),
    histograms: series.histograms.filter(keepHistogram),
  };
}
