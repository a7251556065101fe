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
    const { fromMs, pieceMs, portion, samplesUntilMs } = this.#span;
    return { fromMs, toMs: Math.min(this.toMs, fromMs + pieceMs), names: portion.names, samplesUntilMs };
  }

  /** Records what the slice contained. */
  note({ series, samples, bytes, fixedBytes }: SliceOutcome): void {
    this.largest = maxLoad(this.largest, { series, samples, bytes });
    this.largestFixedBytes = Math.max(this.largestFixedBytes, fixedBytes);
    this.fixedBytes += fixedBytes;
  }

  /**
   * The slice was read and is delivered.
   * @param halves the next window reads the names of this portion separately
   */
  advance({ series, samples, bytes }: SliceOutcome, longestPieceMs: number, halves?: readonly NamePartition[]): void {
    this.delivered = true;
    const { toMs } = this.slice;
    const before = this.#span;
    // Without data, pieces grow as strides do: a window may be a million times as long as a piece.
    const pieceMs = samples === 0 ? before.pieceMs * 2 : before.pieceMs;
    const span = { ...before, pieceMs, fromMs: toMs, load: maxLoad(before.load, { series, samples, bytes }) };
    const others = this.#spans.slice(1);
    if (toMs < this.toMs) {
      this.#spans = [span, ...others];
      return;
    }
    this.#spans = others;
    const { portion, learnedPieceMs, load } = span;
    if (halves !== undefined) {
      this.read.push(...halves.map((names) => halfOf(names, load)));
      return;
    }
    this.read.push(
      learnedPieceMs < portion.pieceMs
        ? afterRefusal(portion, load, learnedPieceMs)
        : afterFineWindow(portion, load, longestPieceMs),
    );
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
    this.#replace(...halves.map((names) => ({ ...span, portion: { ...portionOf(names), pieceMs }, load: NO_LOAD })));
  }

  get #span(): Span {
    const [span] = this.#spans;
    if (span === undefined) throw new Error('the window has been read');
    return span;
  }

  #replace(...spans: Span[]): void {
    this.#spans = [...spans, ...this.#spans.slice(1)];
  }
}

function spanOf(portion: Portion, fromMs: number): Span {
  const { pieceMs } = portion;
  return {
    portion,
    fromMs,
    pieceMs,
    learnedPieceMs: pieceMs,
    samplesUntilMs: Number.NEGATIVE_INFINITY,
    load: NO_LOAD,
  };
}
