// The representation of series in the tests, whether generated, loaded or read back from a server: columns of numbers, so that several
// million samples fit into memory.
import type { NativeHistogram } from './native-histogram.ts';

export type Label = readonly [name: string, value: string];

/** One series; its columns are in time order. */
export interface SeriesSamples {
  /** Sorted by the bytes of the name, including `__name__`. */
  labels: readonly Label[];
  /** Milliseconds since the epoch. */
  timesMs: Float64Array<ArrayBuffer>;
  /** The IEEE 754 bits of the values: a stale marker or the payload of a NaN does not survive as a JavaScript number. */
  bits: BigUint64Array<ArrayBuffer>;
  /** Start timestamps of the float samples, if any. */
  startTimesMs?: Float64Array<ArrayBuffer>;
  histogramTimesMs: number[];
  /** Canonical text of native-histogram.ts. */
  histograms: string[];
  histogramStartTimesMs?: number[];
  /** The histograms themselves, only in generated series. */
  nativeHistograms?: NativeHistogram[];
}

/** Series by the canonical text of their labels. */
export type SeriesSet = Map<string, SeriesSamples>;

export const STALE_MARKER = 0x7ff0000000000002n;
export const NAN = 0x7ff8000000000001n;

/** Labels in the order of Prometheus: by the bytes of their names. */
export function sortLabels(labels: Iterable<Label>): Label[] {
  return [...labels].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** The canonical text of sorted labels: `{__name__="up", job="node"}`, with names and values in JSON quotes where necessary. */
export function labelText(labels: readonly Label[]): string {
  const parts = labels.map(([name, value]) => {
    const plain = /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name);
    return `${plain ? name : JSON.stringify(name)}=${JSON.stringify(value)}`;
  });
  return `{${parts.join(', ')}}`;
}

/** The number of samples in the set, including native histograms. */
export function countSamples(set: SeriesSet): number {
  let samples = 0;
  for (const series of set.values()) samples += series.timesMs.length + series.histograms.length;
  return samples;
}

/** The part of the set in [fromMs, toMs), without series that have no samples there. */
export function sliceSeries(set: SeriesSet, fromMs: number, toMs: number): SeriesSet {
  const part: SeriesSet = new Map();
  for (const [key, series] of set) {
    const inside = (timeMs: number) => timeMs >= fromMs && timeMs < toMs;
    const floatAt = (i: number) => inside(series.timesMs[i] ?? 0);
    const histogramAt = (i: number) => inside(series.histogramTimesMs[i] ?? 0);
    const slice: SeriesSamples = {
      labels: series.labels,
      timesMs: series.timesMs.filter((_, i) => floatAt(i)),
      bits: series.bits.filter((_, i) => floatAt(i)),
      histogramTimesMs: series.histogramTimesMs.filter((_, i) => histogramAt(i)),
      histograms: series.histograms.filter((_, i) => histogramAt(i)),
    };
    if (series.startTimesMs) slice.startTimesMs = series.startTimesMs.filter((_, i) => floatAt(i));
    if (series.nativeHistograms) slice.nativeHistograms = series.nativeHistograms.filter((_, i) => histogramAt(i));
    if (series.histogramStartTimesMs) {
      slice.histogramStartTimesMs = series.histogramStartTimesMs.filter((_, i) => histogramAt(i));
    }
    if (countSamples(new Map([[key, slice]])) > 0) part.set(key, slice);
  }
  return part;
}

const scratchFloat = new Float64Array(1);
const scratchBits = new BigUint64Array(scratchFloat.buffer);

/** The bits of an ordinary number. */
export function bitsOf(value: number): bigint {
  scratchFloat[0] = value;
  return scratchBits[0] ?? 0n;
}

/** The number with these bits, for printing and arithmetic; it may lose the payload of a NaN. */
export function numberOf(bits: bigint): number {
  scratchBits[0] = bits;
  return scratchFloat[0] ?? 0;
}

/** Builds a series of unknown length. */
export class SeriesBuilder {
  readonly labels: readonly Label[];
  readonly histogramTimesMs: number[] = [];
  readonly histograms: string[] = [];
  readonly nativeHistograms: NativeHistogram[] = [];
  #length = 0;
  #timesMs = new Float64Array(64);
  #bits = new BigUint64Array(64);

  constructor(labels: Iterable<Label>) {
    this.labels = sortLabels(labels);
  }

  add(timeMs: number, bits: bigint): void {
    this.#reserve(1);
    this.#timesMs[this.#length] = timeMs;
    this.#bits[this.#length++] = bits;
  }

  addNumbers(timesMs: readonly number[], values: ArrayLike<number>): void {
    this.#reserve(timesMs.length);
    this.#timesMs.set(timesMs, this.#length);
    new Float64Array(this.#bits.buffer).set(values, this.#length);
    this.#length += timesMs.length;
  }

  addHistogram(timeMs: number, text: string, histogram?: NativeHistogram): void {
    this.histogramTimesMs.push(timeMs);
    this.histograms.push(text);
    if (histogram) this.nativeHistograms.push(histogram);
  }

  /** The series, with its samples sorted by time if necessary. */
  finish(): SeriesSamples {
    let timesMs = this.#timesMs.slice(0, this.#length);
    let bits = this.#bits.slice(0, this.#length);
    if (timesMs.some((timeMs, i) => i > 0 && timeMs < (timesMs[i - 1] ?? 0))) {
      const order = Array.from(timesMs.keys()).sort((a, b) => (timesMs[a] ?? 0) - (timesMs[b] ?? 0));
      timesMs = Float64Array.from(order, (i) => timesMs[i] ?? 0);
      bits = BigUint64Array.from(order, (i) => bits[i] ?? 0n);
    }
    const { labels, histogramTimesMs, histograms, nativeHistograms } = this;
    const series: SeriesSamples = { labels, timesMs, bits, histogramTimesMs, histograms };
    if (nativeHistograms.length > 0) series.nativeHistograms = nativeHistograms;
    return series;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#timesMs.length) return;
    const capacity = Math.max(needed, this.#timesMs.length * 2);
    const timesMs = new Float64Array(capacity);
    timesMs.set(this.#timesMs);
    this.#timesMs = timesMs;
    const bits = new BigUint64Array(capacity);
    bits.set(this.#bits);
    this.#bits = bits;
  }
}
