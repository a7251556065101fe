// Tracks whether halving a window helps. Shorter windows stay below a cap on samples, but not below a cap on series (Cortex
// max_fetched_series_per_query, M3): half the time contains the same series.

import type { Limit } from './read-failure.ts';
import type { WindowState } from './window-size.ts';

/** How many halvings without effect are allowed before the window is split by name. Bytes include labels, so they get a few more. */
const FUTILE_HALVINGS = { series: 2, other: 4 } as const;

export class Halvings {
  /** The longest recent window with samples that was read. */
  #goodMs: number | undefined;
  /** Consecutive refusals of one whole window, each half as long as the one before, and the size at which the halving began. */
  #row: { readonly limit: Limit; readonly from: WindowState; refusals: number } | undefined;

  /** Whether this window is longer than any that was read, so that its length may be the problem. */
  isLongerThanGood(lengthMs: number): boolean {
    return this.#goodMs !== undefined && lengthMs > this.#goodMs;
  }

  /** A whole window of all names exceeded `limit`. */
  refused(limit: Limit, lengthMs: number, size: WindowState): void {
    if (limit === 'samples') {
      this.#row = undefined;
      return;
    }
    if (this.#row?.limit !== limit) this.#row = { limit, from: size, refusals: 0 };
    if (!this.isLongerThanGood(lengthMs)) this.#row.refusals++;
  }

  /** Whether another halving is worth trying. */
  mayHelp(limit: Limit): boolean {
    if (limit === 'samples') return true;
    if (limit === 'labels') return false;
    const futile = limit === 'series' ? FUTILE_HALVINGS.series : FUTILE_HALVINGS.other;
    return (this.#row?.refusals ?? 0) <= futile;
  }

  /** Returns the size at which the futile halvings began, and resets the count. */
  undo(): WindowState | undefined {
    const from = this.#row?.from;
    this.#row = undefined;
    return from;
  }

  /** A slice was read. */
  end(): void {
    this.#row = undefined;
  }

  /** A window with samples was read. `refused`: an earlier attempt at it had exceeded a limit. */
  windowRead(lengthMs: number, refused: boolean): void {
    this.#goodMs = refused ? lengthMs : Math.max(this.#goodMs ?? 0, lengthMs);
  }
}
