// How a stretch is started, whether in this thread or in one of its own.

import type { KnownBeginning } from '../progress/known-beginning.ts';
import type { RateLimits } from '../limits/rate-limit.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { MigrationObserver, MigrationResult } from '../report/observer.ts';
import type { Difference, StretchVerification } from '../report/verification.ts';

export interface StretchJob {
  /** The plan of the stretch, with its part of the limits. */
  readonly plan: MigrationPlan;
  /** Undefined: the destination has to be asked where to begin. */
  readonly known: KnownBeginning | undefined;
  /** Set if the stretch is to be compared. Then the plan has the range of the whole migration. */
  readonly verification?: StretchVerification;
}

/** Gets what a stretch reports. */
export interface StretchListener extends MigrationObserver {
  /**
   * Gets differences that count. The stretch waits until they are written.
   * @throws MigrationError; the signal's reason
   */
  readonly differences?: (some: readonly Difference[]) => Promise<void>;
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

type StartStretch = (job: StretchJob, listener: StretchListener) => StretchTask;

export interface StretchStarter {
  readonly start: StartStretch;
  /** Called when it is clear that so many stretches with such plans will be started, so that their threads can start meanwhile. */
  readonly prepare?: (plan: MigrationPlan, count: number) => void;
}
