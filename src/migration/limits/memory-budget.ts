// The bytes that a migration may hold between the source's socket and the destination's. The reader reserves bytes before it stores data; the
// writer releases them after the destination has acknowledged the data.

import { Waiters } from '../../telemetry/waiters.ts';

/**
 * A counted budget with a first-come-first-served queue. Two holders of a part that both wait for more would deadlock, so they have to take
 * turns: a window grows while it is read, and windows are read one after the other.
 */
export class MemoryBudget {
  #usedBytes = 0;
  readonly #totalBytes: number;
  readonly #onChange: (usedBytes: number) => void;
  /** Each waits for a number of bytes. */
  readonly #waiters = new Waiters<number>();

  /** @param onChange called with the bytes in use after every change; it is for metrics and must not throw */
  constructor(totalBytes: number, onChange: (usedBytes: number) => void = () => {}) {
    if (!Number.isSafeInteger(totalBytes) || totalBytes <= 0) {
      throw new RangeError(`a memory budget must be a positive whole number of bytes, not ${totalBytes}`);
    }
    this.#totalBytes = totalBytes;
    this.#onChange = onChange;
  }

  get total(): number {
    return this.#totalBytes;
  }

  /**
   * Takes `bytes`, after all earlier callers.
   * @throws the signal's reason when it is aborted while waiting; RangeError when the budget could never hold that much: the caller has to
   *   compare with `total`
   */
  async reserve(bytes: number, signal: AbortSignal): Promise<void> {
    checkBytes(bytes);
    signal.throwIfAborted();
    if (bytes > this.#totalBytes) {
      throw new RangeError(`${bytes} bytes do not fit into a budget of ${this.#totalBytes} bytes`);
    }
    if (bytes === 0) return;
    if (this.#waiters.size === 0 && this.#usedBytes + bytes <= this.#totalBytes) {
      this.#change(bytes);
      return;
    }
    // A large request at the head may block smaller ones that already fit, until it is aborted.
    await this.#waiters.wait(bytes, signal, () => this.#admitWaiters());
  }

  /** Gives `bytes` back. @throws RangeError when more comes back than was taken, which is an accounting error of the caller */
  release(bytes: number): void {
    checkBytes(bytes);
    if (bytes > this.#usedBytes) {
      throw new RangeError(`${bytes} bytes were released, but only ${this.#usedBytes} are reserved`);
    }
    if (bytes === 0) return;
    this.#change(-bytes);
    this.#admitWaiters();
  }

  #admitWaiters(): void {
    for (let bytes = this.#waiters.firstWanted; bytes !== undefined; bytes = this.#waiters.firstWanted) {
      if (this.#usedBytes + bytes > this.#totalBytes) return;
      this.#change(bytes);
      this.#waiters.admitFirst();
    }
  }

  #change(bytes: number): void {
    this.#usedBytes += bytes;
    this.#onChange(this.#usedBytes);
  }
}

function checkBytes(bytes: number): void {
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw new RangeError(`not a number of bytes: ${bytes}`);
}
