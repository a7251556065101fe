// Whether the body of a response still comes. Pure: http.ts asks it, and ends what has stopped. Only time in which the body is waited for counts:
// while this side takes nothing from the socket, the server can't send.

/** Less than this in a period is no transfer any more: a store that sends no more than one series in it, with labels and samples, sends more. */
export const MIN_BYTES_PER_PERIOD = 256;
/** The shortest period; a server that is allowed to pause for longer gets as long for its bytes. */
export const MIN_PERIOD_MS = 60_000;

export type Pace =
  /** Nothing is wrong; there is no need to look again before. */
  | { readonly kind: 'comes'; readonly lookAgainInMs: number }
  /** Nothing at all for `silenceMs`. */
  | { readonly kind: 'silent' }
  /** Bytes, but fewer than MIN_BYTES_PER_PERIOD in `periodMs` of waiting. */
  | { readonly kind: 'slow'; readonly bytes: number };

export class BodyPace {
  readonly silenceMs: number;
  readonly periodMs: number;
  /** When the current wait began, or was counted up to; undefined while nothing is asked for. */
  #waitingSinceMs: number | undefined;
  /** When something last came, or was asked for again. */
  #activeMs = 0;
  #waitedMs = 0;
  #bytes = 0;

  constructor(silenceMs: number) {
    this.silenceMs = silenceMs;
    this.periodMs = Math.max(MIN_PERIOD_MS, silenceMs);
  }

  /** The body is asked for. */
  wait(nowMs: number): void {
    if (this.#waitingSinceMs !== undefined) return;
    this.#waitingSinceMs = nowMs;
    this.#activeMs = nowMs;
  }

  /** It is not, for now. */
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
