// Waits between two attempts, and reports it. Transient failures are retried without limit once a side has responded. Before that the start-up
// deadline ends the migration, because an endpoint that never responded is more often a typing error than an outage. A refusal that looks
// like a wrong setting ends the migration immediately before the side's first good response, and is retried for some minutes after it. An
// incomplete response that the server declares as such is retried for half an hour.

import type { Endpoint } from '../../remote/http/endpoint.ts';
import type { Side } from '../../remote/meaning/side.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { retryDelayMs } from '../../remote/retry-delay.ts';
import type { Clock } from '../../telemetry/clock.ts';
import { MigrationError } from '../report/migration-error.ts';
import type { MigrationObserver, MigrationProgress } from '../report/observer.ts';

export interface RetrierOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly observer: MigrationObserver;
  readonly progress: MigrationProgress;
  readonly startupDeadlineMs: number;
}

/** An ingress or a pod that restarts is back within this time. */
const TOLERATED_REFUSAL_MS = 5 * 60_000;
/** A storage node that is restarted or replaced, with its caches, is back within this time. */
const TOLERATED_LASTING_MS = 30 * 60_000;

export class Retrier {
  readonly #options: RetrierOptions;
  readonly #startedAtMs: number;
  readonly #responded = new Set<Side>();
  readonly #hasSucceeded = new Set<Side>();
  /** The time since which a side has refused requests without a good response in between. */
  readonly #refusingSinceMs = new Map<Side, number>();
  /** The same for failures that may last. */
  readonly #lastingSinceMs = new Map<Side, number>();

  constructor(options: RetrierOptions) {
    this.#options = options;
    this.#startedAtMs = options.clock.monotonicMs();
  }

  /** The side has given a good response. From now on any outage counts as temporary. */
  responded(side: Side): void {
    this.#responded.add(side);
    this.#hasSucceeded.add(side);
    this.#refusingSinceMs.delete(side);
    this.#lastingSinceMs.delete(side);
  }

  /** Whether the same request may succeed later: a transient failure, or a tolerated refusal. */
  mayPass(error: RemoteError): boolean {
    return error.class === 'transient' || this.toleratesRefusal(error);
  }

  /**
   * Whether a refusal is retried: it looks like a wrong setting (an HTML page, a redirect, a 404), but this side has given good responses with
   * the same settings, and has refused for less than five minutes.
   */
  toleratesRefusal(error: RemoteError): boolean {
    const { side } = error;
    if (error.class !== 'refused' || error.traits.afterGood !== 'retry' || !this.#hasSucceeded.has(side)) return false;
    const nowMs = this.#options.clock.monotonicMs();
    const sinceMs = this.#refusingSinceMs.get(side) ?? nowMs;
    this.#refusingSinceMs.set(side, sinceMs);
    return nowMs - sinceMs < TOLERATED_REFUSAL_MS;
  }

  /**
   * Reports the failure and waits before attempt `attempt + 1`.
   * @param attempt how many attempts have failed, from 1
   * @throws MigrationError `unreachable` when the side has never responded and the deadline has passed, or the error's own code when it may
   *   last and has lasted for half an hour; the signal's reason on abort
   */
  async pause(error: RemoteError, endpoint: Endpoint, attempt: number, signal: AbortSignal): Promise<void> {
    const { clock, random, observer, progress, startupDeadlineMs } = this.#options;
    if (error.status !== undefined) this.#responded.add(error.side);
    if (error.traits.mayLast === true) this.#checkLasting(error, endpoint);
    let delayMs = retryDelayMs(attempt, random, error.retryAfterMs);
    if (!this.#responded.has(error.side)) {
      const leftMs = this.#startedAtMs + startupDeadlineMs - clock.monotonicMs();
      if (leftMs <= 0) {
        throw new MigrationError(
          'unreachable',
          `the ${error.side} ${endpoint.url} did not respond within ${Math.round(startupDeadlineMs / 1000)} s: ${error.message}`,
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

  /** @throws MigrationError */
  #checkLasting(error: RemoteError, { url }: Endpoint): void {
    const { side, code, hint, message } = error;
    const nowMs = this.#options.clock.monotonicMs();
    const sinceMs = this.#lastingSinceMs.get(side) ?? nowMs;
    this.#lastingSinceMs.set(side, sinceMs);
    if (nowMs - sinceMs < TOLERATED_LASTING_MS) return;
    const minutes = TOLERATED_LASTING_MS / 60_000;
    const text = `the ${side} ${url} has not responded completely for ${minutes} minutes: ${message}`;
    throw new MigrationError(code, text, { side, hint, cause: error });
  }

  /**
   * Sends a request until it succeeds. Transient failures are retried, an ambiguous 400 twice.
   * @param send gets the number of the attempt, from 1
   * @throws RemoteError when retrying does not help; what `pause` throws
   */
  async retry<T>(endpoint: Endpoint, signal: AbortSignal, send: (attempt: number) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await send(attempt);
        this.responded(endpoint.side);
        return result;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof RemoteError)) throw error;
        const passing = this.mayPass(error) || (error.class === 'ambiguous' && attempt < 3);
        if (!passing) throw error;
        await this.pause(error, endpoint, attempt, signal);
      }
    }
  }
}
