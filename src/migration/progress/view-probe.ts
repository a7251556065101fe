// Writes a sample beside the marks, to see how the destination shows it.

import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { COUNT_LABEL } from './mark-counts.ts';
import { isTooLarge } from './present-times.ts';
import type { ProgressSample } from './read-range.ts';
import { isShownWithin, type Visibility } from './settling.ts';

/** How long a probe may take to appear. VictoriaMetrics 1.145 shows a new series two to four seconds after it accepted it. */
const VISIBLE_MS = 5000;

export interface ProbeOptions {
  /** Of the migration. */
  readonly startMs: number;
  readonly nowMs: () => number;
  /** The samples of the probe's series in [fromMs, toMs). */
  readonly read: (fromMs: number, toMs: number) => Promise<readonly ProgressSample[]>;
  /** Called if an earlier run has left a probe. */
  readonly found: () => void;
  readonly write: () => Promise<void>;
  /** Whether the probe is visible, in a range of its own or in one that reaches further. */
  readonly shows: (read: (untilMs: number) => Promise<readonly ProgressSample[]>) => Promise<boolean>;
  readonly visibility: Visibility;
  readonly signal: AbortSignal;
}

/**
 * Writes a sample with known labels and time, and checks how the destination shows it: which labels it adds, and whether the sample is visible
 * in a range of its own. Other series prove nothing: a cluster label that all of them have may be their own.
 */
export async function seeProbe(timeMs: number, options: ProbeOptions): Promise<void> {
  const { startMs, nowMs, read, found, write, shows, visibility, signal } = options;
  try {
    const earlier = await read(Math.min(startMs, timeMs), Math.max(timeMs + 1, nowMs()));
    if (earlier.length > 0) found();
    if (!hasSampleAt(earlier, timeMs)) await write();
  } catch (error) {
    signal.throwIfAborted();
    // A sample that is refused at that time, or that is too large to read, shows nothing.
    if (error instanceof RemoteError || isTooLarge(error)) return;
    throw error;
  }
  await isShownWithin(VISIBLE_MS, () => shows((untilMs) => read(timeMs, untilMs)), visibility, signal);
}

/** A mark or a probe of that time. The counts beside a mark do not count. */
export function hasSampleAt(samples: readonly ProgressSample[], timeMs: number): boolean {
  return samples.some((sample) => sample.timeMs === timeMs && sample.labels[COUNT_LABEL] === undefined);
}
