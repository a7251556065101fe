// The memory for one part of a response at a time: a line, a series, a message. What the largest part needed stays reserved, so that most parts need
// no wait.

export interface PieceMemory {
  /** Reserves memory before it is used; throws when there is not enough. */
  readonly grow: (bytes: number) => Promise<void>;
  /** Gives back what `grow` reserved. */
  readonly shrink: (bytes: number) => void;
}

const STEP_BYTES = 64 * 1024;

export class PartMemory {
  readonly #memory: PieceMemory | undefined;
  #reservedBytes = 0;

  constructor(memory: PieceMemory | undefined) {
    this.#memory = memory;
  }

  /** Reserves as much for the current part. @returns undefined if it is reserved already */
  reserve(bytes: number): Promise<void> | undefined {
    if (this.#memory === undefined || bytes <= this.#reservedBytes) return undefined;
    const rounded = Math.ceil(bytes / STEP_BYTES) * STEP_BYTES;
    return this.#grow(this.#memory, rounded - this.#reservedBytes);
  }

  /** After the last part. */
  release(): void {
    if (this.#reservedBytes > 0) this.#memory?.shrink(this.#reservedBytes);
    this.#reservedBytes = 0;
  }

  async #grow(memory: PieceMemory, bytes: number): Promise<void> {
    await memory.grow(bytes);
    this.#reservedBytes += bytes;
  }
}
