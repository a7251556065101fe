// A queue of waiters for a limited resource: first come, first served. Each waiter can be aborted.

interface Waiter<Wanted, Given> {
  readonly wanted: Wanted;
  resolve(given: Given): void;
  reject(reason: unknown): void;
}

/** `Wanted` is what a waiter waits for, such as an amount. `Given` is what it receives. */
export class Waiters<Wanted, Given = void> {
  /** In the order of arrival. */
  readonly #waiting = new Set<Waiter<Wanted, Given>>();

  get size(): number {
    return this.#waiting.size;
  }

  /** What the first waiter waits for; undefined if the queue is empty. */
  get firstWanted(): Wanted | undefined {
    const [first] = this.#waiting;
    return first?.wanted;
  }

  /**
   * Waits for `admitFirst`.
   * @param onLeave called after a waiter has left the queue because its signal was aborted: those behind it may now be admitted
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

  /** Admits the first waiter. */
  admitFirst(given: Given): void {
    const [first] = this.#waiting;
    first?.resolve(given);
  }

  rejectAll(reason: unknown): void {
    for (const waiter of [...this.#waiting]) waiter.reject(reason);
  }
}
