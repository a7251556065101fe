// The changes that faults make to the series of a destination: what has to be deleted there, what has to be written, and the truth that
// follows. Pure.

import { histogramText, type NativeHistogram } from '../test/support/native-histogram.ts';
import {
  type Label,
  labelText,
  numberOf,
  SeriesBuilder,
  type SeriesSamples,
  type SeriesSet,
  STALE_MARKER,
} from '../test/support/series-set.ts';
import type { Truth, Value } from './truth.ts';

/** What happens to one sample of the source on its way to the destination. */
export type Change =
  | { readonly do: 'drop' }
  | { readonly do: 'set'; readonly bits: bigint }
  | { readonly do: 'set-histogram'; readonly histogram: NativeHistogram }
  | { readonly do: 'move'; readonly byMs: number }
  | { readonly do: 'double' };

/** A series is of floats or of native histograms, as the generator makes them. */
export class EditedSeries {
  readonly series: SeriesSamples;
  readonly changes = new Map<number, Change>();
  readonly added: { readonly timeMs: number; readonly bits: bigint }[] = [];
  /** Deleted as a whole, or from one sample to another: by the store's own deletion where it can. */
  deletedRange: { readonly from: number; readonly to: number } | undefined;

  constructor(series: SeriesSamples) {
    this.series = series;
  }

  get length(): number {
    return this.isHistogram ? this.series.histograms.length : this.series.timesMs.length;
  }

  get isHistogram(): boolean {
    return this.series.histograms.length > 0;
  }

  get isUntouched(): boolean {
    return this.changes.size === 0 && this.added.length === 0 && this.deletedRange === undefined;
  }

  timeMs(index: number): number {
    return (this.isHistogram ? this.series.histogramTimesMs[index] : this.series.timesMs[index]) ?? Number.NaN;
  }

  value(index: number): Value {
    return (this.isHistogram ? this.series.histograms[index] : this.series.bits[index]) ?? 'no such sample';
  }

  /** Whether a fault may still change the sample: neither it nor a neighbour is changed by another. */
  isFree(index: number): boolean {
    const { from = 0, to = -1 } = this.deletedRange ?? {};
    if (index >= from - 1 && index <= to + 1) return false;
    return [index - 1, index, index + 1].every((near) => !this.changes.has(near));
  }
}

/** A store's way to keep samples, as far as it decides what a fault leads to. */
export interface Keeping {
  /** Whether the store keeps the value at all. */
  keeps(value: Value): boolean;
  /** Whether it can delete a range of a series, and not only all of it. */
  readonly deletesRanges: boolean;
}

/** A NaN that is not a stale marker. */
export function isOrdinaryNan(value: Value): boolean {
  return typeof value === 'bigint' && value !== STALE_MARKER && Number.isNaN(numberOf(value));
}

export const KEEPS_EVERYTHING: Keeping = { keeps: () => true, deletesRanges: true };
export const VICTORIA_METRICS: Keeping = { keeps: (value) => !isOrdinaryNan(value), deletesRanges: false };

/** What the verification has to report of one series. A value that the store does not keep cannot be missed there. */
export function truthsOf(edited: EditedSeries, keeping: Keeping): Truth[] {
  const { series, changes, added, deletedRange } = edited;
  const { labels } = series;
  const truths: Truth[] = [];
  const missing = (index: number) => {
    const source = edited.value(index);
    if (!keeping.keeps(source)) return;
    truths.push({ labels, timeMs: edited.timeMs(index), kind: 'missing', source, destination: undefined });
  };
  if (deletedRange !== undefined) for (let i = deletedRange.from; i <= deletedRange.to; i++) missing(i);
  for (const [index, change] of changes) {
    const timeMs = edited.timeMs(index);
    const source = edited.value(index);
    if (change.do === 'drop') missing(index);
    else if (change.do === 'move') {
      missing(index);
      truths.push({ labels, timeMs: timeMs + change.byMs, kind: 'extra', source: undefined, destination: source });
    } else if (change.do === 'double') truths.push({ labels, timeMs, kind: 'repeated', source, destination: source });
    else {
      const destination = change.do === 'set' ? change.bits : histogramText(change.histogram);
      if (!keeping.keeps(destination)) missing(index);
      else truths.push({ labels, timeMs, kind: 'different', source, destination });
    }
  }
  for (const { timeMs, bits } of added)
    truths.push({ labels, timeMs, kind: 'extra', source: undefined, destination: bits });
  return truths;
}

