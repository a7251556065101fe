// Statuses composed by composeStatus, each validated against the CRD's schema.
import assert from 'node:assert/strict';
import type { PromMigration } from '../../../src/api/prom-migration.ts';
import type { PromMigrationStatus } from '../../../src/api/prom-migration-status.ts';
import { validateMigration } from '../../../src/api/validate.ts';
import type { MigrationEvent, MigrationProgress } from '../../../src/migration/report/observer.ts';
import { CONDITION_REASONS, type ConditionType } from '../../../src/operator/judge/conditions.ts';
import type { Check } from '../../../src/operator/judge/check-result.ts';
import type { Look } from '../../../src/operator/judge/look.ts';
import type { Situation } from '../../../src/operator/judge/situation.ts';
import { MigrationTrack } from '../../../src/operator/judge/migration-track.ts';
import { READY_TYPES } from '../../../src/operator/judge/ready-conditions.ts';
import { composeStatus } from '../../../src/operator/judge/status.ts';
import { endMs, migrationOf, momentAt, nowMs, progressOf, startMs } from './migrations.ts';

const accepted: Check = { ok: true, id: '0123456789abcdef', noResumePoint: false };
export const started: MigrationEvent = { type: 'started', startMs, endMs, memoryBytes: 1 };
export const hourMs = 3_600_000;

export interface Scene {
  readonly resource?: PromMigration;
  readonly track?: MigrationTrack;
  readonly situation: Situation;
  readonly check?: Check;
  readonly look?: Look | undefined;
  /** That a Job copies that must not. */
  readonly unstopped?: string;
  readonly atMs?: number;
}

export function statusOf({
  resource = migrationOf(),
  track,
  situation,
  check = accepted,
  look,
  unstopped,
  atMs = nowMs,
}: Scene): PromMigrationStatus {
  const status = composeStatus({
    resource,
    situation,
    track: track ?? new MigrationTrack(resource, momentAt(nowMs)),
    check,
    look,
    ...(unstopped !== undefined && { unstopped }),
    now: momentAt(atMs),
  });
  assertValid(resource, status);
  return status;
}

/** Every written status has to pass the schema on the API server. */
function assertValid(resource: PromMigration, status: PromMigrationStatus): void {
  const validated = validateMigration({ ...resource, status }, nowMs);
  assert.deepEqual('problems' in validated ? validated.problems : [], []);
  for (const { type, reason } of status.conditions ?? []) {
    assert.ok(reason in CONDITION_REASONS[type as ConditionType], `${type} has no reason ${reason}`);
  }
}

const READY: readonly string[] = READY_TYPES;

/** `Accepted=True Valid`, … The condition Verified only where a verification is requested, and none of those that follow from Succeeded. */
export function short(status: PromMigrationStatus): string[] {
  const shown = (status.conditions ?? []).filter(
    ({ type, reason }) => reason !== 'NotRequested' && !READY.includes(type),
  );
  return shown.map(({ type, status: value, reason }) => `${type}=${value} ${reason}`);
}

export function halfWay(
  progress: Partial<MigrationProgress> = {},
  events: MigrationEvent[] = [started],
): MigrationTrack {
  const track = new MigrationTrack(migrationOf(), momentAt(nowMs));
  track.attemptStarted(migrationOf().spec, momentAt(nowMs - 60_000));
  track.report(progressOf(), events, momentAt(nowMs - 30_000));
  const later = { watermarkMs: startMs + 12 * hourMs, samplesRead: 12_400_000, samplesWritten: 12_400_000, windows: 6 };
  track.report(progressOf({ ...later, ...progress }), [], momentAt(nowMs));
  return track;
}

export const running: Situation = { kind: 'running', stalledMs: undefined };
