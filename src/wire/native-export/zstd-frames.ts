// Decompresses many small zstd frames in one call: a call costs as much as the decompression of a hundred thousand bytes.

import { constants, zstdDecompressSync } from 'node:zlib';
import { WireError } from '../errors.ts';

const MAGIC = 0xfd2fb528;
const MAGIC_BYTES = 4;
/** Flags of the frame header's first byte. */
const SINGLE_SEGMENT = 0x20;
const DICTIONARY = 0x03;
const SIZE_SHIFT = 6;
const TWO_BYTE_OFFSET = 256;
/** A frame that needs a larger window than 8 MiB is not decompressed: the window is memory. */
const MAX_WINDOW_LOG = 23;

/** If the output is full, Node allocates as much once more to see whether anything follows. */
const SPARE_BYTES = 1;

/**
 * The size of the content, as the frame's header declares it.
 * @returns undefined if it declares none
 * @throws WireError if the bytes are not a frame
 */
export function declaredBytes(frame: Uint8Array): number | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length <= MAGIC_BYTES || view.getUint32(0, true) !== MAGIC) throw notZstd();
  const flags = frame[MAGIC_BYTES] as number;
  const isSingle = (flags & SINGLE_SEGMENT) !== 0;
  // VictoriaMetrics uses no dictionaries.
  if ((flags & DICTIONARY) !== 0) throw notZstd();
  const at = MAGIC_BYTES + 1 + (isSingle ? 0 : 1);
  const form = flags >> SIZE_SHIFT;
  if (form === 0 && !isSingle) return undefined;
  if (at + (1 << form) > frame.length) throw notZstd();
  if (form === 0) return view.getUint8(at);
  if (form === 1) return view.getUint16(at, true) + TWO_BYTE_OFFSET;
  if (form === 2) return view.getUint32(at, true);
  return Number(view.getBigUint64(at, true));
}

/**
 * @param frames one after the other
 * @param maxBytes of the content; memory for them is allocated
 * @throws WireError if the frames cannot be decompressed, or have more content
 */
export function decompressFrames(frames: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return zstdDecompressSync(frames, {
      chunkSize: Math.max(64, maxBytes + SPARE_BYTES),
      maxOutputLength: Math.max(1, maxBytes),
      params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG },
    });
  } catch (error) {
    throw new WireError('corrupt', 'a block cannot be decompressed', { cause: error });
  }
}

/** Frees the memory of a content that is not used any more. The garbage collector would let many of them wait. */
export function freeContent({ buffer, byteLength }: Uint8Array): void {
  // Node takes smaller memory from a pool.
  const isAlone = byteLength > Buffer.poolSize && buffer.byteLength <= byteLength + SPARE_BYTES;
  if (isAlone && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** Two frames with the contents `a` and `b`. */
const TWO_FRAMES = Buffer.from('28b52ffd200109000061'.repeat(2).replace(/61$/, '62'), 'hex');

/** Whether this Node decompresses several frames in one call: Node 20 has no zstd, and 22 and 24 stop after the first frame. */
export function decompressesFrames(decompress: typeof zstdDecompressSync | undefined = zstdDecompressSync): boolean {
  try {
    return decompress?.(TWO_FRAMES).toString() === 'ab';
  } catch {
    return false;
  }
}

function notZstd(): WireError {
  return new WireError('corrupt', 'a block does not have the compression that it declares');
}
