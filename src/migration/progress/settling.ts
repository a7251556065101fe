// When a destination is believed not to have something: at the start of a run, when an earlier one may have been killed a moment ago; after a
// write whose response was lost; before samples count as rejected. What is shown is there, however early it is looked for. What is not shown
// may still be on its way in, or be hidden by the destination, so only an absence is waited for.

import type { Clock } from '../../telemetry/clock.ts';

/** One question to the destination, asked until its response is believed. */
export interface Look<T> {
  readonly look: () => Promise<T>;
  /** Nothing is missing: to wait would show no more. */
  readonly isComplete: (seen: T) => boolean;
  /** Whether a later look has shown no more than the one before. */
  readonly isSame: (before: T, after: T) => boolean;
  /** Whether what is missing can't be hidden either. Called after the destination was made to show what it has. */
  readonly isProven?: (seen: T) => Promise<boolean>;
}

export interface Visibility {
  readonly clock: Clock;
  /** Makes the destination show what it has taken, if it can. @returns for how long something may stay hidden all the same; 0: not at all */
  readonly show: (signal: AbortSignal) => Promise<number>;
}

/** A request whose response was lost, or that a killed run has sent, may still be on its way in. */
const ARRIVING_MS = 500;
/** VictoriaMetrics 1.145 shows a new series two to four seconds after it took it, unless it is told to show it at once. */
export const APPEARING_MS = 4500;
/**
 * VictoriaMetrics' /internal/force_flush does not wait for the rows that its own flusher has taken, every two seconds, and is still making a
 * part of: on a busy machine they were seen 1.7 s after it had returned.
 */
export const FLUSHING_MS = 2000;
/** While every look shows more than the one before, something is on its way; this bounds it. */
const MAX_LOOKS = 8;

/** Looks for one thing. */
export function lookFor(look: () => Promise<boolean>): Look<boolean> {
  return { look, isComplete: (isShown) => isShown, isSame: (before, after) => before === after };
}

/** Looks until nothing is missing, or until what is missing is believed to be absent. @returns what was seen last */
export async function lookUntilSettled<T>(look: Look<T>, visibility: Visibility, signal: AbortSignal): Promise<T> {
  const { clock, show } = visibility;
  const first = await look.look();
  if (look.isComplete(first)) return first;
  await clock.sleep(ARRIVING_MS, signal);
  let before: T | undefined;
  for (let looks = 1; ; looks++) {
    const hiddenForMs = await show(signal);
    const seen = await look.look();
    if (look.isComplete(seen) || hiddenForMs === 0 || looks === MAX_LOOKS) return seen;
    if (before !== undefined && look.isSame(before, seen)) return seen;
    if (await look.isProven?.(seen)) return seen;
    before = seen;
    await clock.sleep(hiddenForMs, signal);
  }
}
