// How many stretches may run at once: as many as spec.execution.parallelism says, unless the limits of the migration, which they share, are
// enough for fewer only. Pure.

import { hasRoomToRead } from '../write/memory-shares.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import { withPartOfLimits } from './stretch-plan.ts';

export interface StretchesAtOnce {
  /** At least one, unless none is wanted. A single one that does not fit fails with its reason. */
  readonly count: number;
  /** The field that does not allow more of them. */
  readonly limitedBy: 'spec.limits.memory' | 'spec.limits.inFlightWrites' | undefined;
}

export interface WantedStretches {
  readonly parallelism: number;
  /** How many there are. */
  readonly stretches: number;
  /** Each of them has at least one write in flight. */
  readonly write: boolean;
}

export function stretchesAtOnce(
  plan: MigrationPlan,
  { parallelism, stretches, write }: WantedStretches,
): StretchesAtOnce {
  const { inFlightWrites } = plan.limits;
  const wanted = Math.min(parallelism, stretches);
  const most = write ? Math.min(wanted, inFlightWrites) : wanted;
  let count = most;
  while (count > 1 && !hasRoomToRead(withPartOfLimits(plan, count))) count--;
  if (count < most) return { count, limitedBy: 'spec.limits.memory' };
  return { count, limitedBy: count < wanted ? 'spec.limits.inFlightWrites' : undefined };
}

/** For the user, who expects more of them; undefined if nothing limits them. */
export function limitText(
  { count, limitedBy }: StretchesAtOnce,
  { parallelism }: Pick<WantedStretches, 'parallelism'>,
): string | undefined {
  if (limitedBy === undefined) return undefined;
  const stretches = count === 1 ? '1 stretch runs' : `${count} stretches run`;
  return `${stretches} at once instead of ${parallelism}, because ${limitedBy} is not enough for more: raise it, or lower spec.execution.parallelism`;
}
