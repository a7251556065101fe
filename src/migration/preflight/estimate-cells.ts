// The parts of a range that the probed windows stand for, and what the windows of the migration in them cost. Pure.

import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { ProbeWindow } from './probe-window.ts';

/** A part of the range that one probed window stands for. */
export interface Cell {
  readonly window: ProbeWindow;
  readonly lengthMs: number;
  /** How many times the window it is. */
  readonly times: number;
  readonly samplesPerMs: number;
  /** Of the migration, not of the probe. */
  readonly windowMs: number;
  readonly windows: number;
}

/** What a chunk has beside its samples: times, encoding, tags, the first sample. */
const CHUNK_OVERHEAD_BYTES = 30;
/** A chunk of a constant, and one of random numbers. */
const [LEAST_BYTES_PER_SAMPLE, MOST_BYTES_PER_SAMPLE] = [0.3, 16];
const SAMPLES_PER_CHUNK = 120;

/** Each window stands for everything that is nearer to it than to the others. */
export function cellsOf(
  plan: Pick<MigrationPlan, 'window'>,
  windows: readonly ProbeWindow[],
  { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
): Cell[] {
  return windows.map((window, index) => {
    const [before, after] = [windows[index - 1], windows[index + 1]];
    const fromMs = before === undefined ? startMs : (before.toMs + window.fromMs) / 2;
    const toMs = after === undefined ? endMs : (window.toMs + after.fromMs) / 2;
    const lengthMs = toMs - fromMs;
    const samplesPerMs = ratio(window.samples, window.toMs - window.fromMs);
    const { minMs, maxMs, targetSamples } = plan.window;
    const wantedMs = samplesPerMs === 0 ? maxMs : Math.min(maxMs, Math.max(minMs, targetSamples / samplesPerMs));
    const windowMs = Math.min(wantedMs, endMs - startMs);
    const times = lengthMs / (window.toMs - window.fromMs);
    return { window, lengthMs, times, samplesPerMs, windowMs, windows: lengthMs / windowMs };
  });
}

/** The labels of every series come with every window, and so do chunks that lie across the border of two windows. */
export function bytesReadOf(cells: readonly Cell[], allSeries: number): number {
  return sum(cells, (cell) => {
    const { window, windows, windowMs, samplesPerMs, lengthMs } = cell;
    const { entries, labelBytes, bytesReceived, samplesReceived } = window;
    if (samplesPerMs === 0) return windows * bytesReceived;
    const chunkBytes = ratio(Math.max(0, bytesReceived - labelBytes), entries);
    const perSample = sampleBytes(chunkBytes, ratio(samplesReceived, entries));
    const perLabels = ratio(labelBytes, entries);
    const beyondMs = Math.max(0, window.samplesReceived / samplesPerMs - (window.toMs - window.fromMs));
    const samples = samplesPerMs * lengthMs * (1 + beyondMs / windowMs);
    const series = windows * seriesPerWindow(cell, allSeries);
    const chunks = Math.max(series, samples / SAMPLES_PER_CHUNK);
    return series * perLabels + chunks * Math.min(CHUNK_OVERHEAD_BYTES, chunkBytes) + samples * perSample;
  });
}

/** Of a sample beside the first one of a chunk. */
function sampleBytes(entryBytes: number, samples: number): number {
  const chunks = Math.max(1, samples / SAMPLES_PER_CHUNK);
  const more = entryBytes - chunks * CHUNK_OVERHEAD_BYTES;
  return Math.min(MOST_BYTES_PER_SAMPLE, Math.max(LEAST_BYTES_PER_SAMPLE, ratio(more, samples - chunks)));
}

export function bytesWrittenOf(cells: readonly Cell[], allSeries: number): number {
  const sizes = cells.flatMap(({ window: { encoded } }) => (encoded === undefined ? [] : [encoded]));
  if (sizes.length === 0) return 0;
  const perSeries = sum(sizes, (size) => size.bytesPerSeries) / sizes.length;
  const perSample = sum(sizes, (size) => size.bytesPerSample) / sizes.length;
  return sum(cells, (cell) => {
    const { bytesPerSample = perSample, bytesPerSeries = perSeries } = cell.window.encoded ?? {};
    const series = cell.windows * seriesPerWindow(cell, allSeries);
    return series * bytesPerSeries + cell.window.samples * cell.times * bytesPerSample;
  });
}

/** How many series a window of the migration has, which may be longer or shorter than the probe. */
function seriesPerWindow({ window, windowMs, samplesPerMs }: Cell, allSeries: number): number {
  const longer = Math.max(1, windowMs / (window.toMs - window.fromMs));
  // Every series with several samples in the probe is there all the time.
  const isSteady = window.samples >= 2 * window.series;
  const series = isSteady ? window.series : window.series * longer;
  return Math.min(series, allSeries, samplesPerMs * windowMs);
}

export function ratio(a: number, b: number): number {
  return b === 0 ? 0 : a / b;
}

export function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
