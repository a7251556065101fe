// Inputs for the decision about a migration, and its actions in short form.

import type { PromMigrationStatus } from '../../../src/api/prom-migration-status.ts';
import { ratesOf } from '../../../src/operator/judge/adopted-limits.ts';
import type { Failures, Outcome } from '../../../src/operator/judge/attempt.ts';
import type { Check } from '../../../src/operator/judge/check-result.ts';
import { toConditions } from '../../../src/operator/judge/conditions.ts';
import type { Action, DecideInput } from '../../../src/operator/judge/decide.ts';
import type { WorkerState } from '../../../src/operator/judge/worker-state.ts';
import { readyConditions } from '../../../src/operator/judge/ready-conditions.ts';
import { restartKeyOf } from '../../../src/operator/judge/restart-key.ts';
import { migrationOf, momentAt, monotonicMs, nowMs, specOf } from './migrations.ts';

const accepted: Check = { ok: true, id: 'abc', noResumePoint: false };
export const missing: Check & { readonly ok: false } = {
  ok: false,
  reason: 'SecretNotFound',
  message: 'no Secret "s"',
  retryAtMs: monotonicMs + 5_000,
};
const idle: WorkerState = { kind: 'idle', failures: undefined };
export const completed: Outcome = { succeeded: true, reason: 'Completed', message: 'done' };
export const rejected: Outcome = { succeeded: false, reason: 'SamplesRejected', message: 'too old' };
export const crashed: Failures = { count: 2, retryAtMs: monotonicMs + 7_000, reason: 'WorkerCrashed', message: 'boom' };
export const noTimeline = {
  startedMs: undefined,
  lastProgressMs: undefined,
  tryingSinceMs: undefined,
  throughMs: undefined,
  endMs: undefined,
};

export function running(changes: Partial<WorkerState & { kind: 'running' }> = {}): WorkerState {
  const spec = specOf();
  return {
    kind: 'running',
    follows: false,
    looks: false,
    restartKey: restartKeyOf(spec),
    rates: ratesOf(spec),
    parallelism: 1,
    verification: undefined,
    stopping: undefined,
    failures: undefined,
    ...changes,
  };
}

function endStatus(phase: string, status: 'True' | 'False', reason: string): PromMigrationStatus {
  const completionTime = '2025-06-01T11:59:00Z';
  const end = { type: 'Succeeded', status, reason, message: '', lastTransitionTime: completionTime };
  const readiness = toConditions(readyConditions(end), undefined, 1, Date.parse(completionTime));
  return { phase, observedGeneration: 1, completionTime, conditions: [end, ...readiness] };
}

export const succeededStatus = endStatus('Succeeded', 'True', 'Completed');
export const failedStatus = endStatus('Failed', 'False', 'SamplesRejected');

export function input(changes: Partial<DecideInput> = {}): DecideInput {
  return {
    resource: migrationOf(),
    check: accepted,
    checkIsFresh: true,
    worker: idle,
    timeline: noTimeline,
    preflight: { kind: 'passed' },
    slotFree: true,
    podsEnding: false,
    jobUnstopped: false,
    now: momentAt(nowMs),
    ...changes,
  };
}

/** The actions in short form: their types with the relevant details. */
export function short(actions: readonly Action[]): string[] {
  return actions.map((action) => {
    switch (action.type) {
      case 'status':
        return `status ${action.situation.kind}`;
      case 'stop':
        return `stop ${action.how} ${action.cause}`;
      case 'end':
        return `end ${action.outcome.reason}`;
      default:
        return action.type;
    }
  });
}
