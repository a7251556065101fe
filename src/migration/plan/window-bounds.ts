// The default length of a window with samples, how many windows may be in flight, and how much a resumed run has to compare.

import type { MigrationPlan } from './migration-plan.ts';

type Ordering = MigrationPlan['destination']['ordering'];
type Protocol = MigrationPlan['source']['protocol'];

/**
 * In milliseconds. A head like that of Prometheus accepts a sample unless it is more than an hour older than its newest one: half of its chunk
 * range of two hours. The first and the last sample of a window of an hour are less than an hour apart.
 */
const LONGEST_WINDOW_MS: Readonly<Record<Ordering, number>> = { InOrder: 3_600_000, Any: 2 * 3_600_000 };

/**
 * In milliseconds. VictoriaMetrics sends whole blocks, of hours or days: the longer a window, the less often each is sent. But a resumed run
 * compares several windows.
 */
const LONGEST_OF_BLOCKS_MS = 6 * 3_600_000;

/** The longest window with samples, in milliseconds, if the manifest does not say. */
export function longestWindowMs(protocol: Protocol, ordering: Ordering): number {
  return protocol === 'VictoriaMetrics' && ordering === 'Any' ? LONGEST_OF_BLOCKS_MS : LONGEST_WINDOW_MS[ordering];
}

export const MAX_WINDOWS_IN_FLIGHT: Readonly<Record<Ordering, number>> = { InOrder: 1, Any: 4 };

/** Of any source, any manifest, and any version. */
const LONGEST_WINDOW_EVER_MS: Readonly<Record<Ordering, number>> = { ...LONGEST_WINDOW_MS, Any: 6 * 3_600_000 };

/**
 * How far after a mark an earlier run may have written. This stretch is compared with the destination before it is written. It uses the
 * bounds, not the manifest's window, because an earlier run may have had another window length.
 */
export function uncertainMs(ordering: Ordering): number {
  return LONGEST_WINDOW_EVER_MS[ordering] * MAX_WINDOWS_IN_FLIGHT[ordering];
}
