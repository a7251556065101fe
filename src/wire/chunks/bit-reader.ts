// Reads the bits of one chunk, most significant bit first, as in Prometheus' chunk encodings. A 64-bit value comes as two 32-bit halves, so
// that no bit of a NaN or of a large count passes through a double.

import { WireError } from '../errors.ts';

// The timestamp and value codes of one sample take at most 150 bits. With this padding after the data, a decoder reads first and compares
// with the end once per sample.
const PADDING_BYTES = 32;
// Prometheus cuts a chunk at about one kilobyte, or at ten samples if these take more. This limit is far above that. It keeps bit positions
// in the range of cheap integers, and any chunk below it decodes within a second or two.
const MAX_CHUNK_BYTES = 4 * 1024 * 1024;

const VARBIT_SIZES: readonly number[] = [0, 3, 6, 9, 12, 18, 25, 56, 64];

/** The 32 bits that begin at bit `position`, as a signed integer. The first bit is the sign. */
export function peek32(view: DataView, position: number): number {
  const index = position >>> 3;
  const shift = position & 7;
  return (view.getInt32(index) << shift) | (view.getUint8(index + 4) >>> (8 - shift));
}

export function truncated(what: string): WireError {
  return new WireError('truncated', `chunk of encoding ${what} ends inside a sample`);
}

/**
 * A reader of the bytes of one chunk, reused for each chunk. It reads the bytes in place, or from a zero-padded copy if too few bytes
 * follow them. Reads may pass the end of the chunk: `check()` reports it.
 */
export class BitReader {
  /** The bytes that hold the chunk. Valid until the next `load`. */
  view: DataView = new DataView(new ArrayBuffer(4096));
  /** The next bit to read, counted from the first bit of the view. */
  position = 0;
  /** Where the chunk's bits end. */
  end = 0;
  /** The last 64-bit value read, as signed 32-bit halves. */
  high = 0;
  low = 0;

  #chunk: Uint8Array = new Uint8Array(0);
  #start = 0;
  #chunkEnd = 0;
  #base = 0;
  #copy: Uint8Array = new Uint8Array(this.view.buffer);
  #copyView: DataView = this.view;
  #bytes: Uint8Array | undefined;
  #bytesView: DataView = this.view;
  #name = '';

  /** Sets the chunk to `bytes[start, end)`. */
  pointAt(bytes: Uint8Array, start: number, end: number): void {
    this.#chunk = bytes;
    this.#start = start;
    this.#chunkEnd = end;
  }

