// What the engine needs from outside: a clock, randomness, and two ways to end a migration early.

import type { Clock } from '../telemetry/clock.ts';
import type { RateLimits } from './limits/rate-limit.ts';
import type { KnownBeginning } from './progress/known-beginning.ts';
import type { MigrationObserver } from './report/observer.ts';
import type { ResumedVerification } from './report/verification.ts';

export interface MigrationContext {
  readonly clock: Clock;
  readonly random: () => number;
  /** Start no new window; finish the ones in flight. */
  readonly stop: AbortSignal;
  /** End immediately. The resume point is correct in either case. */
  readonly abort: AbortSignal;
  readonly observer: MigrationObserver;
  /** How long to retry a side that has never responded; Infinity retries forever. */
  readonly startupDeadlineMs: number;
  /** Gets every piece of memory that the run has given back and must not use any more. Tests overwrite it. */
  readonly onBufferGivenBack?: (memory: Uint8Array) => void;
  /** For a stretch: where it begins. */
  readonly known?: KnownBeginning;
  /** How far an earlier run had compared, if it was interrupted. A later mark in the destination takes precedence. */
  readonly resumeVerification?: ResumedVerification;
  /** Whether the caller continues the run in another way after `stop`. Then its end is not reported, and its phase stays as it was. */
  readonly continues?: () => boolean;
  /** Called once at the start with a function that changes the rates of `plan.limits` at runtime; undefined means no limit. */
  readonly onRatesAvailable?: (set: (rates: RateLimits) => void) => void;
}
