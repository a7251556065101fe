// Walks the frames of a streamed remote_read response that a FrameCollector has verified.

import { CHECKSUM_BYTES } from './frames.ts';

/**
 * A pull cursor over collected frames: after `next()`, the frame's payload is `segment[start, end)`. It does not verify the frames again.
 */
export class FrameCursor {
  readonly #segments: readonly Uint8Array[];
  #next = 0;
  segment: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;

  constructor(segments: readonly Uint8Array[]) {
    this.#segments = segments;
  }

  /** Of `segment`. */
  get index(): number {
    return this.#next - 1;
  }

  /** Moves to the next frame; false after the last one. */
  next(): boolean {
    while (this.end >= this.segment.length) {
      const segment = this.#segments[this.#next];
      if (segment === undefined) return false;
      this.#next++;
      this.segment = segment;
      this.end = 0;
    }
    const header = this.end;
    let length = 0;
    let scale = 1;
    let at = header;
    let byte: number;
    do {
      byte = this.segment[at++] as number;
      length += (byte & 0x7f) * scale;
      scale *= 0x80;
    } while (byte >= 0x80);
    this.start = at + CHECKSUM_BYTES;
    this.end = this.start + length;
    return true;
  }
}
