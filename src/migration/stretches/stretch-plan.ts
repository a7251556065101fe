// The plan of one stretch: the plan of the migration with the stretch's range and marks, and with its part of the limits. Pure.

import type { RateLimits } from '../limits/rate-limit.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { Stretch } from '../plan/stretches.ts';
import type { FileStretch } from './stretch-file.ts';

/**
 * @param sharing how many stretches share the limits
 * @param frozenEndMs the end of the migration, if its manifest leaves it open
 */
export function stretchPlan(
  plan: MigrationPlan,
  { shard, startMs, endMs }: Stretch,
  sharing: number,
  frozenEndMs: number | undefined,
): MigrationPlan {
  // The whole range is compared when all of it is copied.
  const verification = { ...plan.verification, mode: 'Off' } as const;
  return { ...withPartOfLimits(plan, sharing), startMs, endMs, stretch: { shard, frozenEndMs }, verification };
}

/** @param sharing how many stretches share the limits */
export function withPartOfLimits(plan: MigrationPlan, sharing: number): MigrationPlan {
  const { limits } = plan;
  return {
    ...plan,
    limits: {
      ...limits,
      ...partOfRates(limits, sharing),
      memoryBytes: partOfMemory(limits.memoryBytes, sharing),
      inFlightWrites: Math.max(1, Math.floor(limits.inFlightWrites / sharing)),
    },
  };
}

/**
 * The plan of one stretch in a pod of its own, which has the memory and the writes in flight of the manifest. The rates are those of the
 * migration, and shared by all pods.
 */
export function podStretchPlan(
  plan: MigrationPlan,
  { shard, startMs, endMs }: FileStretch,
  frozenEndMs: number | undefined,
): MigrationPlan {
  const { limits, verification, execution } = plan;
  return {
    ...plan,
    startMs,
    endMs,
    stretch: { shard, frozenEndMs },
    limits: { ...limits, ...partOfRates(limits, Math.max(1, execution.parallelism)) },
    verification: { ...verification, mode: 'Off' },
  };
}

export function partOfMemory(bytes: number, sharing: number): number {
  return Math.floor(bytes / sharing);
}

/** @param running how many stretches are running */
export function partOfRates({ samplesPerSecond, bytesPerSecond }: RateLimits, running: number): RateLimits {
  const part = (rate: number | undefined) => (rate === undefined ? undefined : Math.max(1, rate / running));
  return { samplesPerSecond: part(samplesPerSecond), bytesPerSecond: part(bytesPerSecond) };
}
