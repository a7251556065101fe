// A clock for tests that talk real HTTP: time runs many times faster, so that retries, settling times and rate limits are waited out in
// earnest and cost nothing. Timers of node's own (HTTP time limits) are not touched.

import type { Clock } from '../../../src/telemetry/clock.ts';

export class FastClock implements Clock {
  readonly #speed: number;
  readonly #startMs: number;
  readonly #realStartMs = performance.now();
  #jumpedMs = 0;
  /** Every wait that was asked for, in its own milliseconds. */
  readonly sleeps: number[] = [];

  constructor(options: { nowMs: number; speed?: number }) {
    this.#startMs = options.nowMs;
    this.#speed = options.speed ?? 1000;
  }

  /** The wall clock is set forward or back. */
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
