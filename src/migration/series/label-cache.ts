// Caches the result of relabelling by a series' label bytes as the source sent them, so that relabelling costs once per series instead of once
// per window.

interface Entry<T> {
  readonly value: T;
  readonly bytes: number;
}

/**
 * A map that drops entries not used recently. Entries live in two generations. When the young one is full it becomes the old one, and the
 * previous old one is dropped. An entry that is read becomes young again. There are no links between entries, and each generation holds at
 * most half of the bytes.
 */
export class LabelCache<T> {
  readonly #generationBytes: number;
  #young = new Map<string, Entry<T>>();
  #old = new Map<string, Entry<T>>();
  #youngBytes = 0;

  /** @throws RangeError unless `maxBytes` is a number from 0 on; 0 caches nothing */
  constructor(maxBytes: number) {
    if (!Number.isFinite(maxBytes) || maxBytes < 0) throw new RangeError(`not a number of bytes: ${maxBytes}`);
    this.#generationBytes = Math.floor(maxBytes / 2);
  }

  get(key: string): T | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young.value;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.#forget(key);
    this.#add(key, old);
    return old.value;
  }

  /** `bytes` is the size of the entry, its key included. An entry larger than half of the cache is not cached. */
  set(key: string, value: T, bytes: number): void {
    if (!Number.isFinite(bytes) || bytes < 0) throw new RangeError(`not a number of bytes: ${bytes}`);
    this.#forget(key);
    if (bytes <= this.#generationBytes) this.#add(key, { value, bytes });
  }

  #add(key: string, entry: Entry<T>): void {
    if (this.#youngBytes + entry.bytes > this.#generationBytes) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(key, entry);
    this.#youngBytes += entry.bytes;
  }

  #forget(key: string): void {
    const young = this.#young.get(key);
    if (young !== undefined) {
      this.#young.delete(key);
      this.#youngBytes -= young.bytes;
    }
    this.#old.delete(key);
  }
}
