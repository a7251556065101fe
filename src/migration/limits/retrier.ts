// Waits between two attempts, visibly. Transient failures are retried without limit once a side has answered; before that the start-up
// deadline ends the migration, because an endpoint that never answered is more often a typing error than an outage.

import type { Endpoint, Side } from '../../remote/endpoint.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { retryDelayMs } from '../../remote/retry-delay.ts';
import type { Clock } from '../../telemetry/clock.ts';
import { redactUrl } from '../../telemetry/secret.ts';
import { MigrationError } from '../migration-error.ts';
import type { MigrationObserver, MigrationProgress } from '../observer.ts';

export interface RetrierOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly observer: MigrationObserver;
  readonly progress: MigrationProgress;
  readonly startupDeadlineMs: number;
}

export class Retrier {
  readonly #options: RetrierOptions;
  readonly #startedAtMs: number;
  readonly #answered = new Set<Side>();

  constructor(options: RetrierOptions) {
    this.#options = options;
    this.#startedAtMs = options.clock.now();
  }

  /** The side has given a proper answer: from now on it is only ever away for a while. */
  answered(side: Side): void {
    this.#answered.add(side);
  }

  /**
   * Tells of the failure and waits before attempt `attempt + 1`.
   * @param attempt how many attempts have failed, from 1
   * @throws MigrationError `unreachable` when the side has never answered and the deadline has passed; the signal's reason on abort
   */
  async pause(error: RemoteError, endpoint: Endpoint, attempt: number, signal: AbortSignal): Promise<void> {
    const { clock, random, observer, progress, startupDeadlineMs } = this.#options;
    if (error.status !== undefined) this.answered(error.side);
    let delayMs = retryDelayMs(attempt, random, error.retryAfterMs);
    if (!this.#answered.has(error.side)) {
      const leftMs = this.#startedAtMs + startupDeadlineMs - clock.now();
      if (leftMs <= 0) {
        throw new MigrationError(
          'unreachable',
          `the ${error.side} ${redactUrl(endpoint.url)} gave no answer within ${Math.round(startupDeadlineMs / 1000)} s: ${error.message}`,
          { side: error.side, hint: error.hint, cause: error },
        );
      }
      delayMs = Math.min(delayMs, leftMs);
    }
    progress.retries++;
    progress.waitingFor = `retry of ${error.side} in ${Math.ceil(delayMs / 1000)} s: ${error.code}`;
    observer.event({ type: 'retry', side: error.side, code: error.code, message: error.message, attempt, delayMs });
    observer.progress(progress);
    await clock.sleep(delayMs, signal);
  }

  /**
   * Asks until there is an answer: what fails for a passing reason is repeated, an unclear 400 twice.
   * @param ask gets the number of the attempt, from 1
   * @throws RemoteError when no repetition helps; what `pause` throws
   */
  async persist<T>(endpoint: Endpoint, signal: AbortSignal, ask: (attempt: number) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await ask(attempt);
        this.answered(endpoint.side);
        return result;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof RemoteError)) throw error;
        const passing = error.class === 'transient' || (error.class === 'ambiguous' && attempt < 3);
        if (!passing) throw error;
        await this.pause(error, endpoint, attempt, signal);
      }
    }
  }
}
