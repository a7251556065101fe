// Decides whether the body of a response still makes progress. Pure. Only the time in which this process waits for the body counts: while
// it does not read from the socket, the server cannot send.

/**
 * Fewer bytes in a period count as a stalled transfer. A store that sends only one series per period, with labels and samples, sends more.
 */
const MIN_BYTES_PER_PERIOD = 256;
/** The shortest period. If the server may pause for longer than this, the period is as long as that pause. */
const MIN_PERIOD_MS = 60_000;

export type Pace =
  /** Nothing is wrong. No check is needed before `lookAgainInMs`. */
  | { readonly kind: 'comes'; readonly lookAgainInMs: number }
  /** No bytes at all for `silenceMs`. */
  | { readonly kind: 'silent' }
  /** Some bytes, but fewer than MIN_BYTES_PER_PERIOD in `periodMs` of waiting. */
  | { readonly kind: 'slow'; readonly bytes: number };

export class BodyPace {
  readonly silenceMs: number;
  readonly periodMs: number;
  /** The start of the current wait, or the time up to which it was counted; undefined while the consumer does not read. */
  #waitingSinceMs: number | undefined;
  /** The last time that bytes arrived or that a wait began. */
  #activeMs = 0;
  #waitedMs = 0;
  #bytes = 0;

  constructor(silenceMs: number) {
    this.silenceMs = silenceMs;
    this.periodMs = Math.max(MIN_PERIOD_MS, silenceMs);
  }

  /** The consumer starts to wait for the body. */
  wait(nowMs: number): void {
    if (this.#waitingSinceMs !== undefined) return;
    this.#waitingSinceMs = nowMs;
    this.#activeMs = nowMs;
  }

  /** The consumer stops waiting for now. */
  pause(nowMs: number): void {
    this.#count(nowMs);
    this.#waitingSinceMs = undefined;
  }

  arrived(bytes: number, nowMs: number): void {
    this.#bytes += bytes;
    this.#activeMs = nowMs;
  }

  look(nowMs: number): Pace {
    if (this.#waitingSinceMs === undefined) return { kind: 'comes', lookAgainInMs: this.silenceMs };
    this.#count(nowMs);
    const silentMs = nowMs - this.#activeMs;
    if (silentMs >= this.silenceMs) return { kind: 'silent' };
    if (this.#waitedMs >= this.periodMs) {
      const bytes = this.#bytes;
      if (bytes < MIN_BYTES_PER_PERIOD) return { kind: 'slow', bytes };
      this.#waitedMs = 0;
      this.#bytes = 0;
    }
    return { kind: 'comes', lookAgainInMs: Math.min(this.silenceMs - silentMs, this.periodMs - this.#waitedMs) };
  }

  #count(nowMs: number): void {
    if (this.#waitingSinceMs === undefined) return;
    this.#waitedMs += nowMs - this.#waitingSinceMs;
    this.#waitingSinceMs = nowMs;
  }
}
