// How long the destination is given before its marks and samples are believed to be all that was written: at the start of a run, when an
// earlier one may have been killed a moment ago, and after a write whose response was lost.

import type { Clock } from '../../telemetry/clock.ts';

/** A request of a killed run may still be on its way in. */
const ARRIVING_MS = 500;
/** VictoriaMetrics 1.145 shows a new series two to four seconds after it took it, unless it is told to show it at once. */
const APPEARING_MS = 5000;

/**
 * Resolves when everything that was sent more than a moment ago can be read.
 * @param show makes the destination show at once what it has taken, and returns whether it could; undefined where that needs no time
 */
export async function settle(
  clock: Clock,
  show: ((signal: AbortSignal) => Promise<boolean>) | undefined,
  signal: AbortSignal,
): Promise<void> {
  await clock.sleep(ARRIVING_MS, signal);
  if (show === undefined || (await show(signal))) return;
  await clock.sleep(APPEARING_MS - ARRIVING_MS, signal);
}
