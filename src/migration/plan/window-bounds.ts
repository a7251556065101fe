// How long a window with samples may be, how many of them may be in flight, and what follows for a run that resumes.

import type { MigrationPlan } from './migration-plan.ts';

type Ordering = MigrationPlan['destination']['ordering'];

/** In milliseconds. A head like that of Prometheus takes a sample only within an hour of its newest one. */
export const LONGEST_WINDOW_MS: Readonly<Record<Ordering, number>> = { InOrder: 30 * 60_000, Any: 2 * 3_600_000 };

export const MAX_WINDOWS_IN_FLIGHT: Readonly<Record<Ordering, number>> = { InOrder: 1, Any: 4 };

/** Earlier versions had longer ones with ordering `Any`. */
const LONGEST_WINDOW_EVER_MS: Readonly<Record<Ordering, number>> = { ...LONGEST_WINDOW_MS, Any: 6 * 3_600_000 };

/**
 * How far behind a mark an earlier run may have written: what lies there is compared with the destination before it is written. The bounds,
 * not the manifest's window, because an earlier run may have had another one.
 */
export function uncertainMs(ordering: Ordering): number {
  return LONGEST_WINDOW_EVER_MS[ordering] * MAX_WINDOWS_IN_FLIGHT[ordering];
}
