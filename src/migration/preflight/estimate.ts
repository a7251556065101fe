// Projects what was found in the probed windows onto the whole range. Pure.

import type { MigrationPlan } from '../plan/migration-plan.ts';
import { memoryShares } from '../write/memory-shares.ts';
import type { ProbeWindow } from './probe-window.ts';
import { bytesReadOf, bytesWrittenOf, type Cell, cellsOf, ratio, sum } from './estimate-cells.ts';
import type { Banded, Estimate, LargestName } from './preflight-result.ts';
import type { SeriesCounts } from './series-sketch.ts';

/** Of the true value, on both sides: what counts and sizes of a few windows never tell exactly. */
const SMALLEST_BAND = 0.05;
const DEVIATIONS = 2;
/** The number of series is at most this many times what was seen. */
const MOST_UNSEEN = 3;
const LARGEST_NAMES = 10;
const COLUMNS = 60;
/** Node and the libraries: see docs/performance.md. */
const PROCESS_BYTES = 80 * 1024 * 1024;
const MOST_BESIDE_LIMIT_BYTES = 150 * 1024 * 1024;
/** A stream is held in parts of 8 MiB, about four at a time. */
const STREAM_BYTES = 4 * 8 * 1024 * 1024;

export interface EstimateOptions {
  readonly plan: Pick<MigrationPlan, 'window' | 'limits' | 'destination'>;
  readonly startMs: number;
  readonly endMs: number;
  /** Ordered by time. */
  readonly windows: readonly ProbeWindow[];
  readonly series: SeriesCounts;
}

/** @returns undefined without a window */
export function estimateOf({ plan, startMs, endMs, windows, series }: EstimateOptions): Estimate | undefined {
  if (windows.length === 0 || endMs <= startMs) return undefined;
  const cells = cellsOf(plan, windows, { startMs, endMs });
  const probed = Math.min(1, sum(windows, ({ fromMs, toMs }) => toMs - fromMs) / (endMs - startMs));
  const spread = spreadOf(cells, probed);
  const samples = sum(cells, ({ window, times }) => window.samples * times);
  const histograms = sum(cells, ({ window, times }) => window.histograms * times);
  const seconds = sum(windows, (window) => window.seconds);
  const bytesPerSecond = ratio(
    sum(windows, ({ bytesReceived }) => bytesReceived),
    seconds,
  );
  const seriesBand = seriesOf(series, windows.length, probed);
  const bytesRead = bytesReadOf(cells, seriesBand.value);
  const bytesWritten = bytesWrittenOf(cells, seriesBand.value);
  const copies = sum(cells, (cell) => cell.windows);
  const durationMs = 1000 * ratio(bytesRead, bytesPerSecond);
  return {
    startMs,
    endMs,
    series: seriesBand,
    samples: isComplete(probed) ? exactly(Math.round(samples)) : band(samples, spread, true),
    histograms: Math.round(histograms),
    bytesRead: band(bytesRead, spread + 0.1, true),
    bytesWritten: band(bytesWritten, spread + 0.1, true),
    windows: band(Math.max(1, copies), spread + 0.1, true),
    // Nothing was written, and the source may be busier or quieter later.
    durationMs: { value: durationMs, low: durationMs / 2, high: durationMs * (2 + spread) },
    limitedDurationMs: limitedDuration(plan.limits, { samples, bytesWritten }, spread),
    peakMemoryBytes: peakMemory(plan, bytesRead / Math.max(1, copies)),
    bytesPerSecondRead: bytesPerSecond,
    largestNames: largestNames(cells),
    overTime: overTime(cells, startMs, endMs),
    probes: windows.length,
    probed,
  };
}

/**
 * How far the estimate of a sum may be off, as a part of it: from the differences between neighbours, which a trend changes less than differences
 * from the mean.
 */
