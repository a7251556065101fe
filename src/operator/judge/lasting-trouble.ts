// Something that is looked into only when it lasts, and then from time to time. Pure, times are passed in.

/** How often it is looked into. */
const EVERY_MS = 30_000;

export class LastingTrouble {
  readonly #lastingMs: number;
  #subject: string | undefined;
  #sinceMs = 0;
  #lookedAtMs: number | undefined;
  /** What the last look has found. */
  message: string | undefined;

  /** @param lastingMs so short it may last unnoticed */
  constructor(lastingMs: number) {
    this.#lastingMs = lastingMs;
  }

  /**
   * @param subject what the trouble is about; undefined: it is over
   * @param nowMs on the monotonic clock
   * @returns how long it has lasted if it has to be looked into now
   */
  due(subject: string | undefined, nowMs: number): number | undefined {
    if (subject === undefined || subject !== this.#subject) {
      this.#subject = subject;
      this.#sinceMs = nowMs;
      this.#lookedAtMs = undefined;
      this.message = undefined;
      return undefined;
    }
    const lastsMs = nowMs - this.#sinceMs;
    if (lastsMs < this.#lastingMs || (this.#lookedAtMs !== undefined && nowMs < this.#lookedAtMs + EVERY_MS)) {
      return undefined;
    }
    this.#lookedAtMs = nowMs;
    return lastsMs;
  }
}
