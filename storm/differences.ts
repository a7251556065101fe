// The samples that only one side has, by kind: a comparison that distinguishes a lost sample from a duplicate. Pure.

import { numberOf, type Label, type SeriesSamples, type SeriesSet } from '../test/support/series-set.ts';

export type DifferenceKind = 'missing' | 'extra' | 'doubled' | 'different';

export interface Difference {
  readonly kind: DifferenceKind;
  readonly labels: readonly Label[];
  readonly timeMs: number;
  /** The difference as text. */
  readonly text: string;
}

export interface Differences {
  readonly samplesCompared: number;
  readonly counts: Readonly<Record<DifferenceKind, number>>;
  /** The first few differences. */
  readonly first: readonly Difference[];
}

export type Exactness = 'bits' | 'relative-1e-11';

const KEPT = 40;
const RELATIVE = 1e-11;
const NO_SAMPLES = { timesMs: [] as readonly number[], values: [] as readonly Value[] };

/** A float as its bits, a native histogram as its canonical text. */
type Value = bigint | string;

export class DifferenceFinder {
  #samplesCompared = 0;
  readonly #counts: Record<DifferenceKind, number> = { missing: 0, extra: 0, doubled: 0, different: 0 };
  readonly #first: Difference[] = [];
  readonly #exactness: Exactness;

  constructor(exactness: Exactness) {
    this.#exactness = exactness;
  }

  /** Compares every series of one side with the same series of the other. */
  compare(expected: SeriesSet, actual: SeriesSet): Differences {
    for (const [key, series] of expected) this.#series(series, series, actual.get(key));
    for (const [key, series] of actual) if (!expected.has(key)) this.#series(series, undefined, series);
    return { samplesCompared: this.#samplesCompared, counts: this.#counts, first: this.#first };
  }

  #series({ labels }: SeriesSamples, expected: SeriesSamples | undefined, actual: SeriesSamples | undefined): void {
    this.#columns(labels, floats(expected), floats(actual));
    this.#columns(labels, histograms(expected), histograms(actual));
  }

  #columns(labels: readonly Label[], expected: typeof NO_SAMPLES, actual: typeof NO_SAMPLES): void {
    this.#samplesCompared += expected.timesMs.length;
    let j = 0;
    for (let i = 0; i < expected.timesMs.length; i++) {
      const timeMs = expected.timesMs[i] ?? 0;
      for (; (actual.timesMs[j] ?? Number.POSITIVE_INFINITY) < timeMs; j++)
        this.#add('extra', labels, actual.timesMs[j] ?? 0, show(actual.values[j]));
      let copies = 0;
      for (; actual.timesMs[j] === timeMs; j++, copies++) {
        if (copies > 0) this.#add('doubled', labels, timeMs, show(actual.values[j]));
        else if (!this.#same(expected.values[i], actual.values[j]))
          this.#add('different', labels, timeMs, `${show(expected.values[i])} became ${show(actual.values[j])}`);
      }
      if (copies === 0) this.#add('missing', labels, timeMs, show(expected.values[i]));
    }
    for (; j < actual.timesMs.length; j++) this.#add('extra', labels, actual.timesMs[j] ?? 0, show(actual.values[j]));
  }

  #same(expected: Value | undefined, actual: Value | undefined): boolean {
    if (expected === actual) return true;
    if (this.#exactness === 'bits' || typeof expected !== 'bigint' || typeof actual !== 'bigint') return false;
    const [x, y] = [numberOf(expected), numberOf(actual)];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) && Number.isNaN(y);
    return x === y || Math.abs(x - y) <= RELATIVE * Math.max(Math.abs(x), Math.abs(y));
  }

  #add(kind: DifferenceKind, labels: readonly Label[], timeMs: number, text: string): void {
    this.#counts[kind]++;
    if (this.#first.length < KEPT) this.#first.push({ kind, labels, timeMs, text });
  }
}

function floats(series: SeriesSamples | undefined): typeof NO_SAMPLES {
  return series === undefined ? NO_SAMPLES : { timesMs: [...series.timesMs], values: [...series.bits] };
}

function histograms(series: SeriesSamples | undefined): typeof NO_SAMPLES {
  return series === undefined ? NO_SAMPLES : { timesMs: series.histogramTimesMs, values: series.histograms };
}

function show(value: Value | undefined): string {
  if (typeof value !== 'bigint') return value ?? 'no sample';
  return `${numberOf(value)} (bits ${value.toString(16).padStart(16, '0')})`;
}
