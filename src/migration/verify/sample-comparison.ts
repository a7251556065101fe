// Compares the samples of one series in one window: a merge of two lists that are ordered by time. Works on columns, without an object per
// sample, and without allocating memory while both sides are the same.

import { KERNEL, type Kernel } from '../../wire/kernel/kernel.ts';
import type { SampleColumns } from '../../wire/sample-columns.ts';
import type { DifferenceKind, ExpectedChange } from '../report/verification.ts';
import { floatText } from '../series/float-text.ts';
import { histogramText } from '../series/histogram-contents.ts';
import {
  DECIMAL_PRECISION,
  extraFloatReason,
  floatVerdict,
  type Lens,
  missingFloatReason,
  type Verdict,
} from './float-comparison.ts';
import { extraHistogramReason, histogramVerdict, missingHistogramReason } from './histogram-comparison.ts';

/** Gets every difference of a series. */
export type DifferenceSink = (difference: {
  readonly kind: DifferenceKind;
  readonly timeMs: number;
  readonly source: string | undefined;
  readonly destination: string | undefined;
}) => void;

/** How the samples of a series compare. Reused from series to series. */
export class SeriesTally {
  /** Of the source. */
  samples = 0;
  equal = 0;
  missing = 0;
  extra = 0;
  different = 0;
  repeated = 0;
  readonly expected = new Map<ExpectedChange, number>();

  clear(): void {
    this.samples = 0;
    this.equal = 0;
    this.missing = 0;
    this.extra = 0;
    this.different = 0;
    this.repeated = 0;
    if (this.expected.size > 0) this.expected.clear();
  }

  expect(reason: ExpectedChange, samples = 1): void {
    this.expected.set(reason, (this.expected.get(reason) ?? 0) + samples);
  }

  /** Extra samples do not count: they may be another writer's. */
  get differs(): boolean {
    return this.missing > 0 || this.different > 0 || this.repeated > 0;
  }
}

export interface SampleComparisonOptions {
  readonly lens: Lens;
  /** Whether a sample that the destination returns twice is stored twice. */
  readonly countsRepeats: boolean;
  readonly countsExtra: boolean;
}

export class SampleComparison {
  readonly #options: SampleComparisonOptions;
  readonly #kernel: Kernel | null;

  constructor(options: SampleComparisonOptions, kernel = KERNEL) {
    this.#options = options;
    this.#kernel = kernel;
  }

  /**
   * Adds the comparison of one series to `tally`.
   * @param source ordered, one sample of each time (mergeByTime)
   * @param destination in any order, with any repeats
   */
  compare(source: SampleColumns, destination: SampleColumns, tally: SeriesTally, sink?: DifferenceSink): void {
    tally.samples += source.floats + source.histogramCount;
    if (destination.histogramCount === 0 && source.histogramCount === 0) {
      if (this.#compareInKernel(source, destination, tally)) return;
      if (this.#areSame(source, destination)) {
        tally.equal += source.floats;
        return;
      }
      if (this.#areAligned(source, destination) && this.#compareAligned(source, destination, tally)) return;
    }
    this.#compareAll(source, destination, tally, sink);
  }

  /** Compares floats at the same times, in the kernel's memory. @returns false, and counts nothing, if it cannot, or if more than decimals differs */
  #compareInKernel(source: SampleColumns, destination: SampleColumns, tally: SeriesTally): boolean {
    const precision = this.#options.lens.victoriaMetrics ? DECIMAL_PRECISION : Number.NaN;
    const changed = this.#kernel?.blocks.compareFloats(source, destination, precision);
    if (changed === undefined) return false;
    tally.equal += source.floats - changed;
    if (changed > 0) tally.expect('victoriametrics_decimals', changed);
    return true;
  }

  /** Whether both have the same floats, bit for bit, in the same order. */
  #areSame(source: SampleColumns, destination: SampleColumns): boolean {
    const { floats } = source;
    if (floats !== destination.floats) return false;
    const { floatTimesMs: times, floatBits: bits } = source;
    const { floatTimesMs: otherTimes, floatBits: otherBits } = destination;
    for (let i = 0; i < floats; i++) if (times[i] !== otherTimes[i]) return false;
    for (let i = 0; i < 2 * floats; i++) if (bits[i] !== otherBits[i]) return false;
    return true;
  }

