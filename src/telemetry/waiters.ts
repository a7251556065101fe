// A queue of those who wait for something that is limited: first come, first served, and each may give up.

interface Waiter<Wanted, Given> {
  readonly wanted: Wanted;
  resolve(given: Given): void;
  reject(reason: unknown): void;
}

/** `Wanted` is what one waits for, such as an amount; `Given` is what it gets. */
export class Waiters<Wanted, Given = void> {
  /** In the order of arrival. */
  readonly #waiting = new Set<Waiter<Wanted, Given>>();

  get size(): number {
    return this.#waiting.size;
  }

  /** What the first one waits for; undefined when none waits. */
  get firstWanted(): Wanted | undefined {
    const [first] = this.#waiting;
    return first?.wanted;
  }

  /**
   * Waits for `admitFirst`.
   * @param onLeave called after one has left the queue because its signal was aborted: those behind it may go now
   * @throws the signal's reason, or that of `rejectAll`
   */
  wait(wanted: Wanted, signal: AbortSignal, onLeave: () => void = () => {}): Promise<Given> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const leave = () => {
        this.#waiting.delete(waiter);
        signal.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter<Wanted, Given> = {
        wanted,
        resolve: (given) => {
          leave();
          resolve(given);
        },
        reject: (reason) => {
          leave();
          reject(reason);
        },
      };
      const onAbort = () => {
        waiter.reject(signal.reason);
        onLeave();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiter);
    });
  }

  /** Lets the first one go. */
  admitFirst(given: Given): void {
    const [first] = this.#waiting;
    first?.resolve(given);
  }

  rejectAll(reason: unknown): void {
    for (const waiter of [...this.#waiting]) waiter.reject(reason);
  }
}
