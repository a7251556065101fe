// An abort signal for one piece of work, with an outer signal and a time limit.

import type { Clock } from './clock.ts';

/**
 * Implemented here because AbortSignal.any would keep every piece of work registered at a signal that lives as long as the process. Dispose
 * of it at the end of the work: that aborts the rest of the work and detaches from the outer signal.
 */
export class Deadline implements Disposable {
  readonly #outer: AbortSignal | undefined;
  readonly #work = new AbortController();
  readonly #timer = new AbortController();
  #expired = false;
  readonly #onAbort = () => this.#work.abort(this.#outer?.reason);

  /** There is no time limit until `start` is called. */
  constructor(outer?: AbortSignal) {
    this.#outer = outer;
    if (outer?.aborted) this.#onAbort();
    else outer?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#work.signal;
  }

  /** Whether the time limit passed before the work was over. */
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

  /** Cancels the time limit. Only the outer signal counts from now on. */
  stop(): void {
    this.#timer.abort();
  }

  /** Aborts the work. */
  abort(reason?: unknown): void {
    this.#work.abort(reason);
  }

  [Symbol.dispose](): void {
    this.#timer.abort();
    this.#outer?.removeEventListener('abort', this.#onAbort);
    this.#work.abort();
  }
}
