// Compares two sets of series sample by sample and shows the first difference of both sides.
import { type Label, labelText, numberOf, type SeriesSamples, type SeriesSet, STALE_MARKER } from './series-set.ts';

export interface ComparisonOptions {
  /**
   * `bits`: every value bit for bit. `relative-1e-11`: for VictoriaMetrics, which stores values as decimals (a full mantissa returns with a
   * relative error up to 4·10⁻¹³) and whose export shows all NaNs alike.
   */
  values: 'bits' | 'relative-1e-11';
  /** Series to ignore on both sides, such as the progress series. */
  ignore?: (labels: ReadonlyMap<string, string>) => boolean;
  /** Whether start timestamps must be equal too; remote write 1.0 has no field for them. */
  startTimes?: boolean;
}

export interface Comparison {
  seriesCompared: number;
  /** The number of compared samples of the expected side. */
  samplesCompared: number;
  /** Samples that only one side has, or that have different values. */
  differences: number;
  /** The first difference, as text: the series, and the sample on either side. */
  first?: string;
}

const RELATIVE = 1e-11;

/** Compares every series of one side with the same series of the other. */
export function compareSeries(expected: SeriesSet, actual: SeriesSet, options: ComparisonOptions): Comparison {
  const result: Comparison = { seriesCompared: 0, samplesCompared: 0, differences: 0 };
  const ignored = (series: SeriesSamples) => options.ignore?.(new Map(series.labels as Label[])) ?? false;
  for (const [key, series] of expected) {
    if (ignored(series)) continue;
    result.seriesCompared++;
    result.samplesCompared += series.timesMs.length + series.histograms.length;
    compareFloats(series, actual.get(key), options, result);
    compareHistograms(series, actual.get(key), options, result);
  }
  for (const [key, series] of actual) {
    if (expected.has(key) || ignored(series)) continue;
    compareFloats(undefined, series, options, result);
    compareHistograms(undefined, series, options, result);
  }
  return result;
}

const NONE = { timesMs: new Float64Array(0), bits: new BigUint64Array(0) };

function compareFloats(
  expected: SeriesSamples | undefined,
  actual: SeriesSamples | undefined,
  options: ComparisonOptions,
  result: Comparison,
): void {
  const left = expected ?? NONE;
  const right = actual ?? NONE;
  const same = options.values === 'bits' ? sameBits(left.bits, right.bits) : nearlySame(left.bits, right.bits);
  const sameStart = (i: number, j: number) =>
    !options.startTimes || (expected?.startTimesMs?.[i] ?? 0) === (actual?.startTimesMs?.[j] ?? 0);
  let i = 0;
  let j = 0;
  while (i < left.timesMs.length || j < right.timesMs.length) {
    const leftMs = left.timesMs[i] ?? Number.POSITIVE_INFINITY;
    const rightMs = right.timesMs[j] ?? Number.POSITIVE_INFINITY;
    if (leftMs !== rightMs || !same(i, j) || !sameStart(i, j)) {
      result.differences++;
      result.first ??= describe(expected ?? actual, [
        leftMs <= rightMs ? floatSample(expected, i) : 'no sample',
        rightMs <= leftMs ? floatSample(actual, j) : 'no sample',
      ]);
    }
    if (leftMs <= rightMs) i++;
    if (rightMs <= leftMs) j++;
  }
}

function sameBits(left: BigUint64Array, right: BigUint64Array): (i: number, j: number) => boolean {
  // 32-bit halves, because one BigInt per sample would allocate an object per sample.
  const a = new Uint32Array(left.buffer, left.byteOffset, left.length * 2);
  const b = new Uint32Array(right.buffer, right.byteOffset, right.length * 2);
  return (i, j) => a[2 * i] === b[2 * j] && a[2 * i + 1] === b[2 * j + 1];
}

