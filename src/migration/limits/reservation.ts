// The memory of one window, or of one read of the destination, and its part of the memory budget.

import { DoesNotFit } from '../../remote/does-not-fit.ts';
import type { Buffers } from '../../remote/http/buffers.ts';
import type { ResponseMemory } from '../../remote/series-stream.ts';
import type { MemoryBudget } from './memory-budget.ts';

/** All bytes and memory are given back together, after a failure too. Data inside them must not be used after that. */
export class Reservation implements ResponseMemory {
  readonly #budget: MemoryBudget;
  readonly #buffers: Buffers;
  /** Each with the bytes reserved for it. */
  readonly #held = new Map<Uint8Array, number>();
  #bytes = 0;

  constructor(budget: MemoryBudget, buffers: Buffers) {
    this.#budget = budget;
    this.#buffers = buffers;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Waits until enough memory has been given back. @throws DoesNotFit when the whole budget is too small */
  grow(bytes: number, signal: AbortSignal): Promise<void> {
    return this.#reserve(bytes, signal, 'held');
  }

  async #reserve(bytes: number, signal: AbortSignal, kind: 'held' | 'promised'): Promise<void> {
    if (this.#bytes + bytes > this.#budget.total) {
      throw new DoesNotFit(`needs more than the ${this.#budget.total} bytes of limits.memory that reading may use`);
    }
    await this.#budget.reserve(bytes, signal, kind);
    this.#bytes += bytes;
  }

  /** Gives back bytes that `grow` reserved. */
  shrink(bytes: number): void {
    this.#budget.release(bytes);
    this.#bytes -= bytes;
  }

  /** Keeps a block of a response for the lifetime of the reservation. If it does not fit, the block is given back. */
  async keep(block: Uint8Array, signal: AbortSignal): Promise<void> {
    try {
      await this.grow(block.length, signal);
    } catch (error) {
      this.#buffers.give(block);
      throw error;
    }
    this.#held.set(block, block.length);
  }

  /** Memory of at least `bytes`, for the lifetime of the reservation. */
  async borrow(bytes: number, signal: AbortSignal): Promise<Uint8Array> {
    // Otherwise the pool would free the memory that is about to be taken from it.
    await this.#reserve(bytes, signal, 'promised');
    const memory = this.#buffers.take(bytes);
    this.#budget.taken(bytes);
    this.#held.set(memory, bytes);
    // Sizes are rounded up. The additional bytes are already allocated and must not make a window fail.
    const more = Math.min(memory.length - bytes, this.#budget.total - this.#bytes);
    await this.grow(Math.max(0, more), signal);
    this.#held.set(memory, bytes + Math.max(0, more));
    return memory;
  }

  /** Gives back some of the memory early. */
  discard(memories: Iterable<Uint8Array>): void {
    for (const memory of memories) {
      const bytes = this.#held.get(memory);
      if (bytes === undefined) continue;
      this.#held.delete(memory);
      // In this order, so that the budget has room for the free memory.
      this.shrink(bytes);
      this.#buffers.give(memory);
    }
  }

  /**
   * A second reservation that takes over some of the memory, and `bytes` that `grow` has reserved. Both together have as much as before, so
   * nothing waits.
   */
  split(memories: Iterable<Uint8Array>, bytes: number): Reservation {
    const other = new Reservation(this.#budget, this.#buffers);
    let moved = bytes;
    for (const memory of memories) {
      const held = this.#held.get(memory);
      if (held === undefined) throw new RangeError('the memory does not belong to this reservation');
      this.#held.delete(memory);
      other.#held.set(memory, held);
      moved += held;
    }
    this.#bytes -= moved;
    other.#bytes += moved;
    return other;
  }

  release(): void {
    this.discard([...this.#held.keys()]);
    this.shrink(this.#bytes);
  }
}
