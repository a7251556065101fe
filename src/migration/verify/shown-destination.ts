// Makes the destination show what it has accepted, before a range is compared again. One request, and one wait, serve all ranges that were
// compared before it.

import type { Clock } from '../../telemetry/clock.ts';
import type { ReadableView } from '../progress/readable-view.ts';

export class ShownDestination {
  readonly #view: Pick<ReadableView, 'show'>;
  readonly #clock: Clock;
  #atMs = Number.NEGATIVE_INFINITY;
  /** How long something may stay hidden despite the request. */
  #hiddenMs = 0;

  constructor(view: Pick<ReadableView, 'show'>, clock: Clock) {
    this.#view = view;
    this.#clock = clock;
  }

  /**
   * Makes the destination show what it had at `sinceMs`, on the monotonic clock.
   * @param wait until nothing of it can be hidden
   */
  async show(sinceMs: number, wait: boolean, signal: AbortSignal): Promise<void> {
    if (this.#atMs < sinceMs) {
      const atMs = this.#clock.monotonicMs();
      this.#hiddenMs = await this.#view.show(signal);
      this.#atMs = atMs;
    }
    const leftMs = this.#atMs + this.#hiddenMs - this.#clock.monotonicMs();
    if (wait && leftMs > 0) await this.#clock.sleep(leftMs, signal);
  }
}
