// The differences that several stretches find at the same time, for one receiver. A stretch hands them on when they count, in portions.

import type { Difference, DifferenceReceiver } from '../report/verification.ts';

export class CollectedDifferences {
  readonly #receiver: DifferenceReceiver;
  readonly #signal: AbortSignal;
  #last: Promise<void> = Promise.resolve();

  constructor(receiver: DifferenceReceiver, signal: AbortSignal) {
    this.#receiver = receiver;
    this.#signal = signal;
  }

  /** Waits until they are written, after those before them. @throws what the receiver throws */
  readonly write = (some: readonly Difference[]): Promise<void> => {
    const written = this.#last.then(() => this.#write(some));
    this.#last = written.catch(() => undefined);
    return written;
  };

  async #write(some: readonly Difference[]): Promise<void> {
    try {
      for (const difference of some) this.#receiver.add(difference);
      await this.#receiver.keep(this.#signal);
    } catch (error) {
      this.#receiver.discard();
      throw error;
    }
  }
}
