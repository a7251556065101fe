// Enforces a rate (samples or bytes per second) for the lanes that write. All lanes take from one bucket, in the order of their calls.

import type { Clock } from '../../telemetry/clock.ts';
import { Waiters } from '../../telemetry/waiters.ts';

/**
 * A token bucket that starts empty, by default of one second's worth. Then at most `perSecond × (t + 1)` passes in any stretch of t seconds, and
 * from the start at most `perSecond × t`. An amount larger than the bucket waits until all of it has been saved up, so that these bounds hold
 * for it too.
 */
export class RateLimit {
  #perSecond: number | undefined;
  readonly #clock: Clock;
  #maxSavedMs: number;
  #saved = 0;
  #savedAtMs: number;
  readonly #waiting = new Waiters<number>();
  #serving = false;
  #interrupt = new AbortController();

  /**
   * @param perSecond undefined: no limit
   * @param maxSavedMs the size of the bucket
   * @throws RangeError for a rate that is not a positive number
   */
  constructor(perSecond: number | undefined, clock: Clock, maxSavedMs = 1000) {
    checkRate(perSecond);
    this.#perSecond = perSecond;
    this.#clock = clock;
    this.#maxSavedMs = maxSavedMs;
    this.#savedAtMs = clock.monotonicMs();
  }

  /** Changes the rate, for waiting callers too. */
  set(perSecond: number | undefined, maxSavedMs = this.#maxSavedMs): void {
    checkRate(perSecond);
    this.#save();
    this.#perSecond = perSecond;
    this.#maxSavedMs = maxSavedMs;
    this.#wake();
  }

  /** Empties the bucket. */
  drain(): void {
    this.#save();
    this.#saved = 0;
    this.#wake();
  }

  /** Resolves when `amount` may pass. @throws the signal's reason when it is aborted while waiting; nothing is taken then */
  async take(amount: number, signal: AbortSignal): Promise<void> {
    if (!Number.isFinite(amount) || amount < 0) throw new RangeError(`not an amount: ${amount}`);
    signal.throwIfAborted();
    if (amount === 0) return;
    if (this.#waiting.size === 0 && this.#take(amount)) return;
    const admitted = this.#waiting.wait(amount, signal, () => this.#wake());
    if (!this.#serving) void this.#serve();
    await admitted;
  }

  async #serve(): Promise<void> {
    this.#serving = true;
    try {
      for (;;) {
        const amount = this.#waiting.firstWanted;
        if (amount === undefined) break;
        if (this.#take(amount)) this.#waiting.admitFirst();
        else await this.#sleep(amount);
      }
    } catch (error) {
      this.#waiting.rejectAll(error);
    } finally {
      this.#serving = false;
    }
  }

  #take(amount: number): boolean {
    if (this.#perSecond === undefined) return true;
    this.#save();
    if (this.#saved < amount) return false;
    this.#saved -= amount;
    return true;
  }

  /** Adds the tokens saved since the last call. The bucket exceeds its size only for the caller at the head of the queue. */
  #save(): void {
    const nowMs = this.#clock.monotonicMs();
    const elapsedMs = nowMs - this.#savedAtMs;
    this.#savedAtMs = nowMs;
    if (this.#perSecond === undefined) {
      this.#saved = 0;
      return;
    }
    this.#saved = Math.min(
      this.#saved + (elapsedMs * this.#perSecond) / 1000,
      Math.max((this.#perSecond * this.#maxSavedMs) / 1000, this.#waiting.firstWanted ?? 0),
    );
  }

  async #sleep(wanted: number): Promise<void> {
    if (this.#perSecond === undefined) return;
    const missingMs = Math.ceil(((wanted - this.#saved) * 1000) / this.#perSecond);
    const interrupt = new AbortController();
    this.#interrupt = interrupt;
    try {
      await this.#clock.sleep(Math.max(1, missingMs), interrupt.signal);
    } catch (error) {
      if (!interrupt.signal.aborted) throw error;
    }
  }

  #wake(): void {
    this.#interrupt.abort();
  }
}

function checkRate(perSecond: number | undefined): void {
  if (perSecond !== undefined && !(Number.isFinite(perSecond) && perSecond > 0)) {
    throw new RangeError(`a rate must be a positive number per second, not ${perSecond}`);
  }
}

/** Undefined: no limit. */
export interface RateLimits {
  readonly samplesPerSecond: number | undefined;
  readonly bytesPerSecond: number | undefined;
}
