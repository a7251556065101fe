// What halving a window has shown: whether half the time is less of what was too much. A cap on samples is met by shorter windows, a cap on
// series (Cortex max_fetched_series_per_query, M3) is not: the same series are in half the time. Owned by window-planner.ts.

import type { Limit } from './read-failure.ts';
import type { WindowState } from './window-size.ts';

/** How many halvings may change nothing before names are read apart. Bytes are partly labels, so they get a few more. */
const FUTILE_HALVINGS = { series: 2, other: 4 } as const;

export class Halvings {
  /** The longest that a window with samples was lately. */
  #goodMs: number | undefined;
  /** Refusals of one whole window, each half as long as the one before, and the size that it began with. */
  #row: { readonly limit: Limit; readonly from: WindowState; refusals: number } | undefined;

  /** Whether a shorter window than this has gone well, so that the time may be what is too much. */
  isLongerThanGood(lengthMs: number): boolean {
    return this.#goodMs !== undefined && lengthMs > this.#goodMs;
  }

  /** A whole window of all names was over `limit`. */
  refused(limit: Limit, lengthMs: number, size: WindowState): void {
    if (limit === 'samples') {
      this.#row = undefined;
      return;
    }
    if (this.#row?.limit !== limit) this.#row = { limit, from: size, refusals: 0 };
    if (!this.isLongerThanGood(lengthMs)) this.#row.refusals++;
  }

  /** Whether another halving is worth a try. */
  areWorthIt(limit: Limit): boolean {
    if (limit === 'samples') return true;
    if (limit === 'labels') return false;
    const futile = limit === 'series' ? FUTILE_HALVINGS.series : FUTILE_HALVINGS.other;
    return (this.#row?.refusals ?? 0) <= futile;
  }

  /** The size that futile halvings began with; none are counted any more. */
  undo(): WindowState | undefined {
    const from = this.#row?.from;
    this.#row = undefined;
    return from;
  }

  /** A slice was read. */
  end(): void {
    this.#row = undefined;
  }

  /** A window with samples was read; `refused`: after it had been too much in one way or another. */
  windowRead(lengthMs: number, refused: boolean): void {
    this.#goodMs = refused ? lengthMs : Math.max(this.#goodMs ?? 0, lengthMs);
  }
}
