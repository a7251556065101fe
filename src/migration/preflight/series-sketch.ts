// Counts distinct series over several windows in bounded memory: keeps the hashes of one in 2^k of them, and doubles that when there are too many.

const MAX_KEPT = 65_536;
/** A value is the number of windows times this, plus the last window. */
const WINDOWS = 64;

export interface SeriesCounts {
  /** Distinct series. */
  readonly seen: number;
  /** Of these, the ones in exactly one window, and in exactly two. */
  readonly once: number;
  readonly twice: number;
  /** No series was left out. */
  readonly isExact: boolean;
}

export class SeriesSketch {
  readonly #maxKept: number;
  readonly #kept = new Map<number, number>();
  #shift = 0;

  constructor(maxKept = MAX_KEPT) {
    this.#maxKept = maxKept;
  }

  /** @param window from 0, below 64 */
  add(hash: number, window: number): void {
    if (!isKept(hash, this.#shift)) return;
    const known = this.#kept.get(hash);
    if (known === undefined) this.#kept.set(hash, WINDOWS + window);
    else if (known % WINDOWS !== window) this.#kept.set(hash, known - (known % WINDOWS) + WINDOWS + window);
    if (this.#kept.size > this.#maxKept) this.#halve();
  }

  counts(): SeriesCounts {
    const scale = 2 ** this.#shift;
    let [once, twice] = [0, 0];
    for (const value of this.#kept.values()) {
      const windows = Math.floor(value / WINDOWS);
      if (windows === 1) once++;
      if (windows === 2) twice++;
    }
    return { seen: this.#kept.size * scale, once: once * scale, twice: twice * scale, isExact: this.#shift === 0 };
  }

  #halve(): void {
    this.#shift++;
    for (const hash of this.#kept.keys()) if (!isKept(hash, this.#shift)) this.#kept.delete(hash);
  }
}

/** The lowest `shift` bits of the mixed hash are 0. */
function isKept(hash: number, shift: number): boolean {
  return shift === 0 || (mixed(hash) & (2 ** shift - 1)) === 0;
}

export function mixed(hash: number): number {
  let bits = (hash >>> 0) ^ Math.imul(Math.floor(hash / 2 ** 32) >>> 0, 0x9e3779b1);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