  /** Whether both have floats at the same times, in the same order. The source has no time twice. */
  #areAligned({ floats, floatTimesMs: times }: SampleColumns, destination: SampleColumns): boolean {
    if (floats !== destination.floats) return false;
    const { floatTimesMs: otherTimes } = destination;
    for (let i = 0; i < floats; i++) if (times[i] !== otherTimes[i]) return false;
    return true;
  }

  /** Floats of which some changed as expected need no walk. @returns false, and counts nothing, if one is different */
  #compareAligned({ floats, floatBits: bits }: SampleColumns, destination: SampleColumns, tally: SeriesTally): boolean {
    const { floatBits: otherBits } = destination;
    const expected: [ExpectedChange, number][] = [];
    let equal = 0;
    for (let i = 0; i < 2 * floats; i += 2) {
      const [low, high] = [bits[i] as number, bits[i + 1] as number];
      const [otherLow, otherHigh] = [otherBits[i] as number, otherBits[i + 1] as number];
      if (low === otherLow && high === otherHigh) {
        equal++;
        continue;
      }
      const verdict = floatVerdict({ low, high }, { low: otherLow, high: otherHigh }, this.#options.lens);
      if (verdict === 'different') return false;
      if (verdict === 'equal') equal++;
      else {
        const last = expected.at(-1);
        if (last?.[0] === verdict) last[1]++;
        else expected.push([verdict, 1]);
      }
    }
    tally.equal += equal;
    for (const [reason, samples] of expected) tally.expect(reason, samples);
    return true;
  }

  #compareAll(source: SampleColumns, destination: SampleColumns, tally: SeriesTally, sink?: DifferenceSink): void {
    const mine = new Walk(source);
    const theirs = new Walk(destination);
    let hasTheirs = theirs.next();
    while (mine.next()) {
      for (; hasTheirs && theirs.timeMs < mine.timeMs; hasTheirs = theirs.next()) this.#extra(theirs, tally, sink);
      if (!hasTheirs || theirs.timeMs > mine.timeMs) {
        this.#missing(mine, tally, sink);
        continue;
      }
      const others: Sample[] = [];
      for (; hasTheirs && theirs.timeMs === mine.timeMs; hasTheirs = theirs.next()) others.push(theirs.sample());
      this.#together(mine, others, tally, sink);
    }
    for (; hasTheirs; hasTheirs = theirs.next()) this.#extra(theirs, tally, sink);
  }

  #missing(mine: Readonly<Sample>, tally: SeriesTally, sink?: DifferenceSink): void {
    const { lens } = this.#options;
    const reason =
      mine.histogram === undefined
        ? missingFloatReason(mine.low, mine.high, lens)
        : missingHistogramReason(mine.histogram, lens);
    if (reason !== undefined) {
      tally.expect(reason);
      return;
    }
    tally.missing++;
    sink?.({ kind: 'missing', timeMs: mine.timeMs, source: textOf(mine), destination: undefined });
  }

  #extra(other: Sample, tally: SeriesTally, sink?: DifferenceSink): void {
    const { lens, countsExtra } = this.#options;
    if (!countsExtra) return;
    const { low, high, histogram } = other;
    const reason = histogram === undefined ? extraFloatReason(low, high, lens) : extraHistogramReason(histogram, lens);
    if (reason !== undefined) {
      // The source has it too, and does not show it.
      tally.samples++;
      tally.expect(reason);
      return;
    }
    tally.extra++;
    sink?.({ kind: 'extra', timeMs: other.timeMs, source: undefined, destination: textOf(other) });
  }

  /** One sample of the source, and all of the same time in the destination: the best of them counts, the others are repeats. */
  #together(mine: Sample, others: readonly Sample[], tally: SeriesTally, sink?: DifferenceSink): void {
    const verdicts = others.map((other) => this.#verdict(mine, other));
    const best = verdicts.find((verdict) => verdict === 'equal') ?? verdicts.find((verdict) => verdict !== 'different');
    const { timeMs } = mine;
    if (best === 'equal') tally.equal++;
    else if (best !== undefined) tally.expect(best);
    else {
      tally.different++;
      sink?.({ kind: 'different', timeMs, source: textOf(mine), destination: textOf(others[0] as Sample) });
    }
    if (others.length === 1 || !this.#options.countsRepeats) return;
    const used = best === undefined ? 0 : verdicts.indexOf(best);
    for (const [index, other] of others.entries()) {
      if (index === used) continue;
      tally.repeated++;
      sink?.({ kind: 'repeated', timeMs, source: textOf(mine), destination: textOf(other) });
    }
  }

  #verdict(mine: Sample, other: Sample): Verdict {
    const { lens } = this.#options;
    if (mine.histogram === undefined || other.histogram === undefined) {
      if (mine.histogram !== undefined || other.histogram !== undefined) return 'different';
      return mine.low === other.low && mine.high === other.high ? 'equal' : floatVerdict(mine, other, lens);
    }
    return histogramVerdict(mine.histogram, other.histogram, lens);
  }
}

