// What the caller of the engine brings along: time, chance, and the two ways to end a migration early.

import type { Clock } from '../telemetry/clock.ts';
import type { MigrationObserver } from './report/observer.ts';

export interface MigrationContext {
  readonly clock: Clock;
  readonly random: () => number;
  /** Take no new window; finish the ones in flight. */
  readonly stop: AbortSignal;
  /** End now. The resume point is right either way. */
  readonly abort: AbortSignal;
  readonly observer: MigrationObserver;
  /** How long a side that has never responded is tried; Infinity for ever. */
  readonly startupDeadlineMs: number;
  /** Gets every piece of memory that the run has given back and must not use any more; tests fill it. */
  readonly onBufferGivenBack?: (memory: Uint8Array) => void;
  /** Called once at the start with a way to change the rates of `plan.limits` while it runs; undefined is no limit. */
  readonly onRatesAvailable?: (set: (rates: RateLimits) => void) => void;
}

export interface RateLimits {
  readonly samplesPerSecond: number | undefined;
  readonly bytesPerSecond: number | undefined;
}
