// Gathers the body of a response into blocks as it arrives.
//
// Prometheus flushes after every frame of its stream, which is one series. Passed on as it is, each HTTP chunk would cost a turn of an async
// iterator, and a small object for as long as the response is held.

import type { Buffers } from './buffers.ts';
import type { BodyOptions } from './transport.ts';

const BLOCK_BYTES = 256 * 1024;
const FIRST_BLOCK_BYTES = 16 * 1024;

/** The number of whole blocks that wait for the consumer. Beyond it nothing is read from the socket. */
const MAX_WAITING = 2;

/** Stops and starts the flow of pieces. More pieces may come after `pause`. */
export interface Flow {
  pause(): void;
  resume(): void;
}

export class BodyBlocks {
  readonly #flow: Flow;
  readonly #buffers: Buffers;
  readonly #onPiece: (bytes: number) => void;
  readonly #waiting: Uint8Array[] = [];
  #block: Uint8Array = new Uint8Array(0);
  #used = 0;
  #received = 0;
  #ended = false;
  #failure: Error | undefined;
  #wake: () => void = () => undefined;

  constructor(flow: Flow, { buffers, onData }: BodyOptions) {
    this.#flow = flow;
    this.#buffers = buffers;
    this.#onPiece = onData;
  }

  /** Copies a piece. */
  push(piece: Uint8Array): void {
    this.#onPiece(piece.length);
    const first = this.#received === 0;
    this.#received += piece.length;
    if (first) {
      // Enough for a consumer that only checks whether there is any data.
      this.#waiting.push(new Uint8Array(piece));
      this.#wake();
      return;
    }
    for (let taken = 0; taken < piece.length; ) {
      if (this.#used === this.#block.length) this.#nextBlock();
      const room = this.#block.length - this.#used;
      const part = taken === 0 && piece.length <= room ? piece : piece.subarray(taken, taken + room);
      this.#block.set(part, this.#used);
      this.#used += part.length;
      taken += part.length;
    }
    if (this.#waiting.length === 0) return;
    if (this.#waiting.length >= MAX_WAITING) this.#flow.pause();
    this.#wake();
  }

  /** The end of the message has arrived. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** The message has no end. What has arrived in whole blocks is still yielded. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  async *blocks(): AsyncGenerator<Uint8Array, undefined> {
    try {
      for (;;) {
        const next = this.#waiting.shift();
        if (next !== undefined) {
          yield next;
          continue;
        }
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#ended) break;
        const more = new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#flow.resume();
        await more;
      }
      const last = this.#takeLast();
      if (last !== undefined) yield last;
    } finally {
      for (const unseen of [...this.#waiting, this.#block]) this.#buffers.give(unseen);
      this.#waiting.length = 0;
      this.#block = new Uint8Array(0);
      this.#used = 0;
    }
  }

  #nextBlock(): void {
    if (this.#used > 0) this.#waiting.push(this.#block);
    // As large as the bytes received so far: the small response of a quiet window must not cost a large block.
    this.#block =
      this.#received < BLOCK_BYTES
        ? new Uint8Array(Math.max(FIRST_BLOCK_BYTES, this.#received))
        : this.#buffers.take(BLOCK_BYTES);
    this.#used = 0;
  }

  #takeLast(): Uint8Array | undefined {
    // The small response of a quiet window, the usual case, must not pin a whole block.
    if (this.#used === 0) return undefined;
    const rest = this.#block;
    // If the consumer stops at the last block, only the blocks that it has not received are given back.
    this.#block = new Uint8Array(0);
    if (this.#used === rest.length) return rest;
    const last = rest.slice(0, this.#used);
    this.#buffers.give(rest);
    return last;
  }
}