interface Sample {
  readonly timeMs: number;
  readonly low: number;
  readonly high: number;
  /** A prometheus.Histogram message; undefined if the sample is a float. */
  readonly histogram: Uint8Array | undefined;
}

/** Walks columns in the order of time. After `next()` the fields are those of one sample. */
class Walk implements Sample {
  timeMs = 0;
  low = 0;
  high = 0;
  histogram: Uint8Array | undefined;
  readonly #columns: SampleColumns;
  readonly #floatOrder: Uint32Array | undefined;
  readonly #histogramOrder: Uint32Array | undefined;
  #float = 0;
  #histogram = 0;

  constructor(columns: SampleColumns) {
    this.#columns = columns;
    this.#floatOrder = orderOf(columns.floatTimesMs, columns.floats);
    this.#histogramOrder = orderOf(columns.histogramTimesMs, columns.histograms.length);
  }

  next(): boolean {
    const { floats, floatTimesMs, floatBits, histograms, histogramTimesMs } = this.#columns;
    const float = this.#floatOrder?.[this.#float] ?? this.#float;
    const histogram = this.#histogramOrder?.[this.#histogram] ?? this.#histogram;
    const floatMs = this.#float < floats ? (floatTimesMs[float] as number) : Number.POSITIVE_INFINITY;
    const histogramMs =
      this.#histogram < histograms.length ? (histogramTimesMs[histogram] as number) : Number.POSITIVE_INFINITY;
    this.timeMs = Math.min(floatMs, histogramMs);
    if (this.timeMs === Number.POSITIVE_INFINITY) return false;
    if (floatMs <= histogramMs) {
      this.#float++;
      this.low = floatBits[2 * float] as number;
      this.high = floatBits[2 * float + 1] as number;
      this.histogram = undefined;
    } else {
      this.#histogram++;
      this.histogram = histograms[histogram];
    }
    return true;
  }

  sample(): Sample {
    const { timeMs, low, high, histogram } = this;
    return { timeMs, low, high, histogram };
  }
}

/** The order of the times; undefined if they ascend. */
function orderOf(timesMs: ArrayLike<number>, length: number): Uint32Array | undefined {
  for (let i = 1; i < length; i++) {
    if ((timesMs[i] as number) >= (timesMs[i - 1] as number)) continue;
    const order = new Uint32Array(length).map((_, index) => index);
    return order.sort((a, b) => (timesMs[a] as number) - (timesMs[b] as number) || a - b);
  }
  return undefined;
}

function textOf({ low, high, histogram }: Sample): string {
  return histogram === undefined ? floatText(low, high) : histogramText(histogram);
}