interface Deletion {
  readonly labels: readonly Label[];
  /** Both ends are deleted; everything when undefined. */
  readonly range: { readonly fromMs: number; readonly toMs: number } | undefined;
}

/** How a destination that holds the source's samples comes to hold the changed ones: first the deletions, then the writes. */
export interface Alteration {
  readonly deletions: readonly Deletion[];
  /** Series that were deleted, in their new form; and samples that are added to series that stay. */
  readonly writes: SeriesSet;
}

export function alterationOf(all: Iterable<EditedSeries>, keeping: Keeping): Alteration {
  const deletions: Deletion[] = [];
  const writes: SeriesSet = new Map();
  for (const edited of all) {
    const { series, changes, deletedRange } = edited;
    const { labels } = series;
    const isWhole = deletedRange !== undefined && deletedRange.from === 0 && deletedRange.to === edited.length - 1;
    const isAdditive = deletedRange === undefined && [...changes.values()].every((change) => change.do === 'double');
    if (isAdditive) write(writes, additionsOf(edited));
    else if (isWhole) deletions.push({ labels, range: undefined });
    else if (deletedRange !== undefined && changes.size === 0 && keeping.deletesRanges) {
      const { from, to } = deletedRange;
      deletions.push({ labels, range: { fromMs: edited.timeMs(from), toMs: edited.timeMs(to) } });
      write(writes, additionsOf(edited));
    } else {
      deletions.push({ labels, range: undefined });
      write(writes, changedSeries(edited));
    }
  }
  return { deletions, writes };
}

function write(writes: SeriesSet, series: SeriesSamples): void {
  if (series.timesMs.length + series.histograms.length > 0) writes.set(labelText(series.labels), series);
}

function additionsOf(edited: EditedSeries): SeriesSamples {
  const builder = new SeriesBuilder(edited.series.labels);
  for (const { timeMs, bits } of edited.added) builder.add(timeMs, bits);
  for (const index of edited.changes.keys()) addSample(builder, edited, index, 0);
  return builder.finish();
}

/** The whole series as the destination shall have it. */
export function changedSeries(edited: EditedSeries): SeriesSamples {
  const builder = new SeriesBuilder(edited.series.labels);
  const { from = 0, to = -1 } = edited.deletedRange ?? {};
  for (let i = 0; i < edited.length; i++) {
    if (i >= from && i <= to) continue;
    const change = edited.changes.get(i);
    if (change === undefined) addSample(builder, edited, i, 0);
    else if (change.do === 'set') builder.add(edited.timeMs(i), change.bits);
    else if (change.do === 'set-histogram')
      builder.addHistogram(edited.timeMs(i), histogramText(change.histogram), change.histogram);
    else if (change.do === 'move') addSample(builder, edited, i, change.byMs);
    else if (change.do === 'double') for (let copy = 0; copy < 2; copy++) addSample(builder, edited, i, 0);
  }
  for (const { timeMs, bits } of edited.added) builder.add(timeMs, bits);
  return builder.finish();
}

function addSample(builder: SeriesBuilder, edited: EditedSeries, index: number, byMs: number): void {
  const timeMs = edited.timeMs(index) + byMs;
  const { bits, histograms, nativeHistograms } = edited.series;
  if (edited.isHistogram) builder.addHistogram(timeMs, histograms[index] ?? '', nativeHistograms?.[index]);
  else builder.add(timeMs, bits[index] ?? 0n);
}
