// What a migration's own thread reports to the operator's main thread, and what the main thread decides about it. Everything here survives the
// structured clone. to-worker.ts has the messages in the other direction.

import type { RateLimits } from '../migration/limits/rate-limit.ts';
import type { Stretch } from '../migration/plan/stretches.ts';
import type { BeforeCopy } from '../migration/preflight-before-copy.ts';
import type { MigrationEvent, MigrationProgress, MigrationResult } from '../migration/report/observer.ts';

/** Where to resume a migration without a resume point in its destination, and the end at which its range was frozen. */
export interface ResumePoint {
  readonly fromMs: number;
  readonly endMs: number;
}

/** Limits that apply to a running migration; undefined: none. */
export type Rates = RateLimits;

/** What is left to be copied of a migration. */
export interface DividedRange {
  /** The end, if the manifest leaves it open. */
  readonly frozenEndMs: number | undefined;
  readonly stretches: readonly Pick<Stretch, 'shard' | 'startMs' | 'endMs'>[];
}

export type FromWorker =
  /** What has happened since the last report. At most one per second, except for those that report a start or an end. */
  | { readonly type: 'report'; readonly progress: MigrationProgress; readonly events: readonly MigrationEvent[] }
  /** Nothing to report, but alive. */
  | { readonly type: 'heartbeat' }
  /** Differences of a verification that count, one a line. The thread waits until it hears that they are written. */
  | { readonly type: 'differences'; readonly lines: string }
  /** From one that follows: what is left to be copied. */
  | ({ readonly type: 'divided' } & DividedRange)
  /** From one that looks at both sides, unless it was stopped. */
  | ({ readonly type: 'preflight' } & BeforeCopy)
  | { readonly type: 'ended'; readonly result: MigrationResult };

/** How a thread ended. */
export type WorkerEnd =
  | { readonly kind: 'result'; readonly result: MigrationResult }
  /** `code` is Node's, or says how the thread ended. */
  | { readonly kind: 'crashed'; readonly code: string; readonly message: string }
  /** The thread gave no sign of life. */
  | { readonly kind: 'hung'; readonly silentMs: number }
  /** Terminated because it did not stop in time. Its last moments are unknown. */
  | { readonly kind: 'terminated' };
