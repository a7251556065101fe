// What a series' labels became, remembered by their bytes as the source sent them, so that relabelling costs once a series and not
// once a window. Used by the pipeline.

interface Entry<T> {
  readonly value: T;
  readonly bytes: number;
}

/**
 * A map that forgets what has not been asked for lately. Entries live in two generations: when the young one is full it becomes the old
 * one, and what the old one held until then is gone. An entry that is asked for becomes young again. There are no links between
 * entries, and each generation holds at most half of the bytes.
 */
export class LabelCache<T> {
  readonly #generationBytes: number;
  #young = new Map<string, Entry<T>>();
  #old = new Map<string, Entry<T>>();
  #youngBytes = 0;
  #oldBytes = 0;

  /** Throws RangeError unless `maxBytes` is a number from 0 on; 0 remembers nothing. */
  constructor(maxBytes: number) {
    if (!Number.isFinite(maxBytes) || maxBytes < 0) throw new RangeError(`not a number of bytes: ${maxBytes}`);
    this.#generationBytes = Math.floor(maxBytes / 2);
  }

  /** Bytes remembered, as `set` was told them. */
  get bytes(): number {
    return this.#youngBytes + this.#oldBytes;
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

  /** `bytes` is what the entry costs, its key included. One that costs more than half of the cache is not remembered. */
  set(key: string, value: T, bytes: number): void {
    if (!Number.isFinite(bytes) || bytes < 0) throw new RangeError(`not a number of bytes: ${bytes}`);
    this.#forget(key);
    if (bytes <= this.#generationBytes) this.#add(key, { value, bytes });
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#youngBytes = 0;
    this.#oldBytes = 0;
  }

  #add(key: string, entry: Entry<T>): void {
    if (this.#youngBytes + entry.bytes > this.#generationBytes) {
      this.#old = this.#young;
      this.#oldBytes = this.#youngBytes;
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
    const old = this.#old.get(key);
    if (old !== undefined) {
      this.#old.delete(key);
      this.#oldBytes -= old.bytes;
    }
  }
}
