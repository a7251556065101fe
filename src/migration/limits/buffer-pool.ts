// The memory that the responses of one run lie in, used again from window to window: what comes and goes would keep the garbage collector busy,
// and be freed late. What lies free here counts towards `limits.memory` like all that is in use: connections.ts says how much may.

import type { Buffers } from '../../remote/http/buffers.ts';

/** Sizes are whole multiples of it, so that what is given back fits what is asked for next. */
const STEP_BYTES = 256 * 1024;
/** Larger pieces, the decompressed messages, come in coarser steps. */
const LARGE_STEP_BYTES = 1024 * 1024;

export class BufferPool implements Buffers {
  /** By size, the smallest first. */
  readonly #free = new Map<number, Uint8Array<ArrayBuffer>[]>();
  readonly #onGivenBack: (memory: Uint8Array) => void;
  #freeBytes = 0;
  #allowedBytes = 0;
  #closed = false;

  /** @param onGivenBack gets all memory that nobody may use any more; tests fill it, so that a late reader shows */
  constructor(onGivenBack: (memory: Uint8Array) => void = () => {}) {
    this.#onGivenBack = onGivenBack;
  }

  /** What lies here unused. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** So much may lie here unused from now on; what is more is given up at once. */
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
    // A view of other memory is not this pool's.
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

  /** Gives everything up, also what is given back later. */
  close(): void {
    this.#closed = true;
    this.allow(0);
  }

  /** Of large pieces one that is a little too large is as good: messages differ from window to window. */
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

/** To leave it to the garbage collector would hold it for as long as that finds nothing to do: megabytes in an idle heap. */
function release(memory: Uint8Array<ArrayBuffer>): void {
  memory.buffer.transfer(0);
}
