// A clock for tests over real HTTP: time runs many times faster, so that retries, settling delays and rate limits really wait but take
// little time. Node's own timers (HTTP timeouts) are not affected.

import type { Clock } from '../../../src/telemetry/clock.ts';

export class FastClock implements Clock {
  readonly #speed: number;
  readonly #startMs: number;
  readonly #realStartMs = performance.now();
  #jumpedMs = 0;
  /** Every requested delay, in milliseconds of this clock. */
  readonly sleeps: number[] = [];

  constructor(options: { nowMs: number; speed?: number }) {
    this.#startMs = options.nowMs;
    this.#speed = options.speed ?? 1000;
  }

  /** Sets the wall clock forward or back. */
  jump(ms: number): void {
    this.#jumpedMs += ms;
  }

  now(): number {
    return Math.floor(this.#startMs + this.#jumpedMs + this.monotonicMs());
  }

  monotonicMs(): number {
    return (performance.now() - this.#realStartMs) * this.#speed;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps.push(ms);
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms / this.#speed);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

/** A clock that the test moves ahead, the monotonic one too. */
export class SteppedClock extends FastClock {
  aheadMs = 0;

  override monotonicMs(): number {
    return super.monotonicMs() + this.aheadMs;
  }
}
