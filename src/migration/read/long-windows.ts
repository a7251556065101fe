// Long windows that are read in several portions of their metric names. Pure.
//
// If the border of a window cuts a chunk, a source that sends plain samples decodes the chunk once for each window, and it looks up every series
// once per window. When all names of a window do not fit into memory, a shorter window makes the source repeat this; fewer names do not, and take
// as many requests. So the number of samples decides how long a window is, and memory how many names are read at once.
//
// This is correct with ordering InOrder as well. Windows are at most an hour long then, and a store that takes samples in order accepts a series
// whose samples are up to an hour older than its newest ones. No series is in two portions, unless relabelling merges series of different names.

import { isExactName } from '../series/name-partition.ts';
import { cutIntoShares } from '../series/name-shares.ts';
import {
  fadedLoad,
  joinPortions,
  type Load,
  type Portion,
  portionOf,
  scaledLoad,
  WHOLE_WINDOW,
} from './name-portions.ts';
import { nextWindow, type WindowLimits, type WindowState } from './window-size.ts';

/** What was read of a portion. */
export interface PortionRead {
  /** `load` is what the window before has predicted, or contained. */
  readonly portion: Portion;
  /** The length of its longest slice. */
  readonly sliceMs: number;
  /** Of one slice: the maximum over all. */
  readonly load: Load;
  readonly fixedBytes: number;
  /** Where the portion can be cut: names, each as often as corresponds to its size. Empty if it needs no cut. */
  readonly sampled: readonly string[];
}

export interface WindowRead {
  readonly lengthMs: number;
  /** In the order of their names. */
  readonly portions: readonly PortionRead[];
  /** No portion may become larger than this, because the source has refused one. */
  readonly largest?: Load;
}

export interface NextWindow {
  readonly size: WindowState;
  readonly portions: readonly Portion[];
}

export type MemoryLimits = Pick<WindowLimits, 'targetBytes'> & { readonly budgetBytes: number };

/** How much of the target a portion is meant to take. The rest is for windows that have more than the one before. */
const FULL = 0.7;

/**
 * The window after one that was read.
 * @param plannedMs the length for which the loads of the portions were predicted
 */
export function longWindowAfter(
  read: WindowRead,
  state: WindowState,
  limits: WindowLimits & MemoryLimits,
  plannedMs: number,
): NextWindow {
  const { budgetBytes } = limits;
  // It had samples, if perhaps only in a piece that was read before its portion was cut.
  const samples = Math.max(1, samplesOf(read));
  const size = nextWindow(state, { ...NO_BYTES, samples, budgetBytes }, limits, read.lengthMs);
  const growth = size.lengthMs / plannedMs;
  const cut = read.portions.flatMap((one) => portionsOf(one, { ...limits, lengthMs: size.lengthMs, growth }));
  const full = { series: Number.POSITIVE_INFINITY, samples: Number.POSITIVE_INFINITY, bytes: FULL * targetOf(limits) };
  const portions = joinPortions(cut, read.largest === undefined ? full : minLoad(full, read.largest));
  const [only, second] = portions;
  if (only?.fittingMs === undefined || second !== undefined) return { size, portions };
  // One metric name has nearly everything. To read it in pieces of a longer window would spare the source nothing.
  const { sliceMs, ...largest } = largestOf(read);
  return { size: nextWindow(state, { ...largest, budgetBytes }, limits, sliceMs), portions: WHOLE_WINDOW };
}

/** The longest window that does not exceed the target of samples. */
export function wantedMs(read: WindowRead, { targetSamples, maxMs }: WindowLimits): number {
  return Math.min(maxMs, (read.lengthMs * targetSamples) / samplesOf(read));
}

/** Whether a slice of this length would take more memory than it should. */
export function isTooMuch(read: Omit<PortionRead, 'portion' | 'sampled'>, lengthMs: number, limits: MemoryLimits) {
  return loadAt(read, lengthMs).bytes > targetOf(limits);
}

const NO_BYTES = { bytes: 0, fixedBytes: 0 };

function samplesOf({ lengthMs, portions }: WindowRead): number {
  return portions.reduce((sum, { load, sliceMs }) => sum + (load.samples * lengthMs) / sliceMs, 0);
}

function largestOf({ portions }: WindowRead) {
  const max = (countOf: (one: PortionRead) => number) => Math.max(...portions.map(countOf));
  return {
    samples: max(({ load }) => load.samples),
    bytes: max(({ load }) => load.bytes),
    fixedBytes: max(({ fixedBytes }) => fixedBytes),
    sliceMs: max(({ sliceMs }) => sliceMs),
  };
}

function portionsOf(
  read: PortionRead,
  next: MemoryLimits & Pick<WindowLimits, 'minMs'> & { readonly lengthMs: number; readonly growth: number },
): Portion[] {
  const { portion, sampled, fixedBytes } = read;
  const { lengthMs, growth } = next;
  const { fittingMs: _, ...kept } = portion;
  const now = loadAt(read, lengthMs);
  const load = fadedLoad(timesLonger(portion.load, growth), now);
  const target = targetOf(next);
  if (now.bytes <= target) return [{ ...kept, load }];
  const shares = cutIntoShares(portion.names, sampled, (FULL * target) / now.bytes);
  const [only, second] = shares;
  if (second === undefined) {
    const isOneName = only?.isOneName === true || isExactName(portion.names);
    return [{ ...kept, load, ...(isOneName && fitting(now.bytes, fixedBytes, next)) }];
  }
  return shares.map(({ names, share, isOneName }) => ({
    ...portionOf(names),
    load: scaledLoad(load, share),
    ...(isOneName && now.bytes * share > target && fitting(now.bytes * share, fixedBytes * share, next)),
  }));
}

/** Of names that can't be read in smaller portions. */
function fitting(
  bytes: number,
  fixedBytes: number,
  { lengthMs, minMs, ...limits }: MemoryLimits & Pick<WindowLimits, 'minMs'> & { readonly lengthMs: number },
): Pick<Portion, 'fittingMs'> {
  // Next to many labels there has to be room for some samples.
  const room = Math.max(FULL * targetOf(limits) - fixedBytes, (limits.budgetBytes - fixedBytes) / 4);
  const pieces = room <= 0 ? lengthMs : Math.ceil((bytes - fixedBytes) / room);
  return { fittingMs: Math.max(minMs, Math.ceil(lengthMs / pieces)) };
}

function targetOf({ targetBytes, budgetBytes }: MemoryLimits): number {
  return Math.min(targetBytes, budgetBytes);
}

/** What a slice of another length is likely to contain. */
function loadAt({ load, fixedBytes, sliceMs }: Omit<PortionRead, 'portion' | 'sampled'>, lengthMs: number): Load {
  const { bytes } = timesLonger({ ...load, bytes: load.bytes - fixedBytes }, lengthMs / sliceMs);
  return { series: load.series, samples: (load.samples * lengthMs) / sliceMs, bytes: fixedBytes + bytes };
}

function timesLonger({ series, samples, bytes }: Load, times: number): Load {
  return { series, samples: samples * times, bytes: bytes * times };
}

function minLoad(a: Load, b: Load): Load {
  return {
    series: Math.min(a.series, b.series),
    samples: Math.min(a.samples, b.samples),
    bytes: Math.min(a.bytes, b.bytes),
  };
}
