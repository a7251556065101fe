// The ranges in which the first comparison found a difference. A destination may hide fresh data for a while, so a difference counts only
// if it is still there after `settle`. Decides which range is compared again, and when. Pure: the time is passed in.

import { BYTES_PER_SERIES, SeriesHashes } from '../series/series-hashes.ts';

/** Some series that differed in a range. */
export interface Recheck {
  readonly fromMs: number;
  readonly toMs: number;
  /** By the hash of their labels. */
  readonly series: SeriesHashes;
  readonly bytes: number;
  /** The metric names of these series in the source, if they are few. */
  readonly names: ReadonlySet<string> | undefined;
  /** Samples of these series that were missing at the last look. */
  readonly missing: number;
  /** When they were seen to differ, or were repaired, on the monotonic clock. */
  readonly sinceMs: number;
  /** How often they have been looked at again since then. */
  readonly looks: number;
  /** Whether what was missing has been written. */
  readonly repaired: boolean;
}

export type DifferingRange = Omit<Recheck, 'sinceMs' | 'looks' | 'repaired'>;

/** Ranges that wait hold 16 bytes per series. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
const MAX_NAMES = 100;
const FIRST_ROOM = 64;
/** When to look, as parts of `settle`. At the last look, differences count. */
const LOOKS = [1 / 16, 1 / 4, 1] as const;

/** Collects the series of one range that differ. */
export class RecheckDraft {
  readonly #range: { readonly fromMs: number; readonly toMs: number };
  readonly #series = new SeriesHashes(0);
  #room = 0;
  #size = 0;
  #missing = 0;
  #names: Set<string> | undefined = new Set();

  constructor({ fromMs, toMs }: { fromMs: number; toMs: number }) {
    this.#range = { fromMs, toMs };
  }

  /** Whether this is its range. */
  covers({ fromMs, toMs }: { fromMs: number; toMs: number }): boolean {
    return this.#range.fromMs === fromMs && this.#range.toMs === toMs;
  }

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  add(hash: number, names: readonly string[], missing: number): void {
    this.#missing += missing;
    if (this.#size === this.#room) {
      this.#room = Math.max(FIRST_ROOM, 2 * this.#room);
      this.#series.grow(this.#room);
    }
    if (this.#series.add(hash)) this.#size++;
    for (const name of names) this.#names?.add(name);
    if (this.#names !== undefined && this.#names.size > MAX_NAMES) this.#names = undefined;
  }

  finish(): DifferingRange {
    const bytes = this.#room * BYTES_PER_SERIES;
    return { ...this.#range, series: this.#series, bytes, names: this.#names, missing: this.#missing };
  }
}

/** The queue. */
export class Rechecks {
  readonly #settleMs: number;
  /** In the order of their ranges. */
  readonly #waiting: Recheck[] = [];
  #bytes = 0;

  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  /** The start of the earliest range that waits. */
  get firstFromMs(): number | undefined {
    return this.#waiting[0]?.fromMs;
  }

  /** How much of the time range the ranges that wait cover. */
  get waitingMs(): number {
    let waitingMs = 0;
    let coveredToMs = Number.NEGATIVE_INFINITY;
    for (const { fromMs, toMs } of this.#waiting) {
      waitingMs += Math.max(0, toMs - Math.max(fromMs, coveredToMs));
      coveredToMs = Math.max(coveredToMs, toMs);
    }
    return waitingMs;
  }

  /** Whether one must be finished before another window is compared. */
  get areTooMany(): boolean {
    return this.#bytes > MAX_WAITING_BYTES;
  }

  /** When the next look is due, on the monotonic clock; undefined if none waits. */
  get nextAtMs(): number | undefined {
    if (this.#waiting.length === 0) return undefined;
    return this.#waiting.reduce(
      (earliest, recheck) => Math.min(earliest, this.#dueMs(recheck)),
      Number.POSITIVE_INFINITY,
    );
  }

  /** Whether the differences that this look finds count. */
  isLast({ looks }: Recheck): boolean {
    return looks >= LOOKS.length - 1;
  }

  add(recheck: Recheck): void {
    const index = this.#waiting.findIndex(({ fromMs }) => fromMs > recheck.fromMs);
    this.#waiting.splice(index === -1 ? this.#waiting.length : index, 0, recheck);
    this.#bytes += recheck.bytes;
  }

  /** Takes the earliest range that is due. */
  takeDue(nowMs: number): Recheck | undefined {
    const index = this.#waiting.findIndex((recheck) => this.#dueMs(recheck) <= nowMs);
    if (index === -1) return undefined;
    const [recheck] = this.#waiting.splice(index, 1);
    this.#bytes -= recheck?.bytes ?? 0;
    return recheck;
  }

  #dueMs({ sinceMs, looks }: Recheck): number {
    return sinceMs + this.#settleMs * (LOOKS[Math.min(looks, LOOKS.length - 1)] as number);
  }
}
