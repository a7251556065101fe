// The pool of memory for response bodies. A consumer that has finished with a block gives it back.

export interface Buffers {
  /** Memory of at least `bytes`. Its content is arbitrary. */
  take(bytes: number): Uint8Array<ArrayBuffer>;
  /** Takes back memory, also memory that was not taken from here. It must not be used afterwards. */
  give(memory: Uint8Array): void;
}