  /** Starts to read the chunk at its byte `offset`. At most `limitBytes` of it are needed. `name` is for error texts. */
  load(name: string, offset: number, limitBytes: number): void {
    const bytes = this.#chunk;
    const start = this.#start;
    const chunkBytes = this.#chunkEnd - start;
    if (chunkBytes < offset) throw new WireError('truncated', `chunk of encoding ${name} has only ${chunkBytes} bytes`);
    const lengthBytes = Math.min(chunkBytes, limitBytes);
    if (lengthBytes > MAX_CHUNK_BYTES) {
      throw new WireError('corrupt', `chunk of ${chunkBytes} bytes is longer than a chunk can be`);
    }
    if (start + lengthBytes + PADDING_BYTES <= bytes.length) {
      if (this.#bytes !== bytes) {
        this.#bytes = bytes;
        this.#bytesView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      }
      this.view = this.#bytesView;
      this.#base = start;
    } else {
      this.#copyPadded(bytes, start, lengthBytes);
    }
    this.#name = name;
    this.position = (this.#base + offset) * 8;
    this.end = (this.#base + lengthBytes) * 8;
  }

  #copyPadded(bytes: Uint8Array, start: number, lengthBytes: number): void {
    if (lengthBytes + PADDING_BYTES > this.#copy.length) {
      this.#copy = new Uint8Array(lengthBytes + PADDING_BYTES);
      this.#copyView = new DataView(this.#copy.buffer);
    }
    this.#copy.set(bytes.subarray(start, start + lengthBytes));
    this.#copy.fill(0, lengthBytes, lengthBytes + PADDING_BYTES);
    this.view = this.#copyView;
    this.#base = 0;
  }

  /** The byte `index` of the chunk's header. */
  byteAt(index: number): number {
    return this.view.getUint8(this.#base + index);
  }

  /** Throws if a read passed the end of the chunk. */
  check(): void {
    if (this.position > this.end) throw truncated(this.#name);
  }

  /** Throws unless `bits` more bits are left. For the minimum that a declared count needs. */
  require(bits: number, what: string): void {
    if (bits > this.end - this.position) {
      throw new WireError('truncated', `chunk of encoding ${this.#name} is too short for its ${what}`);
    }
  }

  /** Reads the next `size` (0 to 32) bits as an unsigned integer. */
  bits(size: number): number {
    if (size === 0) return 0;
    const value = peek32(this.view, this.position) >>> (32 - size);
    this.position += size;
    this.check();
    return value;
  }

  /** Reads `size` (0 to 64) bits, right-aligned, into `high` and `low`. */
  bits64(size: number): void {
    this.high = size > 32 ? this.bits(size - 32) | 0 : 0;
    this.low = this.bits(Math.min(size, 32)) | 0;
  }

  /** Reads a varint of up to ten bytes into `high` and `low`. */
  uvarint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.bits(8);
      const group = byte & 0x7f;
      if (shift < 28) low |= group << shift;
      else if (shift === 28) {
        low |= group << 28;
        high = group >>> 4;
      } else high |= shift < 63 ? group << (shift - 32) : (group & 1) << 31;
      if (byte < 0x80) {
        if (shift === 63 && byte > 1) break;
        this.low = low;
        this.high = high;
        return;
      }
    }
    throw new WireError('corrupt', `chunk of encoding ${this.#name} has a varint longer than 64 bits`);
  }

  /** Reads a zigzag varint into `high` and `low`. */
  varint(): void {
    this.uvarint();
    const sign = -(this.low & 1);
    this.low = ((this.low >>> 1) | (this.high << 31)) ^ sign;
    this.high = (this.high >>> 1) ^ sign;
  }

  /** Reads an unsigned varbit integer (1 to 72 bits) into `high` and `low`. */
  varbitUint(): void {
    this.bits64(this.#varbitSize());
  }

  /** Reads a signed varbit integer (1 to 72 bits) into `high` and `low`. */
  varbitInt(): void {
    const size = this.#varbitSize();
    this.bits64(size);
    if (size === 0 || size === 64) return;
    // The encoder's ranges are asymmetric: exactly half of the range is positive, values above it are negative.
    if (size < 32) {
      if (this.low > 1 << (size - 1)) {
        this.low -= 1 << size;
        this.high = -1;
      }
    } else if (this.high > 0x800000 || (this.high === 0x800000 && this.low !== 0)) this.high |= 0xff000000;
  }

  /** `high` and `low` as a signed number: exact, or outside the safe integers. */
  signed(): number {
    return this.high * 0x1_0000_0000 + (this.low >>> 0);
  }

  /** `high` and `low` as an unsigned number: exact, or above the safe integers. */
  unsigned(): number {
    return (this.high >>> 0) * 0x1_0000_0000 + (this.low >>> 0);
  }

  #varbitSize(): number {
    const ones = Math.min(Math.clz32(~peek32(this.view, this.position)), 8);
    this.position += ones < 8 ? ones + 1 : 8;
    this.check();
    return VARBIT_SIZES[ones] as number;
  }
}

const MAX_TIME = Number.MAX_SAFE_INTEGER;

/** Returns `timeMs` (or the distance between two times), or throws if it is not a safe integer of milliseconds. */
export function safeTime(timeMs: number): number {
  if (timeMs > MAX_TIME || timeMs < -MAX_TIME) {
    throw new WireError('corrupt', `chunk holds a time outside ±2^53 milliseconds`);
  }
  return timeMs;
}

/**
 * Float values, each stored as the XOR with its predecessor: the bits that differ, inside a window that carries over from value to value.
 * Entry `i` of each array is the state of one value.
 */
export class XorValues {
  /** IEEE 754 bits: low half at 2i, high half at 2i + 1. */
  readonly bits: Int32Array;
  /** The window: the number of leading zero bits of the XOR, and the number of bits that follow. */
  readonly leading: Uint8Array;
  readonly significant: Uint8Array;

  constructor(length: number) {
    this.bits = new Int32Array(length * 2);
    this.leading = new Uint8Array(length);
    this.significant = new Uint8Array(length).fill(64);
  }

  /** Resets value `i` for another chunk. Its first read is `readRaw`. */
  restart(i: number): void {
    this.leading[i] = 0;
    // An encoder restored from a one-sample chunk starts with the full window and does not write it.
    this.significant[i] = 64;
  }

  /** Reads value `i` as its 64 bits. */
  readRaw(reader: BitReader, i: number): void {
    reader.bits64(64);
    this.bits[2 * i] = reader.low;
    this.bits[2 * i + 1] = reader.high;
  }

  /** Reads value `i` after its code: 0 unchanged, 10 same window, 11 new window. */
  readXor(reader: BitReader, i: number): void {
    if (reader.bits(1) === 0) return;
    if (reader.bits(1) === 1) this.readWindow(reader, i);
    this.readBits(reader, i);
  }

  readWindow(reader: BitReader, i: number): void {
    const leading = reader.bits(5);
    const significant = reader.bits(6) || 64;
    if (leading + significant > 64) throw impossibleWindow();
    this.leading[i] = leading;
    this.significant[i] = significant;
  }

  readBits(reader: BitReader, i: number): void {
    const significant = this.significant[i] as number;
    reader.bits64(significant);
    const trailing = 64 - (this.leading[i] as number) - significant;
    const { high, low } = reader;
    if (trailing >= 32) this.#flip(i, 0, low << (trailing - 32));
    else if (trailing === 0) this.#flip(i, low, high);
    else this.#flip(i, low << trailing, (high << trailing) | (low >>> (32 - trailing)));
  }

  #flip(i: number, low: number, high: number): void {
    this.bits[2 * i] = (this.bits[2 * i] as number) ^ low;
    this.bits[2 * i + 1] = (this.bits[2 * i + 1] as number) ^ high;
  }
}

export function impossibleWindow(): WireError {
  return new WireError('corrupt', 'chunk holds a value with more than 64 bits');
}
