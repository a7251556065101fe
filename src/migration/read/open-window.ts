// The window that is being read: which portions of its names are still to be read, from which time, and what the finished ones contained.

import type { NamePartition } from '../series/name-partition.ts';
import {
  afterFineWindow,
  afterRefusal,
  halfOf,
  type Load,
  maxLoad,
  NO_LOAD,
  type Portion,
  portionOf,
} from './name-portions.ts';
import type { PortionRead } from './long-windows.ts';

export interface TimeRange {
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
}

/** What a good response contained. */
export interface SliceOutcome extends Load {
  /** An upper bound of the samples inside the slice; 0 only for an empty slice. */
  readonly samples: number;
  /** Size of the response in memory. */
  readonly bytes: number;
  /** The part of `bytes` that a shorter slice has as well: labels, and what is kept for each series. */
  readonly fixedBytes: number;
  readonly streamed: boolean;
  /** The metric names in it, in order, or some of them: where the slice can be split. Valid until the response is handed on. */
  readonly seenNames?: () => readonly string[];
  /** The metric names in it, each as often as corresponds to its size: a sample. Valid as long. */
  readonly sampledNames?: () => readonly string[];
}

/** What the next window may do differently. */
export interface Learned {
  /** It reads these names of the portion separately. */
  readonly halves?: readonly NamePartition[] | undefined;
  /** Where the portion can be cut. */
  readonly sampled?: readonly string[];
}

/** The part of a portion that is still to be read. */
interface Span {
  readonly portion: Portion;
  readonly fromMs: number;
  /** How much one request covers. Shorter than `learnedPieceMs` after transient failures, longer where there is no data. */
  readonly pieceMs: number;
  readonly learnedPieceMs: number;
  /** Before this time the portion is read as SAMPLES. */
  readonly samplesUntilMs: number;
  readonly load: Load;
  readonly fixedBytes: number;
  /** The longest slice that was read. */
  readonly sliceMs: number;
}

export class OpenWindow implements TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
  /** Some of the window was read and delivered. */
  delivered = false;
  refused = false;
  /** Of the whole window. */
  fixedBytes = 0;
  /** The maximum over single slices. */
  largest: Load = NO_LOAD;
  largestFixedBytes = 0;
  /** The portions that were read, kept for the next window. */
  readonly read: Portion[] = [];
  /** The same portions, with what they were before, and what each contained. */
  readonly contents: PortionRead[] = [];
  #spans: readonly Span[];

  constructor(range: TimeRange, portions: readonly Portion[]) {
    this.fromMs = range.fromMs;
    this.toMs = range.toMs;
    this.#spans = portions.map((portion) => spanOf(portion, range.fromMs));
  }

  get lengthMs(): number {
    return this.toMs - this.fromMs;
  }

  get isRead(): boolean {
    return this.#spans.length === 0;
  }

  /** The fraction still to be read, from 0 to 1. Assumes that all portions are equally large. */
  get remaining(): number {
    const spans = this.#spans.reduce((sum, { fromMs }) => sum + (this.toMs - fromMs) / this.lengthMs, 0);
    return spans / (this.read.length + this.#spans.length);
  }

  /** What remains when this fraction of the slice has been read. */
  remainingAfter(share: number): number {
    const { fromMs, toMs } = this.slice;
    const read = (share * (toMs - fromMs)) / this.lengthMs;
    return this.remaining - read / (this.read.length + this.#spans.length);
  }

  /** One request covers all names, and nothing of the window was delivered yet. */
  get isWhole(): boolean {
    return !this.delivered && this.#spans.length === 1;
  }

  /** The next slice to read. */
  get slice(): TimeRange & { readonly names: NamePartition; readonly samplesUntilMs: number } {
    return this.#sliceOf(this.#span);
  }

  /** The slice after the current one, if that contains samples; undefined at the end of the window. */
  get following(): OpenWindow['slice'] | undefined {
    const { toMs } = this.slice;
    const next = toMs < this.toMs ? { ...this.#span, fromMs: toMs } : this.#spans[1];
    return next && this.#sliceOf(next);
  }

  /** Records what the slice contained. */
  note({ series, samples, bytes, fixedBytes }: SliceOutcome): void {
    this.largest = maxLoad(this.largest, { series, samples, bytes });
    this.largestFixedBytes = Math.max(this.largestFixedBytes, fixedBytes);
    this.fixedBytes += fixedBytes;
  }

  /** The slice was read and is delivered. */
  advance(outcome: SliceOutcome, longestPieceMs: number, { halves, sampled = [] }: Learned = {}): void {
    this.delivered = true;
    const { series, samples, bytes } = outcome;
    const { fromMs, toMs } = this.slice;
    const before = this.#span;
    const span = {
      ...before,
      // Without data, pieces grow as strides do: a window may be a million times as long as a piece.
      pieceMs: samples === 0 ? before.pieceMs * 2 : before.pieceMs,
      fromMs: toMs,
      load: maxLoad(before.load, { series, samples, bytes }),
      fixedBytes: Math.max(before.fixedBytes, outcome.fixedBytes),
      sliceMs: Math.max(before.sliceMs, toMs - fromMs),
    };
    const others = this.#spans.slice(1);
    if (toMs < this.toMs) {
      this.#spans = [span, ...others];
      return;
    }
    this.#spans = others;
    const { portion, learnedPieceMs, load, fixedBytes, sliceMs } = span;
    const after =
      learnedPieceMs < portion.pieceMs
        ? afterRefusal(portion, load, learnedPieceMs)
        : afterFineWindow(portion, load, longestPieceMs);
    this.contents.push({ portion: { ...after, load: portion.load }, sliceMs, load, fixedBytes, sampled });
    if (halves === undefined) this.read.push(after);
    else this.read.push(...halves.map((names) => halfOf(names, load)));
  }

  /** @param remember whether the next window also uses these pieces */
  shortenPieces(pieceMs: number, remember: boolean): void {
    this.#replace({ ...this.#span, pieceMs, ...(remember && { learnedPieceMs: pieceMs }) });
  }

  readAsSamples(): void {
    this.#replace({ ...this.#span, samplesUntilMs: this.slice.toMs });
  }

  splitNames(halves: readonly NamePartition[]): void {
    const span = this.#span;
    const { pieceMs } = span.portion;
    // What was read of the portion lies before `fromMs`. It is remembered as its two halves.
    this.#replace(...halves.map((names) => ({ ...span, ...NOTHING_READ, portion: { ...portionOf(names), pieceMs } })));
  }

  get #span(): Span {
    const [span] = this.#spans;
    if (span === undefined) throw new Error('the window has been read');
    return span;
  }

  #sliceOf({ fromMs, pieceMs, portion, samplesUntilMs }: Span): OpenWindow['slice'] {
    return { fromMs, toMs: Math.min(this.toMs, fromMs + pieceMs), names: portion.names, samplesUntilMs };
  }

  #replace(...spans: Span[]): void {
    this.#spans = [...spans, ...this.#spans.slice(1)];
  }
}

const NOTHING_READ = { load: NO_LOAD, fixedBytes: 0, sliceMs: 0 };

function spanOf(portion: Portion, fromMs: number): Span {
  const { pieceMs, fittingMs = pieceMs } = portion;
  return {
    portion,
    fromMs,
    pieceMs: Math.min(pieceMs, fittingMs),
    learnedPieceMs: pieceMs,
    samplesUntilMs: Number.NEGATIVE_INFINITY,
    ...NOTHING_READ,
  };
}
