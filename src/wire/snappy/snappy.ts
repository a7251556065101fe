// The snappy block format (not the framed one), which every remote_read and remote_write body uses. snappyjs compresses bodies that are
// small or rare (write-batch.ts builds the others). Decompression is our own: SAMPLES responses go through it, and snappyjs fails on
// malicious bytes. It loops forever on a literal of 2^31 bytes, reads a copy from before the start as zeros, and returns a buffer of the
// declared length even if less was written into it.

import snappyjs from 'snappyjs';
import { WireError } from '../errors.ts';
import { KERNEL } from '../kernel/kernel.ts';
import { readLength, SnappyReader } from './snappy-reader.ts';

/** An element of three bytes expands to at most 64 bytes. */
const MAX_EXPANSION = 22;

/** The bytes as one snappy block, in memory of its own. */
export function compress(bytes: Uint8Array): Uint8Array {
  return snappyjs.compress(plain(bytes));
}

/**
 * The content of one snappy block, in memory of its own. Throws WireError 'too-large' if the block declares more than `maxBytes`, before
 * anything is allocated; 'truncated' and 'corrupt' if its elements do not produce exactly the declared length.
 */
export function decompress(bytes: Uint8Array, maxBytes: number, kernel = KERNEL): Uint8Array {
  const declared = declaredLength(bytes);
  if (declared > maxBytes) {
    throw new WireError('too-large', `a snappy block declares ${declared} bytes, the limit is ${maxBytes}`);
  }
  checkExpansion(declared, bytes.length);
  const reader = new SnappyReader(kernel);
  reader.push(bytes);
  reader.provide(new Uint8Array(reader.wantedBytes));
  return reader.end();
}

/**
 * The number of bytes that a snappy block declares. Throws WireError 'truncated' if the bytes end inside the number and 'corrupt' if it is
 * over 2^32 − 1.
 */
export function declaredLength(bytes: Uint8Array): number {
  const declared = readLength(bytes, bytes.length);
  if (declared === undefined) throw new WireError('truncated', 'a snappy block ends inside its length');
  return declared.length;
}

/** Whether a block of this size can hold the declared bytes at the best possible compression. */
export function canHold(blockBytes: number, declared: number): boolean {
  return declared <= blockBytes * MAX_EXPANSION;
}

/** Throws WireError 'truncated' if a block of this size cannot hold the declared bytes. */
export function checkExpansion(declared: number, blockBytes: number): void {
  if (canHold(blockBytes, declared)) return;
  throw new WireError(
    'truncated',
    `a snappy block of ${blockBytes} bytes cannot hold the ${declared} that it declares`,
  );
}

/** snappyjs returns a Buffer for a Buffer, whose `slice` is a view of the larger allocation. A Uint8Array it copies to size. */
function plain(bytes: Uint8Array): Uint8Array {
  return Buffer.isBuffer(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : bytes;
}