function nearlySame(left: BigUint64Array, right: BigUint64Array): (i: number, j: number) => boolean {
  const a = new Float64Array(left.buffer, left.byteOffset, left.length);
  const b = new Float64Array(right.buffer, right.byteOffset, right.length);
  return (i, j) => {
    const x = a[i] ?? 0;
    const y = b[j] ?? 0;
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) && Number.isNaN(y);
    return x === y || Math.abs(x - y) <= RELATIVE * Math.max(Math.abs(x), Math.abs(y));
  };
}

function compareHistograms(
  expected: SeriesSamples | undefined,
  actual: SeriesSamples | undefined,
  options: ComparisonOptions,
  result: Comparison,
): void {
  const leftTimesMs = expected?.histogramTimesMs ?? [];
  const rightTimesMs = actual?.histogramTimesMs ?? [];
  let i = 0;
  let j = 0;
  while (i < leftTimesMs.length || j < rightTimesMs.length) {
    const leftMs = leftTimesMs[i] ?? Number.POSITIVE_INFINITY;
    const rightMs = rightTimesMs[j] ?? Number.POSITIVE_INFINITY;
    const startsDiffer =
      options.startTimes && (expected?.histogramStartTimesMs?.[i] ?? 0) !== (actual?.histogramStartTimesMs?.[j] ?? 0);
    if (leftMs !== rightMs || expected?.histograms[i] !== actual?.histograms[j] || startsDiffer) {
      result.differences++;
      result.first ??= describe(expected ?? actual, [
        leftMs <= rightMs ? histogramSample(expected, i) : 'no sample',
        rightMs <= leftMs ? histogramSample(actual, j) : 'no sample',
      ]);
    }
    if (leftMs <= rightMs) i++;
    if (rightMs <= leftMs) j++;
  }
}

function describe(series: SeriesSamples | undefined, [expected, actual]: [string, string]): string {
  return `${labelText(series?.labels ?? [])}\n  expected: ${expected}\n  actual:   ${actual}`;
}

function floatSample(series: SeriesSamples | undefined, index: number): string {
  const bits = series?.bits[index] ?? 0n;
  const start = series?.startTimesMs?.[index];
  return (
    `${instant(series?.timesMs[index])} value ${numberOf(bits)} (bits ${bits.toString(16).padStart(16, '0')})` +
    `${start ? ` start ${start}` : ''}, sample ${index + 1} of ${series?.timesMs.length}`
  );
}

function histogramSample(series: SeriesSamples | undefined, index: number): string {
  const start = series?.histogramStartTimesMs?.[index];
  return (
    `${instant(series?.histogramTimesMs[index])} histogram ${series?.histograms[index]}` +
    `${start ? ` start ${start}` : ''}, histogram ${index + 1} of ${series?.histograms.length}`
  );
}

function instant(timeMs = 0): string {
  return `${new Date(timeMs).toISOString()} (${timeMs})`;
}

/** The part of a set that VictoriaMetrics stores: it drops every NaN except stale markers (`vm_rows_ignored_total{reason="nan_value"}`). */
export function keptByVictoriaMetrics(set: SeriesSet): SeriesSet {
  return keepFloats(set, (value, bits) => !Number.isNaN(value) || bits === STALE_MARKER);
}

/** The part of a set that InfluxDB 1.x stores: it supports neither NaN, including stale markers, nor infinities. */
export function keptByInfluxdb(set: SeriesSet): SeriesSet {
  return keepFloats(set, (value) => Number.isFinite(value));
}

function keepFloats(set: SeriesSet, keeps: (value: number, bits: bigint | undefined) => boolean): SeriesSet {
  const kept: SeriesSet = new Map();
  for (const [key, series] of set) {
    const numbers = new Float64Array(series.bits.buffer, series.bits.byteOffset, series.bits.length);
    const keep = (i: number) => keeps(numbers[i] ?? 0, series.bits[i]);
    const timesMs = series.timesMs.filter((_, i) => keep(i));
    const bits = series.bits.filter((_, i) => keep(i));
    if (timesMs.length + series.histograms.length > 0) kept.set(key, { ...series, timesMs, bits });
  }
  return kept;
}
