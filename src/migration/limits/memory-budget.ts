// The bytes that a migration may hold between the source's socket and the destination's. The reader reserves bytes before it stores data; the
// writer releases them after the destination has acknowledged the data.

import { Waiters } from '../../telemetry/waiters.ts';

interface Wanted {
  readonly bytes: number;
  readonly kind: 'held' | 'promised';
}

/**
 * A counted budget with a first-come-first-served queue. Two holders of a part that both wait for more would deadlock, so they have to take
 * turns: a window grows while it is read, and windows are read one after the other.
 */
export class MemoryBudget {
  #usedBytes = 0;
  #promisedBytes = 0;
  readonly #totalBytes: number;
  readonly #onChange: (usedBytes: number, promisedBytes: number) => void;
  readonly #waiters = new Waiters<Wanted>();

  /**
   * @param onChange called after every change with the bytes in use, and with how many of them are only promised: their memory will be taken
   *   from the pool, so until then the pool may keep as much. It must not throw
   */
  constructor(totalBytes: number, onChange: (usedBytes: number, promisedBytes: number) => void = () => {}) {
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
   * @param kind `promised`: the memory is taken from the pool afterwards, and `taken` is called then
   * @throws the signal's reason when it is aborted while waiting; RangeError when the budget could never hold that much: the caller has to
   *   compare with `total`
   */
  async reserve(bytes: number, signal: AbortSignal, kind: Wanted['kind'] = 'held'): Promise<void> {
    checkBytes(bytes);
    signal.throwIfAborted();
    if (bytes > this.#totalBytes) {
      throw new RangeError(`${bytes} bytes do not fit into a budget of ${this.#totalBytes} bytes`);
    }
    if (bytes === 0) return;
    if (this.#waiters.size === 0 && this.#usedBytes + bytes <= this.#totalBytes) {
      this.#admit({ bytes, kind });
      return;
    }
    // A large request at the head may block smaller ones that already fit, until it is aborted.
    await this.#waiters.wait({ bytes, kind }, signal, () => this.#admitWaiters());
  }

  /** The memory of promised bytes has been taken from the pool. */
  taken(bytes: number): void {
    this.#promisedBytes -= bytes;
    this.#change(0);
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
    for (let wanted = this.#waiters.firstWanted; wanted !== undefined; wanted = this.#waiters.firstWanted) {
      if (this.#usedBytes + wanted.bytes > this.#totalBytes) return;
      this.#admit(wanted);
      this.#waiters.admitFirst();
    }
  }

  #admit({ bytes, kind }: Wanted): void {
    if (kind === 'promised') this.#promisedBytes += bytes;
    this.#change(bytes);
  }

  #change(bytes: number): void {
    this.#usedBytes += bytes;
    this.#onChange(this.#usedBytes, this.#promisedBytes);
  }
}

function checkBytes(bytes: number): void {
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw new RangeError(`not a number of bytes: ${bytes}`);
}
