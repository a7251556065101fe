// How many stretches of a migration one process runs at once.

import { availableParallelism } from 'node:os';
import type { MigrationPlan } from '../migration/plan/migration-plan.ts';

/** In a Job, `parallelism` is a number of pods. One process then uses its own cores. */
export function ownParallelism({ execution: { mode, parallelism } }: MigrationPlan): number {
  return mode === 'Job' ? Math.max(1, Math.min(parallelism, availableParallelism())) : parallelism;
}
