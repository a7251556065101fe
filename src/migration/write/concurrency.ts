// How many write requests are in flight at once, where their order does not matter. Pure.
//
// A request that only travels takes as long beside others as alone: more of them move more data. A request that waits in a queue at the
// destination takes longer for each one before it: more of them move nothing more. From both durations follows how many requests wait in queues,
// and this number is kept small (the algorithm of TCP Vegas, with requests instead of packets).

/** Fewer waiting than this, on average: more requests are sent. */
const FEW_WAITING = 3;
/** More waiting than this: fewer are sent. */
const MANY_WAITING = 6;
const GROWTH = 1.5;
const SHRINKING = 0.9;
/** Enough to keep two cores of a destination busy while the next request is encoded. */
const FEWEST = 4;
const FIRST = 8;

/** How many requests decide what the shortest duration is. It may change: a destination gets slower, or the way to it longer. */
const REMEMBERED = 512;

export interface FinishedRequest {
  readonly durationMs: number;
  /** How many were in flight when it was sent, itself included. */
  readonly inFlight: number;
}

export class Concurrency {
  readonly #most: number;
  #limit: number;
  /** The shortest durations of the last and of the current period. */
  #before = Number.POSITIVE_INFINITY;
  #shortest = Number.POSITIVE_INFINITY;
  #seen = 0;
  /** Of the requests since the limit was last judged, which are at most as many as the limit. */
  #judged = 0;
  #waiting = 0;
  #mostInFlight = 0;

  /** @param most the maximum, at least 1 */
  constructor(most: number) {
    this.#most = most;
    this.#limit = Math.min(most, FIRST);
  }

  get limit(): number {
    return this.#limit;
  }

  /** @param request one of usual size: small ones take less time and say nothing */
  finished({ durationMs, inFlight }: FinishedRequest): void {
    this.#shortest = Math.min(this.#shortest, durationMs);
    if (++this.#seen === REMEMBERED) {
      this.#before = this.#shortest;
      this.#shortest = Number.POSITIVE_INFINITY;
      this.#seen = 0;
    }
    const aloneMs = Math.min(this.#before, this.#shortest);
    this.#waiting += durationMs > 0 ? inFlight * (1 - aloneMs / durationMs) : 0;
    this.#mostInFlight = Math.max(this.#mostInFlight, inFlight);
    if (++this.#judged >= this.#limit) this.#judge();
  }

  #judge(): void {
    const waiting = this.#waiting / this.#judged;
    // How a full pipe would behave is not known from one that is half empty.
    if (waiting < FEW_WAITING && this.#mostInFlight >= this.#limit) {
      this.#limit = Math.min(this.#most, Math.ceil(this.#limit * GROWTH));
    } else if (waiting > MANY_WAITING) {
      this.#limit = Math.max(Math.min(this.#most, FEWEST), Math.floor(this.#limit * SHRINKING));
    }
    this.#judged = 0;
    this.#waiting = 0;
    this.#mostInFlight = 0;
  }
}
