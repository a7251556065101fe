// Where the memory for the bodies of responses comes from. remote/ takes blocks from here and hands them on; whoever has used one gives it back.

export interface Buffers {
  /** Memory of at least `bytes`, whatever is in it. */
  take(bytes: number): Uint8Array<ArrayBuffer>;
  /** Takes back memory of which nothing is used any more, also such as was not taken here. Nobody may look at it afterwards. */
  give(memory: Uint8Array): void;
}
