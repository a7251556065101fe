// Sources of any size without data: series as arithmetic sequences of times, counted by formula. Reading takes time on a clock that only moves
// when something is read.

import type { ProbeWindow } from '../../../src/migration/preflight/probe-window.ts';
import { SeriesSketch } from '../../../src/migration/preflight/series-sketch.ts';
import type { Clock } from '../../../src/telemetry/clock.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
const CHUNK_SAMPLES = 120;

/** A series has a sample every interval while it exists. */
export interface ShapedSeries {
  readonly phaseMs: number;
  readonly intervalMs: number;
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly isHistogram?: true;
  /** Only in the first part of each period. */
  readonly burst?: { readonly periodMs: number; readonly lengthMs: number };
}

/** The times `phase + k × interval` in [fromMs, toMs). */
function timesIn(phaseMs: number, intervalMs: number, fromMs: number, toMs: number): number {
  if (toMs <= fromMs) return 0;
  return Math.ceil((toMs - phaseMs) / intervalMs) - Math.ceil((fromMs - phaseMs) / intervalMs);
}

export function countIn(series: ShapedSeries, fromMs: number, toMs: number): number {
  const { phaseMs, intervalMs, burst } = series;
  const [first, last] = [Math.max(fromMs, series.fromMs ?? fromMs), Math.min(toMs, series.toMs ?? toMs)];
  if (burst === undefined) return timesIn(phaseMs, intervalMs, first, last);
  let count = 0;
  for (let at = Math.floor(first / burst.periodMs) * burst.periodMs; at < last; at += burst.periodMs)
    count += timesIn(phaseMs, intervalMs, Math.max(first, at), Math.min(last, at + burst.lengthMs));
  return count;
}

export class ShapedSource {
  readonly sketch = new SeriesSketch();
  readonly reads: { readonly fromMs: number; readonly toMs: number }[] = [];
  readonly #series: readonly ShapedSeries[];
  readonly #samplesPerSecond: number;
  #nowMs = 0;

  constructor(series: readonly ShapedSeries[], samplesPerSecond: number) {
    this.#series = series;
    this.#samplesPerSecond = samplesPerSecond;
  }

  readonly clock: Clock = {
    now: () => this.#nowMs,
    monotonicMs: () => this.#nowMs,
    // A limit of the time for one window: nothing else sleeps.
    sleep: () => new Promise<void>(() => {}),
  };

  readonly read = (fromMs: number, toMs: number): Promise<ProbeWindow> => {
    const index = this.reads.push({ fromMs, toMs }) - 1;
    let [samples, histograms, series, received] = [0, 0, 0, 0];
    for (const [place, one] of this.#series.entries()) {
      const count = countIn(one, fromMs, toMs);
      // Whole chunks are sent.
      const chunkMs = CHUNK_SAMPLES * one.intervalMs;
      const chunkFromMs = Math.floor(fromMs / chunkMs) * chunkMs;
      const inChunks = countIn(one, chunkFromMs, Math.ceil(toMs / chunkMs) * chunkMs);
      received += inChunks;
      if (inChunks > 0) this.sketch.add(place, index);
      if (count === 0) continue;
      series++;
      samples += count;
      if (one.isHistogram === true) histograms += count;
    }
    const seconds = 0.02 + received / this.#samplesPerSecond;
    this.#nowMs += 1000 * seconds;
    return Promise.resolve({
      ...{ fromMs, toMs, series, samples, histograms, seconds },
      samplesReceived: received,
      bytesReceived: 2 * received + 100 * series,
      entries: series,
      labelBytes: 100 * series,
      seriesOfSelector: [series],
      seriesDropped: 0,
      seriesInvalid: 0,
      names: new Map([['shaped', { series, samples }]]),
      encoded: { bytesPerSeries: 50, bytesPerSample: 6 },
    });
  };

  get elapsedMs(): number {
    return this.#nowMs;
  }
}
