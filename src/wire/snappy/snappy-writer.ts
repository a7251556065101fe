// Builds a snappy block for content whose repetitions the caller knows. The caller says which bytes are new and which repeat earlier ones,
// so no compressor has to search. https://github.com/google/snappy/blob/main/format_description.txt

/** The content's length comes first, as a varint of at most five bytes. */
const HEAD_BYTES = 5;
const LONGEST_SHORT_LITERAL = 60;
const LONGEST_COPY = 64;
/** A near copy of at most this length takes two bytes, any other copy three. */
const LONGEST_NEAR_COPY = 11;
const NEAR_BYTES = 2048;

/** The distance of a copy is below this. */
export const REACH_BYTES = 65_536;

/** A full request of 1 MiB in the least compressible form, doubled once. */
const MAX_KEPT_BYTES = 2 * 1024 * 1024 + 64;

const HASH_BITS = 12;
const SHORTEST_MATCH = 4;

export class SnappyWriter {
  /** The elements so far: `bytes[HEAD_BYTES, at)`. Code that writes into it directly must keep `at` and `contentBytes` correct. */
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView;
  at = HEAD_BYTES;
  /** The number of content bytes so far. */
  contentBytes = 0;
  readonly #capacityBytes: number;
  /** Where the longest block since the memory was allocated ended, as of the last `clear()`. */
  #touched = 0;
  readonly #matches = new Int32Array(1 << HASH_BITS);

  /** `capacityBytes` is the initial memory. It grows. */
  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
    this.bytes = new Uint8Array(HEAD_BYTES + capacityBytes);
    this.view = new DataView(this.bytes.buffer);
  }

  /** The bytes that have been written to. The system provides memory for the rest when it is needed. */
  get touchedBytes(): number {
    return Math.max(this.#touched, this.at);
  }

  /** Keeps the memory, unless it has grown beyond the needs of requests with ordinary series. */
  clear(): void {
    this.#touched = this.touchedBytes;
    this.at = HEAD_BYTES;
    if (this.bytes.length > MAX_KEPT_BYTES) this.#resize(HEAD_BYTES + this.#capacityBytes);
    this.contentBytes = 0;
  }

  /** Reserves space for `more` bytes of elements. */
  reserve(more: number): void {
    const needed = this.at + more;
    if (needed <= this.bytes.length) return;
    this.#resize(Math.max(needed, this.bytes.length * 2));
  }

  /** Keeps the block. `transfer` alone would also write zeros to all of the new memory; here it frees the old one immediately. */
  #resize(bytes: number): void {
    const old = this.bytes;
    this.bytes = new Uint8Array(bytes);
    this.bytes.set(old.subarray(0, this.at));
    this.view = new DataView(this.bytes.buffer);
    this.#touched = 0;
    old.buffer.transfer(0);
  }

  /** The whole block: a view that is valid until the next change. */
  block(): Uint8Array {
    let start = HEAD_BYTES;
    let rest = this.contentBytes;
    // Written backwards, so that it ends right before the first element.
    const groups: number[] = [];
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) groups.push((rest % 0x80) | 0x80);
    groups.push(rest);
    while (groups.length > 0) this.bytes[--start] = groups.pop() as number;
    return this.bytes.subarray(start, this.at);
  }

  /** Appends new bytes: `from[start, end)`. */
  literal(from: Uint8Array, start: number, end: number): void {
    if (end <= start) return;
    this.reserve(end - start + (end - start) / LONGEST_SHORT_LITERAL + 1);
    const { bytes } = this;
    let at = this.at;
    for (let done = start; done < end; ) {
      const length = Math.min(LONGEST_SHORT_LITERAL, end - done);
      bytes[at++] = (length - 1) << 2;
      // Too short for `set`: the call costs more than the loop.
      for (const last = done + length; done < last; ) bytes[at++] = from[done++] as number;
    }
    this.at = at;
    this.contentBytes += end - start;
  }

  /**
   * Appends a copy of the `length` bytes that begin `distance` bytes back. Source and target may overlap. `distance` is below REACH_BYTES.
   */
  copy(length: number, distance: number): void {
    this.reserve(3 * (length / LONGEST_COPY + 1));
    this.at = writeCopy(this.bytes, this.at, length, distance);
    this.contentBytes += length;
  }

  /** Appends bytes with unknown repetitions. Searches for repetitions among them, as snappy's own compressor does. */
  unknown(from: Uint8Array, start: number, end: number): void {
    for (let piece = start; piece < end; piece += REACH_BYTES - 1)
      this.#compress(from, piece, Math.min(end, piece + REACH_BYTES - 1));
  }

  #compress(from: Uint8Array, start: number, end: number): void {
    const matches = this.#matches.fill(-1);
    let literalStart = start;
    let at = start;
    while (at + SHORTEST_MATCH <= end) {
      const word = word32(from, at);
      const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - HASH_BITS);
      const candidate = matches[slot] as number;
      matches[slot] = at;
      if (candidate < 0 || word32(from, candidate) !== word) {
        // Take longer and longer steps while nothing repeats.
        at += 1 + ((at - literalStart) >>> 5);
        continue;
      }
      let length = SHORTEST_MATCH;
      while (at + length < end && from[at + length] === from[candidate + length]) length++;
      this.literal(from, literalStart, at);
      this.copy(length, at - candidate);
      at += length;
      literalStart = at;
    }
    this.literal(from, literalStart, end);
  }
}

/** Writes a copy of `length` (at least 1) bytes and returns the position after it. The caller has reserved the space. */
export function writeCopy(out: Uint8Array, start: number, length: number, distance: number): number {
  let at = start;
  let rest = length;
  for (; rest > LONGEST_COPY; rest -= LONGEST_COPY) {
    out[at] = ((LONGEST_COPY - 1) << 2) | 2;
    out[at + 1] = distance;
    out[at + 2] = distance >>> 8;
    at += 3;
  }
  if (rest >= SHORTEST_MATCH && rest <= LONGEST_NEAR_COPY && distance < NEAR_BYTES) {
    out[at] = ((distance >>> 8) << 5) | ((rest - SHORTEST_MATCH) << 2) | 1;
    out[at + 1] = distance;
    return at + 2;
  }
  out[at] = ((rest - 1) << 2) | 2;
  out[at + 1] = distance;
  out[at + 2] = distance >>> 8;
  return at + 3;
}

function word32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}
