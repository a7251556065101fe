// How the requests of a run are sent, and the memory for it: in lanes where every series must arrive in order, else from a pool.

import type { MigrationPlan } from '../plan/migration-plan.ts';
import { LANE_BYTES, Lanes, type Outlet } from './lanes.ts';
import { WritePool, type WritePoolOptions } from './write-pool.ts';

/** The part of `limits.memory` for a pool, however many requests may be in flight. Most are far smaller than the memory of a lane. */
const POOL_SHARE = 1 / 8;

type WritePlan = Pick<MigrationPlan, 'destination' | 'limits'>;

export function openOutlet(plan: WritePlan, options: Omit<WritePoolOptions, 'most' | 'memoryBytes'>): Outlet {
  const { inFlightWrites } = plan.limits;
  if (plan.destination.ordering === 'InOrder') return new Lanes(inFlightWrites, options);
  return new WritePool({ ...options, most: inFlightWrites, memoryBytes: writeMemoryBytes(plan) });
}

/** The part of `limits.memory` for the requests that are filled and sent. */
export function writeMemoryBytes({ destination, limits }: WritePlan): number {
  const lanes = limits.inFlightWrites * LANE_BYTES;
  if (destination.ordering === 'InOrder') return lanes;
  return Math.max(2 * LANE_BYTES, Math.min(lanes, Math.floor(limits.memoryBytes * POOL_SHARE)));
}
