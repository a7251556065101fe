// A clock that stands still until the test moves it: ten minutes pass in no time, and exactly when the test says so.

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

  /** Milliseconds that `setWallClock` does not change. */
  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** The lengths of all sleeps under way. */
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

  /** Lets time pass, in the order of those that wake up; what a sleeper starts on waking is woken too. */
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

  /** Time has passed and nobody was woken, as in a process that was stopped. */
  skip(ms: number): void {
    this.#pass(ms);
  }

  #pass(ms: number): void {
    this.#monotonicMs += ms;
    this.#nowMs += ms;
  }
}

/** All promises that can go on without the network have gone on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits in real time, at most 2 s, for what comes over a connection. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 2_000;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`it did not come to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
