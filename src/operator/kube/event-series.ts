// Decides in which series an event is counted: a repeat continues the series of its note, and notes over a limit are counted in the latest
// series of their topic. Pure: it sends nothing and reads no clock.

import type { Moment } from '../../telemetry/clock.ts';

export interface Series {
  count: number;
  /** When the event was seen last. */
  last: Moment;
}

/** The server deletes an event an hour after its last change. After that a repeat creates a new event. */
const SERIES_MS = 30 * 60_000;
/** Limit of different notes for one topic: this burst, plus one more each minute. */
const BURST = 5;
const REFILL_MS = 60_000;
const MAX_SERIES = 5_000;

/** A topic is what different notes are about: an object and a reason. */
export class SeriesBook<T extends Series> {
  /** By topic and note. A Map keeps the insertion order, so the first entry is the oldest. */
  readonly #series = new Map<string, T>();
  /** The notes of a topic take a minute each: `busyUntilMs` is when all of them are over. */
  readonly #topics = new Map<string, { readonly latest: T; readonly busyUntilMs: number }>();

  /** @returns the series that the event was counted in; undefined if it needs a series of its own */
  count(topic: string, note: string, now: Moment): T | undefined {
    const known = this.#series.get(keyOf(topic, note));
    const isRepeat = known !== undefined && now.monotonicMs - known.last.monotonicMs < SERIES_MS;
    const series = isRepeat ? known : this.#latestOverLimit(topic, now);
    if (series === undefined) return undefined;
    series.count++;
    series.last = now;
    return series;
  }

  /** @returns the oldest series, which are dropped if there are too many */
  add(topic: string, note: string, series: T): T[] {
    const key = keyOf(topic, note);
    const nowMs = series.last.monotonicMs;
    this.#series.delete(key);
    this.#series.set(key, series);
    const busyUntilMs = Math.max(nowMs, this.#topics.get(topic)?.busyUntilMs ?? nowMs) + REFILL_MS;
    this.#topics.set(topic, { latest: series, busyUntilMs });
    dropOldest(this.#topics);
    return dropOldest(this.#series);
  }

  #latestOverLimit(topic: string, { monotonicMs }: Moment): T | undefined {
    const known = this.#topics.get(topic);
    return known !== undefined && known.busyUntilMs - monotonicMs > (BURST - 1) * REFILL_MS ? known.latest : undefined;
  }
}

function keyOf(topic: string, note: string): string {
  return JSON.stringify([topic, note]);
}

function dropOldest<V>(entries: Map<string, V>): V[] {
  const dropped: V[] = [];
  for (const [key, value] of entries) {
    if (entries.size <= MAX_SERIES) break;
    entries.delete(key);
    dropped.push(value);
  }
  return dropped;
}
