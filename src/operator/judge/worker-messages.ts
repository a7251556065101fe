// The messages between the operator's main thread and a migration's own thread. Everything here survives the structured clone.

import type { PromMigration } from '../../api/prom-migration.ts';
import type { ReferenceKind } from '../../api/secret-source.ts';
import type { RateLimits } from '../../migration/migration-context.ts';
import type { ResumedVerification } from '../../migration/report/verification.ts';
import type { MigrationEvent, MigrationProgress, MigrationResult } from '../../migration/report/observer.ts';

/** One value of a Secret or ConfigMap. It exists only in the memory of this process. */
export interface SecretValue {
  readonly kind: ReferenceKind;
  readonly name: string;
  readonly key: string;
  readonly value: string;
}

/** Where to resume a migration without a resume point in its destination, and the end at which its range was frozen. */
export interface ResumePoint {
  readonly fromMs: number;
  readonly endMs: number;
}

/** The work of a thread: one attempt of one migration. */
export interface WorkerJob {
  /** With its defaults filled in, as validateMigration returns it. */
  readonly migration: PromMigration;
  readonly secrets: readonly SecretValue[];
  /** Only for destination.progress.protocol None. */
  readonly resume?: ResumePoint;
  /** How far an earlier attempt had compared. */
  readonly resumeVerification?: ResumedVerification;
}

/** Limits that apply to a running migration; undefined: none. */
export type Rates = RateLimits;

export type ToWorker =
  /** Only sent to an idle thread. */
  | { readonly type: 'job'; readonly job: WorkerJob }
  /** Start no new window, finish those in flight. */
  | { readonly type: 'stop' }
  /** End immediately. */
  | { readonly type: 'abort' }
  | { readonly type: 'rates'; readonly rates: Rates };

export type FromWorker =
  /** What has happened since the last report. At most one per second, except for those that report a start or an end. */
  | { readonly type: 'report'; readonly progress: MigrationProgress; readonly events: readonly MigrationEvent[] }
  /** Nothing to report, but alive. */
  | { readonly type: 'heartbeat' }
  | { readonly type: 'ended'; readonly result: MigrationResult };
