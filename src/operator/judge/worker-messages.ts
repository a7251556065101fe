// What the operator's main thread and a migration's own thread tell each other. Sent by worker-pool.ts and worker-thread.ts;
// everything here survives the structured clone.

import type { PromMigration } from '../../api/prom-migration.ts';
import type { ReferenceKind } from '../../api/secret-source.ts';
import type { RateLimits } from '../../migration/migration-context.ts';
import type { MigrationEvent, MigrationProgress, MigrationResult } from '../../migration/report/observer.ts';

/** One value of a Secret or ConfigMap. Lives in the memory of this process alone. */
export interface SecretValue {
  readonly kind: ReferenceKind;
  readonly name: string;
  readonly key: string;
  readonly value: string;
}

/** Where a migration without a resume point in its destination goes on, and the end that it was frozen at. */
export interface ResumePoint {
  readonly fromMs: number;
  readonly endMs: number;
}

/** What a thread is given to do: one attempt of one migration. */
export interface WorkerJob {
  /** With its defaults filled in, as validateMigration returns it. */
  readonly migration: PromMigration;
  readonly secrets: readonly SecretValue[];
  /** Only for destination.progress.protocol None. */
  readonly resume?: ResumePoint;
}

/** Limits that reach a running migration; undefined: none. */
export type Rates = RateLimits;

export type ToWorker =
  /** Only to a thread that is doing nothing. */
  | { readonly type: 'job'; readonly job: WorkerJob }
  /** Take no new window, finish those in flight. */
  | { readonly type: 'stop' }
  /** End now. */
  | { readonly type: 'abort' }
  | { readonly type: 'rates'; readonly rates: Rates };

export type FromWorker =
  /** What has happened since the last report. At most one a second, apart from those that tell of a start or an end. */
  | { readonly type: 'report'; readonly progress: MigrationProgress; readonly events: readonly MigrationEvent[] }
  /** Nothing to tell, but alive. */
  | { readonly type: 'heartbeat' }
  | { readonly type: 'ended'; readonly result: MigrationResult };
