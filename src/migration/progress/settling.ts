// Decides when an absence in the destination can be trusted: at the start of a run, because an earlier run may have been killed a moment
// ago; after a write whose response was lost; and before samples count as rejected. A sample that the destination shows is there. A sample
// that it does not show may still be in transit, or hidden. So only an absence requires waiting.

import type { Clock } from '../../telemetry/clock.ts';

/** One check of the destination, repeated until its result can be trusted. */
export interface Look<T> {
  readonly look: () => Promise<T>;
  /** Nothing is missing, so waiting would show nothing more. */
  readonly isComplete: (seen: T) => boolean;
  /** Whether a later look showed no more than the one before. */
  readonly isSame: (before: T, after: T) => boolean;
  /** Whether what is missing can't be hidden either. Called after the destination was made to show what it has. */
  readonly isProven?: (seen: T) => Promise<boolean>;
}

export interface Visibility {
  readonly clock: Clock;
  /** Makes the destination show what it has accepted, if it can. @returns how long something may stay hidden despite that; 0: not at all */
  readonly show: (signal: AbortSignal) => Promise<number>;
}

/** How often to look for one thing that the destination is known to have accepted. */
const POLL_MS = 500;
/** A request whose response was lost, or that a killed run has sent, may still be in transit. */
const ARRIVING_MS = 500;
/** VictoriaMetrics 1.145 shows a new series two to four seconds after it accepted it, unless it is flushed. */
export const APPEARING_MS = 4500;
/**
 * VictoriaMetrics' /internal/force_flush does not wait for rows that its own flusher, which runs every two seconds, has taken and is still
 * turning into a part. On a busy machine such rows appeared 1.7 s after force_flush had returned.
 */
export const FLUSHING_MS = 2000;
/** While each look shows more than the one before, data is still arriving. This bounds the number of looks. */
const MAX_LOOKS = 8;

/** A look for one thing. */
export function lookFor(look: () => Promise<boolean>): Look<boolean> {
  return { look, isComplete: (isShown) => isShown, isSame: (before, after) => before === after };
}

/** Looks until nothing is missing, or until what is missing counts as absent. @returns the last result */
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

/** Looks for something that the destination has accepted until it is shown. @returns false if it is not shown within about `forMs` */
export async function isShownWithin(
  forMs: number,
  isShown: () => Promise<boolean>,
  { clock, show }: Visibility,
  signal: AbortSignal,
): Promise<boolean> {
  const giveUpAtMs = clock.monotonicMs() + forMs;
  await show(signal);
  while (!(await isShown())) {
    if (clock.monotonicMs() >= giveUpAtMs) return false;
    await clock.sleep(POLL_MS, signal);
  }
  return true;
}
