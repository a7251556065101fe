// The memory that sockets are read into, freed as soon as all of it is copied. Node allocates 64 KiB for each read, and V8 looks for those that
// are no longer used only when tens of megabytes of them have come together.

/** Less is left to the garbage collector: it comes by often enough where there are many small pieces. */
const MIN_BYTES = 2048;

export class CopiedMemory {
  readonly #memories: ArrayBuffer[] = [];

  /** Takes note of bytes that will not be used any more once `free` is called. What is a part of larger memory has other users. */
  add({ buffer, byteLength }: Uint8Array): void {
    if (byteLength < MIN_BYTES || byteLength !== buffer.byteLength || !(buffer instanceof ArrayBuffer)) return;
    this.#memories.push(buffer);
  }

  /** Not from inside of the parser's callbacks: it is still reading there. */
  free(): void {
    // A piece that is all of what was read is noted twice.
    for (const memory of this.#memories) if (!memory.detached) memory.transfer(0);
    this.#memories.length = 0;
  }
}
