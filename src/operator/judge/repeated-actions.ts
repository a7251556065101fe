// How soon the same request is repeated: one that the API server refuses, or whose effect another program undoes each time. Pure, times are
// passed in.

import { backoffMs } from '../../telemetry/backoff.ts';

interface Done {
  readonly count: number;
  readonly atMs: number;
  readonly failed: boolean;
}

const PAUSE = { firstMs: 5_000, maxMs: 60_000 };
/** So many successful repetitions are immediate: a user may change their mind. */
const FREE = 3;
/** After this time without a repetition, the next one is the first again. */
const FORGET_MS = 10 * 60_000;

export class RepeatedActions {
  readonly #done = new Map<string, Done>();

  /** In how many milliseconds the action may be done; 0: now. `nowMs`, here and below, is on the monotonic clock. */
  waitMs(action: string, nowMs: number): number {
    const done = this.#done.get(action);
    if (done === undefined) return 0;
    const { count, atMs, failed } = done;
    const repetitions = failed ? count : count - FREE;
    return repetitions < 1 ? 0 : Math.max(0, atMs + backoffMs(PAUSE, repetitions) - nowMs);
  }

  done(action: string, failed: boolean, nowMs: number): void {
    for (const [known, { atMs }] of this.#done) if (nowMs - atMs >= FORGET_MS) this.#done.delete(known);
    const before = this.#done.get(action);
    const count = before?.failed === failed ? before.count + 1 : 1;
    this.#done.set(action, { count, atMs: nowMs, failed });
  }
}
