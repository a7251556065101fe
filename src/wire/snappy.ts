// The snappy block format (not the framed one), which every remote_read and remote_write body is in. snappyjs does the work;
// this file guards it: given hostile bytes it would loop for ever on a literal of 2^31 bytes, take a copy from before the start
// as zeros, and hand out a buffer of the declared length however little was written into it.

import snappyjs from 'snappyjs';
import { WireError } from './errors.ts';

const MAX_DECLARED_BYTES = 2 ** 32 - 1;

/** The bytes as one snappy block, in memory of its own. */
export function compress(bytes: Uint8Array): Uint8Array {
  return snappyjs.compress(plain(bytes));
}

/**
 * The content of one snappy block, in memory of its own. Throws WireError 'too-large' when the block declares more than
 * `maxBytes`, before anything is allocated; 'truncated' and 'corrupt' when its elements do not give exactly what it declares.
 */
export function decompress(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const declared = declaredLength(bytes);
  if (declared > maxBytes) {
    throw new WireError('too-large', `a snappy block declares ${declared} bytes, the limit is ${maxBytes}`);
  }
  checkElements(bytes, declared);
  try {
    return snappyjs.uncompress(plain(bytes));
  } catch (error) {
    // What is left: a literal of a few bytes with its length in a long form at the very end, which no compressor writes.
    throw new WireError('corrupt', 'a snappy block cannot be decompressed', { cause: error });
  }
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

/** Walks the elements without writing anything: they must stay inside the input, copy from what is there, and fill the output. */
function checkElements(bytes: Uint8Array, declared: number): void {
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
      at += length;
      if (at > end) throw endsInside();
    } else {
      const offsetBytes = kind === 3 ? 4 : kind;
      if (at + offsetBytes > end) throw endsInside();
      let offset = littleEndian(bytes, at, offsetBytes);
      if (kind === 1) {
        length = ((tag >>> 2) & 7) + 4;
        offset += (tag >>> 5) << 8;
      }
      at += offsetBytes;
      if (offset === 0 || offset > written) {
        throw new WireError('corrupt', `a snappy block copies from ${offset} bytes back after ${written} bytes`);
      }
    }
    written += length;
    if (written > declared)
      throw new WireError('corrupt', `a snappy block holds more than the ${declared} bytes it declares`);
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

function endsInside(): WireError {
  return new WireError('truncated', 'a snappy block ends inside an element');
}

/** snappyjs answers a Buffer with a Buffer, whose `slice` is a view of the larger allocation; a Uint8Array it copies to size. */
function plain(bytes: Uint8Array): Uint8Array {
  return Buffer.isBuffer(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : bytes;
}
