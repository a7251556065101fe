// An abort signal for one piece of work, that follows an outer signal and a time limit.

import type { Clock } from './clock.ts';

/**
 * By hand instead of AbortSignal.any, which would keep every piece of work registered at a signal that lives as long as the process.
 * Dispose of it at the end of the work: that aborts what is left of it, and leaves the outer signal.
 */
export class Deadline implements Disposable {
  readonly #outer: AbortSignal | undefined;
  readonly #work = new AbortController();
  readonly #timer = new AbortController();
  #expired = false;
  readonly #onAbort = () => this.#work.abort(this.#outer?.reason);

  /** Without a time limit until `start` is called. */
  constructor(outer?: AbortSignal) {
    this.#outer = outer;
    if (outer?.aborted) this.#onAbort();
    else outer?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#work.signal;
  }

  /** The time limit has passed before the work was over. */
  get expired(): boolean {
    return this.#expired;
  }

  /** @param reason what the signal is aborted with after `ms` milliseconds */
  start(clock: Clock, ms: number, reason: Error): void {
    clock.sleep(ms, this.#timer.signal).then(
      () => {
        this.#expired = true;
        this.#work.abort(reason);
      },
      () => undefined,
    );
  }

  /** Ends the time limit; only the outer signal counts now. */
  stop(): void {
    this.#timer.abort();
  }

  /** Ends the work. */
  abort(reason?: unknown): void {
    this.#work.abort(reason);
  }

  [Symbol.dispose](): void {
    this.#timer.abort();
    this.#outer?.removeEventListener('abort', this.#onAbort);
    this.#work.abort();
  }
}
