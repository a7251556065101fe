// Whether a migration has ended, and how. Pure.

import type { PromMigration } from '../../api/prom-migration.ts';
import type { Outcome } from './attempt.ts';
import { findCondition } from './conditions.ts';
import { READY_TYPES } from './ready-conditions.ts';
import { trustedStatus } from './status-origin.ts';
import { isVerificationDue, verifiedIn } from './verification-settings.ts';
import type { WorkerState } from './worker-state.ts';

interface EndInput {
  readonly resource: PromMigration;
  readonly worker: WorkerState;
}

export interface End {
  /** Undefined: the status already shows it, and nothing has to be written. */
  readonly outcome: Outcome | undefined;
  readonly atMs: number;
  readonly generation: number | undefined;
}

/**
 * The end of a migration that has ended, as this process saw it, or else as the status shows it. A failure counts only for the generation that
 * failed: an edited spec is tried again. A success is final, because what defines the copy cannot be edited, but its verification may be due.
 */
export function endOf({ resource, worker }: EndInput): End | undefined {
  const { generation } = resource.metadata;
  if (worker.kind === 'running') return undefined;
  if (worker.kind === 'ended') {
    const final = worker.outcome.succeeded
      ? !isVerificationDue(resource.spec, worker.verified)
      : worker.generation === generation;
    return final ? worker : undefined;
  }
  const shown = trustedStatus(resource);
  const { conditions, completionTime, observedGeneration } = shown ?? {};
  const succeeded = findCondition(conditions, 'Succeeded')?.status;
  if (completionTime === undefined || (succeeded !== 'True' && succeeded !== 'False')) return undefined;
  if (succeeded === 'False' && observedGeneration !== generation) return undefined;
  if (succeeded === 'True' && isVerificationDue(resource.spec, verifiedIn(shown))) return undefined;
  return { outcome: undefined, atMs: Date.parse(completionTime), generation: observedGeneration };
}

/** Whether nothing is left to be done, unless the spec is edited. */
export function isEnded(input: EndInput): boolean {
  return endOf(input) !== undefined;
}

/** Whether its status lacks the conditions for kstatus, as one does that an operator of version 0.1.0 wrote. */
export function lacksReadiness({ status }: PromMigration): boolean {
  return READY_TYPES.some((type) => findCondition(status?.conditions, type) === undefined);
}

/** Whether its status shows a Job that the operator cannot stop. */
export function showsUnstopped(resource: PromMigration): boolean {
  return findCondition(trustedStatus(resource)?.conditions, 'Degraded')?.reason === 'JobNotStopped';
}
