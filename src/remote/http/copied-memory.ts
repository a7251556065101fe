// Frees the memory that sockets are read into, as soon as all of it is copied. Node allocates 64 KiB for each read, and V8 collects these
// buffers only after tens of megabytes.

/** Smaller pieces are left to the garbage collector, which runs often enough when there are many of them. */
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
