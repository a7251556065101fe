// A clock for tests over real HTTP that count what happens in a time: it stands still while anything happens, however slow the machine is, and
// jumps to the next waiter when nothing does.

import type { FakeStore } from '../../support/stores/fake-store.ts';
import { FastClock } from './fake-clock.ts';

export class IdleClock extends FastClock {
  readonly #startMs: number;
  #passedMs = 0;
  readonly #waiting = new Set<{ readonly untilMs: number; readonly wake: () => void }>();

  constructor(options: { readonly nowMs: number }) {
    super(options);
    this.#startMs = options.nowMs;
  }

  override now(): number {
    return Math.floor(this.#startMs + this.#passedMs);
  }

  override monotonicMs(): number {
    return this.#passedMs;
  }

  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        this.#waiting.delete(waiter);
        reject(signal?.reason);
      };
      const waiter = {
        untilMs: this.#passedMs + ms,
        wake: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiter);
    });
  }

  /** Lets time pass until the work is over. @param stores what it talks to */
  async during<T>(work: Promise<T>, stores: readonly FakeStore[]): Promise<T> {
    let isOver = false;
    const over = work.finally(() => {
      isOver = true;
    });
    over.catch(() => undefined);
    for (let seen = -1; !isOver; ) {
      for (const store of stores) await store.settled();
      // What the client does with a response takes a few turns of the event loop.
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
      const requests = stores.reduce((sum, store) => sum + store.requests.length, 0);
      if (requests === seen) this.#jump();
      seen = requests;
    }
    return await over;
  }

  #jump(): void {
    const [next] = [...this.#waiting].sort((a, b) => a.untilMs - b.untilMs);
    if (next === undefined) return;
    this.#waiting.delete(next);
    this.#passedMs = Math.max(this.#passedMs, next.untilMs);
    next.wake();
  }
}
