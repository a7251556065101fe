// PromMigrations as the API server returns them, for the tests of operator/.

import { NO_COUNTS } from '../../../src/migration/report/counts.ts';
import type { Moment } from '../../../src/telemetry/clock.ts';
import type { PromMigration, PromMigrationSpec } from '../../../src/api/prom-migration.ts';
import type { PromMigrationStatus } from '../../../src/api/prom-migration-status.ts';
import { validateMigration } from '../../../src/api/validate.ts';
import { compilePlan } from '../../../src/migration/plan/plan.ts';
import type { WorkerJob } from '../../../src/execute/to-worker.ts';
import { initialProgress, type MigrationProgress } from '../../../src/migration/report/observer.ts';

const START = '2025-01-01T00:00:00Z';
const END = '2025-01-02T00:00:00Z';
export const startMs = Date.parse(START);
export const endMs = Date.parse(END);
/** The current time of the tests. */
export const nowMs = Date.parse('2025-06-01T12:00:00Z');
/** The same moment on the monotonic clock: far enough from the wall clock that confusing them fails. */
export const monotonicMs = 1e9;

export function momentAt(wallMs: number): Moment {
  return { wallMs, monotonicMs: wallMs - nowMs + monotonicMs };
}

type Loose = Readonly<Record<string, unknown>>;

export interface MigrationOptions {
  readonly name?: string;
  readonly uid?: string;
  readonly generation?: number;
  readonly resourceVersion?: string;
  readonly createdAt?: string;
  readonly deletedAt?: string;
  /** Merged into a small valid spec, one level deep. */
  readonly spec?: Loose;
  readonly status?: PromMigrationStatus;
  /** The field manager that wrote the status, as recorded by the API server. */
  readonly statusManager?: string;
}

/** A valid PromMigration with its defaults, or one broken by `options.spec`. */
export function migrationOf(options: MigrationOptions = {}): PromMigration {
  const { name = 'copy', generation = 1, resourceVersion = '10' } = options;
  const spec: Loose = {
    source: { url: 'http://source/api/v1/read' },
    destination: {
      url: 'http://destination/write',
      progress: { protocol: 'RemoteRead', url: 'http://destination/read' },
    },
    timeRange: { start: START, end: END },
    // Tests of what precedes the copy set another value.
    preflight: 'Off',
    ...options.spec,
  };
  const document = { apiVersion: 'prom-migrator.io/v1alpha1', kind: 'PromMigration', metadata: { name }, spec };
  const validated = validateMigration(document, nowMs);
  const filled = 'problems' in validated ? (document as unknown as PromMigration) : validated.migration;
  return {
    ...filled,
    metadata: {
      name,
      namespace: 'team',
      uid: options.uid ?? `uid-${name}`,
      generation,
      resourceVersion,
      creationTimestamp: options.createdAt ?? '2025-06-01T00:00:00Z',
      ...(options.deletedAt !== undefined && { deletionTimestamp: options.deletedAt }),
      ...(options.statusManager !== undefined && {
        managedFields: [{ manager: options.statusManager, subresource: 'status' }],
      }),
    },
    ...(options.status !== undefined && { status: options.status }),
  };
}

export function specOf(spec: Loose = {}): PromMigrationSpec {
  return migrationOf({ spec }).spec;
}

/** The migration's job for a worker, without Secrets. */
export function jobOf(migration: PromMigration): WorkerJob {
  const compiled = compilePlan(migration, { get: () => undefined });
  if ('problems' in compiled) throw new Error(JSON.stringify(compiled.problems));
  return { plan: compiled.plan };
}

/** The progress of the engine halfway. */
export function progressOf(changes: Partial<MigrationProgress> = {}): MigrationProgress {
  const reachedMs = changes.watermarkMs ?? startMs;
  return {
    ...initialProgress(startMs, endMs),
    phase: 'Running',
    windowMs: 60_000,
    reachedMs,
    earlier: NO_COUNTS,
    ...changes,
  };
}
