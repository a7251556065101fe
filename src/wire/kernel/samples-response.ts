// What the kernel does for a SAMPLES response: it expands the snappy block, and decodes the samples of a series.

import type { SampleColumns } from '../sample-columns.ts';
import type { Kernel } from './kernel.ts';
import { trapError } from './trap-error.ts';

/** How far the copies of most compressors reach back. */
const REACH_BYTES = 65_536;
const OVERHANG_BYTES = 64;

/**
 * Appends the samples with fromMs <= t < toMs of the fields `bytes[start, end)` of a series entry of a SAMPLES response.
 * @returns whether it did; otherwise the columns are unchanged, and the JavaScript path has to do it
 */
export function decodeSamples(
  kernel: Kernel,
  bytes: Uint8Array,
  start: number,
  end: number,
  fromMs: number,
  toMs: number,
  columns: SampleColumns,
): boolean {
  const { floatTimesMs: times, floatBits: bits, floats } = columns;
  const { INPUT, INPUT_BYTES } = kernel.layout;
  if (times.buffer !== kernel.bytes.buffer || end - start > INPUT_BYTES) return false;
  kernel.bytes.set(bytes.subarray(start, end), INPUT);
  const inputEnd = INPUT + end - start;
  const { byteOffset, length } = times;
  let decoded: number;
  try {
    decoded = kernel.exports.decodeSamples(INPUT, inputEnd, fromMs, toMs, byteOffset, bits.byteOffset, floats, length);
  } catch (error) {
    throw trapError(error);
  }
  if (decoded < 0) return false;
  if (kernel.results[0] === 1 && columns.ascendingFloats === floats) columns.ascendingFloats = decoded;
  columns.floats = decoded;
  return true;
}

/**
 * Expands elements of a snappy block from `block[at]` on. Their content follows the first `written` bytes of `content`, which ends at `end`.
 * @returns how many bytes of the block were taken, and of the content added. None: the next element is incomplete, wrong, or one that only
 *   the JavaScript path knows
 */
export function expandElements(
  kernel: Kernel,
  block: Uint8Array,
  at: number,
  content: Uint8Array,
  written: number,
  end: number,
): { readonly taken: number; readonly added: number } {
  const { INPUT, INPUT_BYTES, OUTPUT, OUTPUT_BYTES } = kernel.layout;
  const piece = block.subarray(at, at + OUTPUT_BYTES);
  const before = Math.min(written, REACH_BYTES);
  const most = Math.min(INPUT_BYTES - OVERHANG_BYTES - before, end - written);
  kernel.bytes.set(piece, OUTPUT);
  kernel.bytes.set(content.subarray(written - before, written), INPUT);
  let added: number;
  try {
    added = kernel.exports.expandElements(piece.length, before, most);
  } catch (error) {
    throw trapError(error);
  }
  content.set(kernel.bytes.subarray(INPUT + before, INPUT + before + added), written);
  return { taken: kernel.results[0] as number, added };
}
