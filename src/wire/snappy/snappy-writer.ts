// A snappy block in the making, for content whose repetitions the caller knows: it says what is new and what stood there before, and no
// compressor has to look for it. Used by write-batch.ts. https://github.com/google/snappy/blob/main/format_description.txt

/** The content's length stands first, as a varint of at most five bytes. */
const HEAD_BYTES = 5;
const LONGEST_SHORT_LITERAL = 60;
const LONGEST_COPY = 64;
/** A copy of this length and distance takes two bytes, any other three. */
const LONGEST_NEAR_COPY = 11;
const NEAR_BYTES = 2048;

/** Copies reach back less than this. */
export const REACH_BYTES = 65_536;

/** A full request of 1 MiB in the least compressible form, doubled once. */
const MAX_KEPT_BYTES = 2 * 1024 * 1024 + 64;

const HASH_BITS = 12;
const SHORTEST_MATCH = 4;

export class SnappyWriter {
  /** The elements so far: `bytes[HEAD_BYTES, at)`. Whoever writes into it directly keeps `at` and `contentBytes` right. */
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView;
  at = HEAD_BYTES;
  /** How many bytes the block stands for so far. */
  contentBytes = 0;
  readonly #capacityBytes: number;
  readonly #matches = new Int32Array(1 << HASH_BITS);

  /** `capacityBytes` is where the memory starts; it grows. */
  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
    this.bytes = new Uint8Array(HEAD_BYTES + capacityBytes);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Keeps the memory, unless it has grown beyond what requests of ordinary series need. */
  clear(): void {
    if (this.bytes.length > MAX_KEPT_BYTES) this.#resize(HEAD_BYTES + this.#capacityBytes);
    this.at = HEAD_BYTES;
    this.contentBytes = 0;
  }

  /** Makes room for elements of that many bytes. */
  reserve(more: number): void {
    const needed = this.at + more;
    if (needed <= this.bytes.length) return;
    this.#resize(Math.max(needed, this.bytes.length * 2));
  }

  /** The memory before is free at once, and not when the garbage collector comes by. */
  #resize(bytes: number): void {
    this.bytes = new Uint8Array(this.bytes.buffer.transfer(bytes));
    this.view = new DataView(this.bytes.buffer);
  }

  /** The whole block: a view that is valid until the next change. */
  block(): Uint8Array {
    let start = HEAD_BYTES;
    let rest = this.contentBytes;
    // From its end, so that it stands right before the first element.
    const groups: number[] = [];
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) groups.push((rest % 0x80) | 0x80);
    groups.push(rest);
    while (groups.length > 0) this.bytes[--start] = groups.pop() as number;
    return this.bytes.subarray(start, this.at);
  }

  /** New bytes: `from[start, end)`. */
  literal(from: Uint8Array, start: number, end: number): void {
    if (end <= start) return;
    this.reserve(end - start + (end - start) / LONGEST_SHORT_LITERAL + 1);
    const { bytes } = this;
    let at = this.at;
    for (let done = start; done < end; ) {
      const length = Math.min(LONGEST_SHORT_LITERAL, end - done);
      bytes[at++] = (length - 1) << 2;
      // Too short for `set`, whose call costs more than the loop.
      for (const last = done + length; done < last; ) bytes[at++] = from[done++] as number;
    }
    this.at = at;
    this.contentBytes += end - start;
  }

  /** `length` bytes as they stand `distance` bytes before here; the two may overlap. `distance` is below REACH_BYTES. */
  copy(length: number, distance: number): void {
    this.reserve(3 * (length / LONGEST_COPY + 1));
    this.at = writeCopy(this.bytes, this.at, length, distance);
    this.contentBytes += length;
  }

  /** Bytes of which nothing is known: repetitions among themselves are looked for, as snappy's own compressor does. */
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
        // Ever longer steps where nothing repeats.
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

/** Writes a copy of `length` (from 1) bytes; returns the position behind it. The caller has made room. */
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
