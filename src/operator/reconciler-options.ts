// What a reconciler needs from outside.

import type { PromMigration } from '../api/prom-migration.ts';
import type { Finding } from '../migration/preflight/preflight-result.ts';
import type { Clock } from '../telemetry/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { SecretReading } from './check.ts';
import type { FromWorker } from '../execute/worker-messages.ts';
import type { WorkerPool, WorkerPoolOptions } from '../execute/worker-pool.ts';
import type { JobAccessOptions } from './job/job-access.ts';
import type { WorkQueue } from './kube/work-queue.ts';
import type { Permission } from './life-cycle.ts';
import type { StatusPublisherOptions } from './status-publisher.ts';

/** Callbacks for the metrics. */
interface ReconcilerHooks {
  report(key: string, report: FromWorker & { type: 'report' }): void;
  /** What a look at both sides has found. */
  preflight(key: string, findings: readonly Finding[]): void;
  /** Its worker is gone, and no other one will follow unless the spec is edited. */
  ended(key: string): void;
  /** The resource was deleted, so its series are removed. */
  forget(key: string): void;
  reconciled(result: 'success' | 'error', seconds: number): void;
}

export interface ReconcilerOptions extends StatusPublisherOptions {
  readonly store: StatusPublisherOptions['store'] & { list(): readonly PromMigration[] };
  readonly queue: WorkQueue;
  readonly pool: (listeners: Pick<WorkerPoolOptions, 'onReport' | 'onDivided' | 'onPreflight' | 'onEnd'>) => WorkerPool;
  readonly readSecrets: (migration: PromMigration, signal: AbortSignal) => Promise<SecretReading>;
  /** Deletes exactly this object, and no later one of the same name. */
  readonly deleteResource: (resource: PromMigration, signal: AbortSignal) => Promise<void>;
  /** What the operator's life cycle permits now. */
  readonly permission: () => Permission;
  /** False as soon as the lease has expired, even before the life cycle knows. */
  readonly leaseHeld: () => boolean;
  readonly maxMigrations: number;
  readonly jobs: JobAccessOptions['jobs'];
  readonly findJob: JobAccessOptions['findJob'];
  /** Whether migrations may use the identity of the operator's own pod. */
  readonly allowsAmbient: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly hooks: ReconcilerHooks;
}
