// A clock that only the test advances: ten minutes pass in no time, exactly when the test requires it.

import type { Clock } from '../../../src/telemetry/clock.ts';

interface Sleeper {
  readonly atMs: number;
  readonly ms: number;
  readonly wake: () => void;
}

export class ManualClock implements Clock {
  #nowMs: number;
  #monotonicMs = 0;
  readonly #sleepers = new Set<Sleeper>();

  constructor(nowMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  /** Not affected by `setWallClock`. */
  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** The lengths of all pending sleeps. */
  get sleeping(): number[] {
    return [...this.#sleepers].map(({ ms }) => ms);
  }

  setWallClock(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      const wake = () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      const sleeper = { atMs: this.#monotonicMs + ms, ms, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Advances the time and wakes the sleepers in order, including sleeps that they start meanwhile. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#monotonicMs + ms;
    while (true) {
      const [next] = [...this.#sleepers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#sleepers.delete(next);
      this.#pass(Math.max(0, next.atMs - this.#monotonicMs));
      next.wake();
      await settled();
    }
    this.#pass(endMs - this.#monotonicMs);
    await settled();
  }

  /** Advances the time without waking sleepers, like in a suspended process. */
  skip(ms: number): void {
    this.#pass(ms);
  }

  #pass(ms: number): void {
    this.#monotonicMs += ms;
    this.#nowMs += ms;
  }
}

/** Waits until all promises that do not depend on the network have settled. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits in real time, at most 2 s, for events over a connection. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 2_000;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`it did not come to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
