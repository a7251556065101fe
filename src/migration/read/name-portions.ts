// The portions that a window's metric names are read in when they are too much at once, remembered from window to window. Pure.

import { ALL_NAMES, isExactName, type NamePartition } from '../series/name-partition.ts';

/** What one slice had; of a portion that was read in several pieces of time, the most that one of them had. */
export interface Load {
  readonly series: number;
  readonly samples: number;
  readonly bytes: number;
}

export interface Portion {
  readonly names: NamePartition;
  /** The longest time that this portion can be asked for at once; Infinity when it does not matter. */
  readonly pieceMs: number;
  /** How many windows in a row have not been too much since `pieceMs` was set. */
  readonly fineRun: number;
  /** What it was lately; fades, so that one quiet window does not decide. */
  readonly load: Load;
}

export const NO_LOAD: Load = { series: 0, samples: 0, bytes: 0 };
export const WHOLE_WINDOW: readonly Portion[] = [portionOf(ALL_NAMES)];

/** How much of what a portion was is still believed after one more window. */
const FADING = 0.9;
/** How many windows must go well before a piece that was too much is tried again. */
const FINE_WINDOWS_BEFORE_LONGER = 16;
/** By how much pieces grow after a window that had nothing for them. */
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

/** A portion after a window in which it was read without being too much. */
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

/** A portion after a window in which it was too much, and was read in pieces. */
export function afterRefusal(portion: Portion, load: Load, pieceMs: number): Portion {
  return { names: portion.names, pieceMs, fineRun: 0, load: fadedLoad(portion.load, load) };
}

function fadedLoad(before: Load, now: Load): Load {
  return maxLoad(now, {
    series: before.series * FADING,
    samples: before.samples * FADING,
    bytes: before.bytes * FADING,
  });
}

/**
 * Joins neighbours that together are no more than `largest`, which was read at once in the window that has just ended: a cut between letters
 * leaves many portions without a series, and each costs a request a window. A single name that had to be read in pieces of time stays apart.
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

/** Should it be too much again, it would have to be found again among its neighbours. */
function isHeavyName({ names, pieceMs }: Portion): boolean {
  return isExactName(names) && Number.isFinite(pieceMs);
}

function fits(load: Load, largest: Load): boolean {
  return load.series <= largest.series && load.samples <= largest.samples && load.bytes <= largest.bytes;
}
