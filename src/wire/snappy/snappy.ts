// The snappy block format (not the framed one), which every remote_read and remote_write body is in. snappyjs compresses what is small or
// rare (the rest is write-batch.ts's). Decompression is ours: an answer of SAMPLES goes through it, and given hostile bytes snappyjs would
// loop for ever on a literal of 2^31 bytes, take a copy from before the start as zeros, and hand out a buffer of the declared length however
// little was written into it.

import snappyjs from 'snappyjs';
import { WireError } from '../errors.ts';

const MAX_DECLARED_BYTES = 2 ** 32 - 1;
/** No element stands for more than 64 bytes in three. */
const MOST_EXPANSION = 22;
const WORD = 4;
/** Room to write whole words at the end. */
const OVERHANG = WORD - 1;
/** From here on a call of `set` costs less than a loop. */
const LONG = 64;

/** The bytes as one snappy block, in memory of its own. */
export function compress(bytes: Uint8Array): Uint8Array {
  return snappyjs.compress(plain(bytes));
}

/** Memory of at least that many bytes, whatever is in it. */
export type Allocate = (bytes: number) => Uint8Array;

/**
 * The content of one snappy block, in memory of its own or what `allocate` gives. Throws WireError 'too-large' when the block declares more than
 * `maxBytes`, before anything is allocated; 'truncated' and 'corrupt' when its elements do not give exactly what it declares.
 */
export function decompress(
  bytes: Uint8Array,
  maxBytes: number,
  allocate: Allocate = (size) => new Uint8Array(size),
): Uint8Array {
  const declared = declaredLength(bytes);
  if (declared > maxBytes) {
    throw new WireError('too-large', `a snappy block declares ${declared} bytes, the limit is ${maxBytes}`);
  }
  if (declared > bytes.length * MOST_EXPANSION) {
    throw new WireError(
      'truncated',
      `a snappy block of ${bytes.length} bytes cannot hold the ${declared} that it declares`,
    );
  }
  const content = allocate(declared + OVERHANG);
  expand(bytes, content, declared);
  return content.subarray(0, declared);
}

/**
 * How many bytes a snappy block declares to hold. Throws WireError 'truncated' when the bytes end inside the number and
 * 'corrupt' when it is over 2^32 − 1.
 */
export function declaredLength(bytes: Uint8Array): number {
  let length = 0;
  let scale = 1;
  for (let index = 0; index < 5; index++) {
    const byte = bytes[index];
    if (byte === undefined) throw new WireError('truncated', 'a snappy block ends inside its length');
    length += (byte & 0x7f) * scale;
    scale *= 0x80;
    if (byte < 0x80) {
      if (length > MAX_DECLARED_BYTES) break;
      return length;
    }
  }
  throw new WireError('corrupt', 'a snappy block declares more than 2^32 - 1 bytes');
}

/** Writes out the elements: they must stay inside the input, copy from what is there, and fill what is declared. */
function expand(bytes: Uint8Array, content: Uint8Array, declared: number): void {
  const input = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const output = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const end = bytes.length;
  let at = 0;
  while ((bytes[at] as number) >= 0x80) at++;
  at++;
  let written = 0;
  while (at < end) {
    const tag = bytes[at++] as number;
    const kind = tag & 3;
    let length = (tag >>> 2) + 1;
    if (kind === 0) {
      if (length > 60) {
        const lengthBytes = length - 60;
        if (at + lengthBytes > end) throw endsInside();
        length = littleEndian(bytes, at, lengthBytes) + 1;
        at += lengthBytes;
      }
      if (length > end - at) throw endsInside();
      if (length > declared - written) throw moreThan(declared);
      const literalEnd = at + length;
      if (length > LONG) {
        content.set(bytes.subarray(at, literalEnd), written);
        written += length;
        at = literalEnd;
      } else {
        const contentEnd = written + length;
        // In words: what is written beyond the end is overwritten by what comes next.
        if (literalEnd + WORD <= end) {
          for (; at < literalEnd; at += WORD, written += WORD) output.setInt32(written, input.getInt32(at));
        } else {
          while (at < literalEnd) content[written++] = bytes[at++] as number;
        }
        at = literalEnd;
        written = contentEnd;
      }
      continue;
    }
    let offset: number;
    if (kind === 1) {
      if (at >= end) throw endsInside();
      length = ((tag >>> 2) & 7) + 4;
      offset = ((tag >>> 5) << 8) | (bytes[at++] as number);
    } else {
      const offsetBytes = kind === 2 ? 2 : 4;
      if (at + offsetBytes > end) throw endsInside();
      offset = littleEndian(bytes, at, offsetBytes);
      at += offsetBytes;
    }
    if (offset === 0 || offset > written) {
      throw new WireError('corrupt', `a snappy block copies from ${offset} bytes back after ${written} bytes`);
    }
    if (length > declared - written) throw moreThan(declared);
    let from = written - offset;
    const copyEnd = written + length;
    if (offset >= WORD) {
      for (; written < copyEnd; written += WORD, from += WORD) output.setInt32(written, output.getInt32(from));
      written = copyEnd;
    } else {
      // It repeats what it has just written.
      while (written < copyEnd) content[written++] = content[from++] as number;
    }
  }
  if (written < declared) {
    throw new WireError('truncated', `a snappy block holds ${written} of the ${declared} bytes it declares`);
  }
}

function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let index = count - 1; index >= 0; index--) value = value * 0x100 + (bytes[at + index] as number);
  return value;
}

function moreThan(declared: number): WireError {
  return new WireError('corrupt', `a snappy block holds more than the ${declared} bytes it declares`);
}

function endsInside(): WireError {
  return new WireError('truncated', 'a snappy block ends inside an element');
}

/** snappyjs answers a Buffer with a Buffer, whose `slice` is a view of the larger allocation; a Uint8Array it copies to size. */
function plain(bytes: Uint8Array): Uint8Array {
  return Buffer.isBuffer(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : bytes;
}
