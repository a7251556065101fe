// The recent growth rate of a value. Pure, apart from the points that it keeps.

const POINTS = 60;

/** The slope of a growing value over the last `windowMs` milliseconds. */
export class SlidingRate {
  readonly #windowMs: number;
  #points: { readonly atMs: number; readonly value: number }[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** @param atMs on a clock that never jumps */
  add(atMs: number, value: number): void {
    const last = this.#points.at(-1);
    // A value that decreased would give a negative rate: start again from it.
    if (last !== undefined && value < last.value) this.#points = [];
    const beforeLast = this.#points.at(-2);
    // Points closer together than this add nothing: the last one moves instead.
    if (beforeLast !== undefined && atMs - beforeLast.atMs < this.#windowMs / POINTS) this.#points.pop();
    this.#points.push({ atMs, value });
    // One point at or before the start of the window stays, so that the slope spans the whole window.
    while (this.#points.length > 2 && (this.#points[1]?.atMs ?? 0) <= atMs - this.#windowMs) this.#points.shift();
  }

  /** Units per second. 0 until there are two points in time. */
  perSecond(): number {
    const first = this.#points[0];
    const last = this.#points.at(-1);
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0;
    return (last.value - first.value) / ((last.atMs - first.atMs) / 1000);
  }
}
