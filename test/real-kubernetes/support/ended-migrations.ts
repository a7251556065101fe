// Migrations that had ended before an upgrade, made from one in the middle: as version 0.1.0 left them, without the conditions for kstatus.

import type { PromMigrationStatus } from '../../../src/api/prom-migration-status.ts';
import { READY_TYPES } from '../../../src/operator/judge/ready-conditions.ts';

export interface EndedMigration {
  readonly name: (typeof ENDS)[number]['name'];
  readonly status: PromMigrationStatus;
}

const ENDS = [
  { name: 'has-succeeded', phase: 'Succeeded', succeeded: 'True', reason: 'Completed', message: 'all is copied' },
  { name: 'has-failed', phase: 'Failed', succeeded: 'False', reason: 'SamplesRejected', message: 'too old' },
] as const;

/** @param status of a migration in the middle, as that version wrote it */
export function endedFrom(status: PromMigrationStatus): EndedMigration[] {
  const conditions = (status.conditions ?? []).filter(({ type }) => !READY_TYPES.some((one) => one === type));
  return ENDS.map(({ name, phase, succeeded, reason, message }) => ({
    name,
    status: {
      ...status,
      phase,
      completionTime: status.lastProgressTime ?? '',
      conditions: conditions.map((condition) => {
        if (condition.type === 'Succeeded') return { ...condition, status: succeeded, reason, message };
        if (condition.type !== 'Progressing') return condition;
        return { ...condition, status: 'False', reason: 'Finished', message: 'see the condition Succeeded' };
      }),
    },
  }));
}
