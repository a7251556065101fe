// The window that is being read: which portions of its names are still to be read, from when on, and what those that were read had.
// Owned by window-planner.ts.

import type { NamePartition } from '../series/name-partition.ts';
import {
  afterFineWindow,
  afterRefusal,
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

/** What a good response held. */
export interface SliceOutcome extends Load {
  /** At least as many samples as lie inside the slice; 0 only when there is none. */
  readonly samples: number;
  /** Of the response as it is held in memory. */
  readonly bytes: number;
  readonly labelBytes: number;
  readonly streamed: boolean;
}

/** A portion of the window, as far as it is still to be read. */
interface Span {
  readonly portion: Portion;
  readonly fromMs: number;
  /** How much of it is asked for at once; shorter than `learnedPieceMs` after failures that pass, longer where there is nothing. */
  readonly pieceMs: number;
  readonly learnedPieceMs: number;
  /** Before it this portion is read as SAMPLES. */
  readonly samplesUntilMs: number;
  readonly load: Load;
}

export class OpenWindow implements TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
  /** Something of it was read and handed on. */
  delivered = false;
  refused = false;
  /** Of all of it. */
  labelBytes = 0;
  /** Of one slice. */
  largest: Load = NO_LOAD;
  largestLabelBytes = 0;
  /** The portions that were read, for the next window. */
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

  /** What part of it is still to be read, from 0 to 1, with all portions taken for equally large. */
  get remaining(): number {
    const spans = this.#spans.reduce((sum, { fromMs }) => sum + (this.toMs - fromMs) / this.lengthMs, 0);
    return spans / (this.read.length + this.#spans.length);
  }

  /** All names are asked for at once, and nothing of them was read. */
  get isWhole(): boolean {
    return !this.delivered && this.#spans.length === 1;
  }

  /** What is read next. */
  get slice(): TimeRange & { readonly names: NamePartition; readonly samplesUntilMs: number } {
    const { fromMs, pieceMs, portion, samplesUntilMs } = this.#span;
    return { fromMs, toMs: Math.min(this.toMs, fromMs + pieceMs), names: portion.names, samplesUntilMs };
  }

  /** Takes note of what the slice held. */
  note({ series, samples, bytes, labelBytes }: SliceOutcome): void {
    this.largest = maxLoad(this.largest, { series, samples, bytes });
    this.largestLabelBytes = Math.max(this.largestLabelBytes, labelBytes);
    this.labelBytes += labelBytes;
  }

  /** The slice was read and is handed on. */
  advance({ series, samples, bytes }: SliceOutcome, longestPieceMs: number): void {
    this.delivered = true;
    const { toMs } = this.slice;
    const before = this.#span;
    // Where there is nothing, pieces grow as strides do: a window may be a million times as long as a piece.
    const pieceMs = samples === 0 ? before.pieceMs * 2 : before.pieceMs;
    const span = { ...before, pieceMs, fromMs: toMs, load: maxLoad(before.load, { series, samples, bytes }) };
    const others = this.#spans.slice(1);
    if (toMs < this.toMs) {
      this.#spans = [span, ...others];
      return;
    }
    this.#spans = others;
    const { portion, learnedPieceMs, load } = span;
    this.read.push(
      learnedPieceMs < portion.pieceMs
        ? afterRefusal(portion, load, learnedPieceMs)
        : afterFineWindow(portion, load, longestPieceMs),
    );
  }

  /** @param remember whether the next window has to do the same */
  shortenPieces(pieceMs: number, remember: boolean): void {
    this.#replace({ ...this.#span, pieceMs, ...(remember && { learnedPieceMs: pieceMs }) });
  }

  readAsSamples(): void {
    this.#replace({ ...this.#span, samplesUntilMs: this.slice.toMs });
  }

  splitNames(halves: readonly NamePartition[]): void {
    const span = this.#span;
    const { pieceMs } = span.portion;
    // What was read of the portion is behind `fromMs`: it is remembered as its halves.
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
