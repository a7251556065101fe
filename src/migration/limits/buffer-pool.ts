// A pool for the memory of one run's responses, reused from window to window. Fresh allocations would keep the garbage collector busy and be
// freed late. Free memory in the pool counts towards `limits.memory` like memory in use; connections.ts sets how much may be free.

import type { Buffers } from '../../remote/http/buffers.ts';

/** Sizes are multiples of it, so that returned memory fits the next request. */
const STEP_BYTES = 256 * 1024;
/** Larger pieces, the decompressed messages, come in coarser steps. */
const LARGE_STEP_BYTES = 1024 * 1024;

export class BufferPool implements Buffers {
  /** By size. */
  readonly #free = new Map<number, Uint8Array<ArrayBuffer>[]>();
  readonly #onGivenBack: (memory: Uint8Array) => void;
  #freeBytes = 0;
  #allowedBytes = 0;
  #closed = false;

  /** @param onGivenBack gets all memory that must not be used any more; tests overwrite it, so that a late read is detected */
  constructor(onGivenBack: (memory: Uint8Array) => void = () => {}) {
    this.#onGivenBack = onGivenBack;
  }

  /** Sets how much unused memory the pool may keep. Memory above that is freed immediately. */
  allow(bytes: number): void {
    this.#allowedBytes = this.#closed ? 0 : bytes;
    while (this.#freeBytes > this.#allowedBytes) {
      const largest = Math.max(...this.#free.keys());
      release(this.#pop(largest));
    }
  }

  take(bytes: number): Uint8Array<ArrayBuffer> {
    if (bytes < STEP_BYTES) return new Uint8Array(bytes);
    const step = bytes <= LARGE_STEP_BYTES ? STEP_BYTES : LARGE_STEP_BYTES;
    const size = Math.ceil(bytes / step) * step;
    const fitting = this.#free.has(size) ? size : this.#nextLarger(size);
    return fitting === undefined ? new Uint8Array(size) : this.#pop(fitting);
  }

  give(memory: Uint8Array): void {
    this.#onGivenBack(memory);
    const { buffer, byteLength } = memory;
    // A view of other memory does not belong to this pool.
    if (!(buffer instanceof ArrayBuffer) || buffer.byteLength !== byteLength) return;
    const whole = byteLength >= STEP_BYTES && byteLength % STEP_BYTES === 0;
    if (!whole || this.#freeBytes + byteLength > this.#allowedBytes) {
      release(memory as Uint8Array<ArrayBuffer>);
      return;
    }
    const same = this.#free.get(byteLength);
    if (same === undefined) this.#free.set(byteLength, [memory as Uint8Array<ArrayBuffer>]);
    else same.push(memory as Uint8Array<ArrayBuffer>);
    this.#freeBytes += byteLength;
  }

  /** Frees all memory, including memory that is given back later. */
  close(): void {
    this.#closed = true;
    this.allow(0);
  }

  /** A large piece may be somewhat larger than requested, because message sizes vary from window to window. */
  #nextLarger(size: number): number | undefined {
    if (size <= LARGE_STEP_BYTES) return undefined;
    const sizes = [...this.#free.keys()].filter((other) => other > size && other <= size * 1.5);
    return sizes.length === 0 ? undefined : Math.min(...sizes);
  }

  #pop(size: number): Uint8Array<ArrayBuffer> {
    const same = this.#free.get(size) ?? [];
    const memory = same.pop() ?? new Uint8Array(size);
    if (same.length === 0) this.#free.delete(size);
    this.#freeBytes -= memory.byteLength;
    return memory;
  }
}

/** Detaches the memory. The garbage collector would keep it while it has nothing to do: megabytes in an idle heap. */
function release(memory: Uint8Array<ArrayBuffer>): void {
  memory.buffer.transfer(0);
}
