// Portions of a window's metric names, for windows that are too large to read at once. They are kept from window to window. Pure.

import { ALL_NAMES, isExactName, type NamePartition } from '../series/name-partition.ts';

/** What one slice contained. For a portion that was read in several pieces of time: the maximum over the pieces. */
export interface Load {
  readonly series: number;
  readonly samples: number;
  readonly bytes: number;
}

export interface Portion {
  readonly names: NamePartition;
  /** The longest time that one request may cover for this portion; Infinity if there is no bound. */
  readonly pieceMs: number;
  /** How many consecutive windows stayed below the limits since `pieceMs` was set. */
  readonly fineRun: number;
  /** Recent load. It decays, so that one quiet window does not decide. */
  readonly load: Load;
  /** The longest time that one request should cover so that the response fits into memory, if the names can't be read in smaller portions. */
  readonly fittingMs?: number;
}

export const NO_LOAD: Load = { series: 0, samples: 0, bytes: 0 };
export const WHOLE_WINDOW: readonly Portion[] = [portionOf(ALL_NAMES)];

/** The weight that the previous load keeps after each window. */
const FADING = 0.9;
/** How many windows must succeed before a piece length that was too large is tried again. */
const FINE_WINDOWS_BEFORE_LONGER = 16;
const ABOUT_HALF = 0.6;
/** The factor by which pieces grow after a window without data for them. */
const EMPTY_GROWTH = 8;

export function portionOf(names: NamePartition): Portion {
  return { names, pieceMs: Number.POSITIVE_INFINITY, fineRun: 0, load: NO_LOAD };
}

export function maxLoad(a: Load, b: Load): Load {
  return {
    series: Math.max(a.series, b.series),
    samples: Math.max(a.samples, b.samples),
    bytes: Math.max(a.bytes, b.bytes),
  };
}

/** The portion after a window in which it was read without exceeding a limit. */
export function afterFineWindow(portion: Portion, load: Load, maxPieceMs: number): Portion {
  const fineRun = portion.fineRun + 1;
  const longer = fineRun >= FINE_WINDOWS_BEFORE_LONGER;
  const growth = load.samples === 0 ? EMPTY_GROWTH : longer ? 2 : 1;
  const pieceMs = portion.pieceMs * growth;
  return {
    names: portion.names,
    pieceMs: pieceMs < maxPieceMs ? pieceMs : Number.POSITIVE_INFINITY,
    fineRun: longer ? 0 : fineRun,
    load: fadedLoad(portion.load, load),
  };
}

/** About half of a portion. How much each half contains is not known, but together they are too much. */
export function halfOf(names: NamePartition, load: Load): Portion {
  return { ...portionOf(names), load: scaledLoad(load, ABOUT_HALF) };
}

/** The load for another length of time, or another part of the names. */
export function scaledLoad({ series, samples, bytes }: Load, factor: number): Load {
  return { series: series * factor, samples: samples * factor, bytes: bytes * factor };
}

/** The portion after a window in which it exceeded a limit and was read in pieces. */
export function afterRefusal(portion: Portion, load: Load, pieceMs: number): Portion {
  return { names: portion.names, pieceMs, fineRun: 0, load: fadedLoad(portion.load, load) };
}

export function fadedLoad(before: Load, now: Load): Load {
  return maxLoad(now, scaledLoad(before, FADING));
}

/**
 * Joins neighbours that together do not exceed `largest`, the largest slice of the window that has just ended. A cut between letters leaves
 * many portions without series, and each costs one request per window. A single name that had to be read in pieces of time stays separate.
 * @param portions all names, in order
 */
export function joinPortions(portions: readonly Portion[], largest: Load): Portion[] {
  const joined: Portion[] = [];
  for (const portion of portions) {
    const before = joined.at(-1);
    const both = before && union(before, portion);
    if (both !== undefined && fits(both.load, largest)) joined[joined.length - 1] = both;
    else joined.push(portion);
  }
  return joined;
}

function union(lower: Portion, upper: Portion): Portion | undefined {
  if (isHeavyName(lower) || isHeavyName(upper)) return undefined;
  return {
    names: { from: lower.names.from, to: upper.names.to },
    pieceMs: Math.min(lower.pieceMs, upper.pieceMs),
    fineRun: Math.min(lower.fineRun, upper.fineRun),
    load: {
      series: lower.load.series + upper.load.series,
      samples: lower.load.samples + upper.load.samples,
      bytes: lower.load.bytes + upper.load.bytes,
    },
  };
}

/** If joined and too large again, it would have to be isolated from its neighbours again. */
function isHeavyName({ names, pieceMs, fittingMs }: Portion): boolean {
  return fittingMs !== undefined || (isExactName(names) && Number.isFinite(pieceMs));
}

function fits(load: Load, largest: Load): boolean {
  return load.series <= largest.series && load.samples <= largest.samples && load.bytes <= largest.bytes;
}
