// How soon a changed status has to be written. Pure.

import { isDeepStrictEqual } from 'node:util';
import type { PromMigrationStatus } from '../../api/prom-migration-status.ts';
import { CONDITION_TYPES, findCondition } from './conditions.ts';

/** How soon a status has to be written: immediately if a change matters to people or programs, soon if only the progress has changed. */
export function writeUrgency(
  before: PromMigrationStatus | undefined,
  after: PromMigrationStatus,
): 'none' | 'soon' | 'now' {
  if (before === undefined) return 'now';
  if (isDeepStrictEqual(plain(before), plain(after))) return 'none';
  const changed =
    before.phase !== after.phase ||
    before.observedGeneration !== after.observedGeneration ||
    before.completionTime !== after.completionTime ||
    CONDITION_TYPES.some((type) => {
      const [one, other] = [findCondition(before.conditions, type), findCondition(after.conditions, type)];
      return one?.status !== other?.status || one?.reason !== other?.reason;
    });
  return changed ? 'now' : 'soon';
}

/** Removes the difference between an undefined field and a missing one. */
function plain(status: PromMigrationStatus): unknown {
  return JSON.parse(JSON.stringify(status)) as unknown;
}