function spreadOf(cells: readonly Cell[], probed: number): number {
  const total = sum(cells, ({ samplesPerMs, lengthMs }) => samplesPerMs * lengthMs);
  if (cells.length < 2 || total === 0) return probed >= 1 ? 0 : 1;
  let squares = 0;
  for (const [index, cell] of cells.entries()) {
    const next = cells[index + 1];
    if (next !== undefined) squares += (next.samplesPerMs - cell.samplesPerMs) ** 2 / 2;
  }
  const variance = squares / (cells.length - 1);
  const meanLength = sum(cells, ({ lengthMs }) => lengthMs) / cells.length;
  const deviation = meanLength * Math.sqrt(cells.length * variance * Math.max(0, 1 - probed));
  return (DEVIATIONS * deviation) / total;
}

/** Series that were seen only once hint at others that were not seen (Chao's estimate). The windows cannot show more than a few times as many. */
function seriesOf({ seen, once, twice, isExact }: SeriesCounts, windows: number, probed: number): Banded {
  if (isComplete(probed)) return isExact ? exactly(seen) : band(seen, 0, true);
  const unseen = windows < 2 ? 0 : (((windows - 1) / windows) * once * (once - 1)) / (2 * (twice + 1));
  const most = Math.min(MOST_UNSEEN * seen, seen / probed);
  const value = Math.min(seen + Math.max(0, unseen), most);
  const high = windows < 2 ? most : value + Math.max(value * SMALLEST_BAND, value - seen);
  return { value: Math.round(value), low: Math.round(seen * (1 - SMALLEST_BAND)), high: Math.round(high) };
}

function limitedDuration(
  { samplesPerSecond, bytesPerSecond }: MigrationPlan['limits'],
  { samples, bytesWritten }: { readonly samples: number; readonly bytesWritten: number },
  spread: number,
): Banded | undefined {
  if (samplesPerSecond === undefined && bytesPerSecond === undefined) return undefined;
  const bySamples = samplesPerSecond === undefined ? 0 : samples / samplesPerSecond;
  const byBytes = bytesPerSecond === undefined ? 0 : bytesWritten / bytesPerSecond;
  return band(1000 * Math.max(bySamples, byBytes), spread);
}

function peakMemory(plan: EstimateOptions['plan'], windowBytes: number): Banded {
  const { memoryBytes } = plan.limits;
  const { writeBytes } = memoryShares(plan);
  const used = Math.min(memoryBytes, Math.min(STREAM_BYTES, 2 * windowBytes) + writeBytes);
  const value = PROCESS_BYTES + used;
  return { value, low: PROCESS_BYTES, high: Math.max(value, memoryBytes + MOST_BESIDE_LIMIT_BYTES) };
}

function largestNames(cells: readonly Cell[]): LargestName[] {
  const all = new Map<string, { samples: number; series: number }>();
  for (const { window, times } of cells) {
    for (const [name, { samples, series }] of window.names) {
      const known = all.get(name) ?? { samples: 0, series: 0 };
      all.set(name, { samples: known.samples + samples * times, series: Math.max(known.series, series) });
    }
  }
  return [...all]
    .map(([name, { samples, series }]) => ({ name, samples: Math.round(samples), series }))
    .sort((a, b) => b.samples - a.samples || (a.name < b.name ? -1 : 1))
    .slice(0, LARGEST_NAMES);
}

/** The rate of the window that is nearest to each column. */
function overTime(cells: readonly Cell[], startMs: number, endMs: number): number[] {
  const ends: number[] = [];
  let endAt = startMs;
  for (const { lengthMs } of cells) {
    endAt += lengthMs;
    ends.push(endAt);
  }
  return Array.from({ length: COLUMNS }, (_, column) => {
    const atMs = startMs + ((column + 0.5) / COLUMNS) * (endMs - startMs);
    const cell =
      cells[
        Math.max(
          0,
          ends.findIndex((end) => atMs < end),
        )
      ];
    return 1000 * (cell?.samplesPerMs ?? 0);
  });
}

/** Every window was read: what was counted is the truth. */
function isComplete(probed: number): boolean {
  return probed > 0.9999;
}

function exactly(value: number): Banded {
  return { value, low: value, high: value };
}

function band(value: number, spread: number, isCount = false): Banded {
  const half = Math.max(SMALLEST_BAND, spread);
  const round = isCount ? Math.round : (number: number) => number;
  return { value: round(value), low: round(value * Math.max(0, 1 - half)), high: round(value * (1 + half)) };
}
