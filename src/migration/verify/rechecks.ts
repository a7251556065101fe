// The windows in which something differed at first sight. A destination may hide fresh data for a while, so a difference counts only when it is
// still there after `settle`. Decides which window is looked at again, and when. Pure, except for the clock's time passed in.

import { BYTES_PER_SERIES, SeriesHashes } from '../series/series-hashes.ts';

/** Some series of a window that differed. */
export interface Recheck {
  readonly fromMs: number;
  readonly toMs: number;
  /** By the hash of their labels. */
  readonly series: SeriesHashes;
  readonly bytes: number;
  /** The metric names of these series, if they are few. */
  readonly names: ReadonlySet<string> | undefined;
  /** When a difference that is still there counts, on the monotonic clock. */
  readonly finalAtMs: number;
  /** When to look next. */
  readonly lookAtMs: number;
  /** Missing samples before the repair; undefined if nothing was repaired. */
  readonly missingBeforeRepair?: number;
}

/** Windows that wait hold 16 bytes per series. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
const MAX_NAMES = 100;
const FIRST_ROOM = 64;
const FIRST_LOOK = 1 / 4;

/** Collects the series of one window that differ. */
export class RecheckDraft {
  readonly #series = new SeriesHashes(0);
  #room = 0;
  #size = 0;
  #names: Set<string> | undefined = new Set();

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  add(hash: number, name: string): void {
    if (this.#size === this.#room) {
      this.#room = Math.max(FIRST_ROOM, 2 * this.#room);
      this.#series.grow(this.#room);
    }
    if (this.#series.add(hash)) this.#size++;
    this.#names?.add(name);
    if (this.#names !== undefined && this.#names.size > MAX_NAMES) this.#names = undefined;
  }

  finish(window: { fromMs: number; toMs: number }, nowMs: number, settleMs: number): Recheck {
    const finalAtMs = nowMs + settleMs;
    const lookAtMs = nowMs + settleMs * FIRST_LOOK;
    return { ...this.left(window), finalAtMs, lookAtMs };
  }

  /** The series of a window, or of a part of it, that still differ. */
  left({ fromMs, toMs }: { fromMs: number; toMs: number }): Omit<Recheck, 'finalAtMs' | 'lookAtMs'> {
    return { fromMs, toMs, series: this.#series, bytes: this.#room * BYTES_PER_SERIES, names: this.#names };
  }
}

export class Rechecks {
  /** In the order of their windows. */
  readonly #waiting: Recheck[] = [];
  #bytes = 0;

  /** The start of the earliest window that waits. */
  get firstFromMs(): number | undefined {
    return this.#waiting[0]?.fromMs;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Whether one must be finished before another window is compared. */
  get areTooMany(): boolean {
    return this.#bytes > MAX_WAITING_BYTES;
  }

  /** When the next look is due, on the monotonic clock. */
  get nextAtMs(): number | undefined {
    return this.#waiting.length === 0 ? undefined : Math.min(...this.#waiting.map(({ lookAtMs }) => lookAtMs));
  }

  add(recheck: Recheck): void {
    const index = this.#waiting.findIndex(({ fromMs }) => fromMs > recheck.fromMs);
    this.#waiting.splice(index === -1 ? this.#waiting.length : index, 0, recheck);
    this.#bytes += recheck.bytes;
  }

  /** Takes the earliest window that is due. */
  takeDue(nowMs: number): Recheck | undefined {
    const index = this.#waiting.findIndex(({ lookAtMs }) => lookAtMs <= nowMs);
    if (index === -1) return undefined;
    const [recheck] = this.#waiting.splice(index, 1);
    this.#bytes -= recheck?.bytes ?? 0;
    return recheck;
  }
}

/** The same window, to be looked at when its differences count. */
export function lookAgain(recheck: Recheck): Recheck {
  return { ...recheck, lookAtMs: recheck.finalAtMs };
}

/** The same window after what was missing has been written. */
export function afterRepair(recheck: Recheck, missing: number, nowMs: number, settleMs: number): Recheck {
  return { ...recheck, missingBeforeRepair: missing, finalAtMs: nowMs + settleMs, lookAtMs: nowMs + settleMs / 4 };
}
