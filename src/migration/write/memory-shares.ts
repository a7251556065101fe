// How the memory of a copy is divided: for reading, for the writes in flight, for reading back and for relabelling. Pure.

import { KERNEL_BYTES } from '../../wire/kernel/kernel.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import { writeMemoryBytes } from './outlet.ts';

export interface MemoryShares {
  /** For responses of the source, including their free memory in the pool. */
  readonly readBytes: number;
  readonly writeBytes: number;
  /** For reading back, and the same again for relabelling. */
  readonly shareBytes: number;
}

/** What is left of the smallest memory that the API accepts, with the default lanes: 3.9 MiB. */
const SMALLEST_READ_BYTES = 3.5 * 1024 * 1024;

type MemoryPlan = Pick<MigrationPlan, 'destination' | 'limits'>;

export function memoryShares(plan: MemoryPlan): MemoryShares {
  const { memoryBytes } = plan.limits;
  const shareBytes = Math.floor((memoryBytes - KERNEL_BYTES) / 8);
  const writeBytes = writeMemoryBytes(plan);
  return { readBytes: memoryBytes - writeBytes - 2 * shareBytes - KERNEL_BYTES, writeBytes, shareBytes };
}

/** Whether `limits.memory` leaves room for reading. */
export function hasRoomToRead(plan: MemoryPlan): boolean {
  return memoryShares(plan).readBytes >= SMALLEST_READ_BYTES;
}
