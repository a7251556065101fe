// How a stretch is started, whether in this thread or in one of its own.

import type { KnownBeginning } from '../progress/known-beginning.ts';
import type { RateLimits } from '../limits/rate-limit.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { MigrationObserver, MigrationResult } from '../report/observer.ts';

export interface StretchJob {
  /** The plan of the stretch, with its part of the limits. */
  readonly plan: MigrationPlan;
  /** Undefined: the destination has to be asked where to begin. */
  readonly known: KnownBeginning | undefined;
}

/** A stretch that was started. */
export interface StretchTask {
  /** Never rejects. */
  readonly result: Promise<MigrationResult>;
  /** Lets the windows in flight finish. */
  stop(): void;
  /** Ends it immediately. */
  abort(): void;
  setRates(rates: RateLimits): void;
}

export type StartStretch = (job: StretchJob, observer: MigrationObserver) => StretchTask;
