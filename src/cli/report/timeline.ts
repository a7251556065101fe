// What a run did over time, in a bounded number of intervals: when there are too many, they become twice as long. Pure.

import type { Interval } from './page/model.ts';

const FIRST_INTERVAL_MS = 100;
const MAX_INTERVALS = 480;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class Timeline {
  #intervalMs = FIRST_INTERVAL_MS;
  #intervals: Mutable<Interval>[] = [];
  /** The latest: it stays the same until the next report, even if that comes much later. */
  #windowMs = 0;

  get intervalMs(): number {
    return this.#intervalMs;
  }

  get intervals(): readonly Interval[] {
    return this.#intervals;
  }

  /** Records the totals at `elapsedMs`, which never decreases. Cheap: called for each batch. */
  totals(elapsedMs: number, samplesWritten: number, samplesCompared: number, windowMs: number): void {
    const interval = this.#at(elapsedMs);
    this.#windowMs = windowMs;
    interval.samplesWritten = samplesWritten;
    interval.samplesCompared = samplesCompared;
    if (windowMs > interval.windowMs) interval.windowMs = windowMs;
  }

  retry(elapsedMs: number): void {
    this.#at(elapsedMs).retries++;
  }

  #at(elapsedMs: number): Mutable<Interval> {
    while (elapsedMs >= this.#intervalMs * MAX_INTERVALS) this.#double();
    const index = Math.max(Math.floor(elapsedMs / this.#intervalMs), this.#intervals.length - 1, 0);
    while (this.#intervals.length <= index) {
      const { samplesWritten, samplesCompared } = this.#intervals.at(-1) ?? { samplesWritten: 0, samplesCompared: 0 };
      this.#intervals.push({ samplesWritten, samplesCompared, windowMs: this.#windowMs, retries: 0 });
    }
    return this.#intervals[index] as Mutable<Interval>;
  }

  #double(): void {
    this.#intervalMs *= 2;
    this.#intervals = mergedIntervals(this.#intervals, 2);
  }
}

/** Each `count` neighbours as one interval. */
function mergedIntervals(intervals: readonly Interval[], count: number): Mutable<Interval>[] {
  const merged: Mutable<Interval>[] = [];
  intervals.forEach((interval, index) => {
    const last = merged.at(-1);
    if (index % count === 0 || last === undefined) {
      merged.push({ ...interval });
      return;
    }
    last.samplesWritten = interval.samplesWritten;
    last.samplesCompared = interval.samplesCompared;
    last.windowMs = Math.max(last.windowMs, interval.windowMs);
    last.retries += interval.retries;
  });
  return merged;
}
