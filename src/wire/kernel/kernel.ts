// The kernel of this thread: one WebAssembly module (kernel/) with a linear memory of fixed size. It does the work of a block or of a series
// in one call. Every use has a path in JavaScript beside it, which is its oracle in the tests, takes what the kernel leaves, and finds out
// what is wrong with bytes that the kernel does not accept.

import type { PackedHistograms } from '../packed-histograms.ts';
import { SampleColumns } from '../sample-columns.ts';
import { readKernel } from './compiled-kernel.ts';
import { BlockKernel } from './block-kernel.ts';
import { type BorrowedColumns, type BorrowedRing, type ElementBlock, lendable } from './borrowed.ts';
import type { KernelExports } from './kernel-exports.ts';
import { columnsIn, type Layout, LAYOUT_NAMES } from './kernel-layout.ts';
import { trapError } from './trap-error.ts';

const MAX_FRAME_BYTES = 2 ** 31 - 1;
const SHORT_BYTES = 64;

export interface MeasuredSeries {
  readonly samples: number;
  readonly decodedBytes: number;
  /** As of SeriesCursor. */
  readonly usualHash: number;
}

export class Kernel {
  /** The memory, all of it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly layout: Layout;
  /** What reads a native export, and compares it. */
  readonly blocks: BlockKernel;
  /** For the files of this folder, as `results`. */
  readonly exports: KernelExports;
  readonly results: Int32Array;
  /** The same memory. */
  readonly #doubles: Float64Array;
  readonly #freeColumns: BorrowedColumns[];
  readonly #freeRings: number[];

  constructor(module: WebAssembly.Module) {
    const { exports } = new WebAssembly.Instance(module, { env: { abort } });
    this.exports = exports as unknown as KernelExports;
    const addresses = exports as Record<string, WebAssembly.Global>;
    this.layout = Object.fromEntries(LAYOUT_NAMES.map((name) => [name, addresses[name]?.value])) as Layout;
    const memory = this.exports.memory.buffer;
    this.bytes = new Uint8Array(memory);
    this.results = new Int32Array(memory, this.layout.RESULT, 16);
    this.#doubles = new Float64Array(memory, this.layout.RESULT, 8);
    this.#freeColumns = lendable(columnsIn(memory, this.layout));
    this.blocks = new BlockKernel(this.exports, this.layout, this.bytes);
    const { RINGS, RING_BYTES, RING_SLOTS } = this.layout;
    this.#freeRings = Array.from({ length: RING_SLOTS }, (_, slot) => RINGS + slot * RING_BYTES);
  }

  /** Columns in the kernel's memory; undefined if all are in use. */
  borrowColumns(): BorrowedColumns | undefined {
    return this.#freeColumns.pop();
  }

  /** Undefined if all are in use. */
  borrowRing(): BorrowedRing | undefined {
    const address = this.#freeRings.pop();
    if (address === undefined) return undefined;
    return { buffer: this.bytes.buffer, address, [Symbol.dispose]: () => this.#freeRings.push(address) };
  }

  /**
   * Appends the elements of the float samples [from, to), which ascend and whose times take six bytes, to a snappy block. `earlier` is in the
   * kernel's memory.
   * @returns whether it did; otherwise nothing is changed
   */
  encodeFloats(
    earlier: { readonly bits: Uint32Array; readonly address: number },
    columns: SampleColumns,
    from: number,
    to: number,
    block: ElementBlock,
  ): boolean {
    const { floatTimesMs: times, floatBits: bits } = columns;
    const { buffer } = this.bytes;
    if (times.buffer !== buffer || earlier.bits.buffer !== buffer) return false;
    let bytes: number;
    try {
      bytes = this.exports.encodeFloats(
        earlier.address,
        block.contentBytes,
        times.byteOffset,
        bits.byteOffset,
        from,
        to,
      );
    } catch (error) {
      throw trapError(error);
    }
    if (bytes < 0) return false;
    this.#appendOutput(bytes, block);
    return true;
  }

  /**
   * Appends the elements of the packed histograms [from, to), at least one, to a snappy block.
   * @returns whether it did; otherwise nothing is changed
   */
  encodeHistograms({ address }: PackedHistograms, from: number, to: number, block: ElementBlock): boolean {
    let bytes: number;
    try {
      bytes = this.exports.encodeHistograms(address, from, to);
    } catch (error) {
      throw trapError(error);
    }
    if (bytes < 0) return false;
    this.#appendOutput(bytes, block);
    return true;
  }

  #appendOutput(bytes: number, block: ElementBlock): void {
    const { OUTPUT } = this.layout;
    block.reserve(bytes);
    const { bytes: to, at } = block;
    block.at += bytes;
    if (bytes > SHORT_BYTES) {
      to.set(this.bytes.subarray(OUTPUT, OUTPUT + bytes), at);
      return;
    }
    // Too short for `set`: the call costs more than the loop.
    for (let i = 0; i < bytes; i++) to[at + i] = this.bytes[OUTPUT + i] as number;
  }

  /**
   * Measures the chunks `bytes[items, end)` of a series entry whose labels are `bytes[start, items)`: upper bounds of their samples, and of the bytes
   * that these take when decoded.
   * @returns undefined if JavaScript has to do it
   */
  measureSeries(bytes: Uint8Array, start: number, items: number, end: number): MeasuredSeries | undefined {
    const { INPUT, INPUT_BYTES } = this.layout;
    if (end - start > INPUT_BYTES) return undefined;
    this.bytes.set(bytes.subarray(start, end), INPUT);
    try {
      if (this.exports.measureSeries(INPUT, INPUT + items - start, INPUT + end - start) < 0) return undefined;
    } catch (error) {
      throw trapError(error);
    }
    const results = this.#doubles;
    return {
      samples: results[0] as number,
      decodedBytes: results[1] as number,
      usualHash: results[2] as number,
    };
  }

  /**
   * Appends the samples with fromMs <= t < toMs of the chunks `bytes[start, end)` of a series entry.
   * @returns whether it did; otherwise the columns are unchanged. The columns are not the kernel's or have too little room, or the bytes have
   *   something that only the JavaScript path knows
   */
  decodeChunks(
    bytes: Uint8Array,
    start: number,
    end: number,
    fromMs: number,
    toMs: number,
    columns: SampleColumns,
  ): boolean {
    const { floatTimesMs: times, floatBits: bits, floats, packedHistograms } = columns;
    const { INPUT, INPUT_BYTES } = this.layout;
    // Histograms that JavaScript has decoded are not packed.
    const histograms = columns.histogramCount === packedHistograms ? (columns.packed?.address ?? 0) : 0;
    if (times.buffer !== this.bytes.buffer || end - start > INPUT_BYTES) return false;
    this.bytes.set(bytes.subarray(start, end), INPUT);
    const from = Math.max(fromMs, -Number.MAX_SAFE_INTEGER);
    const to = Math.min(toMs, Number.MAX_SAFE_INTEGER + 1);
    let decoded: number;
    try {
      const inputEnd = INPUT + end - start;
      decoded = this.exports.decodeChunks(
        INPUT,
        inputEnd,
        from,
        to,
        times.byteOffset,
        bits.byteOffset,
        floats,
        times.length,
        histograms,
        packedHistograms,
      );
    } catch (error) {
      throw trapError(error);
    }
    if (decoded < 0) return false;
    if (this.results[2] !== 0 && histograms !== 0) {
      columns.packedHistograms = this.results[2] as number;
      columns.packedKinds |= this.results[3] as number;
    }
    if (this.results[0] === 1 && columns.ascendingFloats === floats) columns.ascendingFloats = decoded;
    if (this.results[1] === 1) columns.startTimestamps = true;
    columns.floats = decoded;
    return true;
  }

  /** The CRC-32C of `bytes[start, end)` as an unsigned 32-bit number. */
  crc32c(bytes: Uint8Array, start: number, end: number): number {
    const { INPUT, INPUT_BYTES } = this.layout;
    let crc = -1;
    for (let at = start; at < end; at += INPUT_BYTES) {
      const pieceEnd = Math.min(end, at + INPUT_BYTES);
      this.bytes.set(bytes.subarray(at, pieceEnd), INPUT);
      crc = this.exports.updateCrc(crc, INPUT, INPUT + pieceEnd - at);
    }
    return ~crc >>> 0;
  }

  /**
   * Finds the whole frames with a correct checksum at the beginning of `bytes[start, end)`.
   * @returns where they end. A frame begins there that is incomplete, longer than the limit, wrong, or too long for the kernel
   */
  verifyFrames(
    bytes: Uint8Array,
    start: number,
    maxFrameBytes: number,
  ): { readonly end: number; readonly frames: number } {
    const { INPUT, INPUT_BYTES } = this.layout;
    const most = Math.min(maxFrameBytes, MAX_FRAME_BYTES);
    let at = start;
    let frames = 0;
    while (at < bytes.length) {
      const pieceEnd = Math.min(bytes.length, at + INPUT_BYTES);
      this.bytes.set(bytes.subarray(at, pieceEnd), INPUT);
      try {
        at += this.exports.verifyFrames(INPUT, INPUT + pieceEnd - at, most) - INPUT;
      } catch (error) {
        throw trapError(error);
      }
      const found = this.results[0] as number;
      frames += found;
      // The rest of the piece is copied again, with what follows it.
      if (found === 0 || pieceEnd === bytes.length) break;
    }
    return { end: at, frames };
  }
}

function abort(): never {
  throw new WebAssembly.RuntimeError('abort');
}

export function openKernel(): Kernel {
  return new Kernel(new WebAssembly.Module(readKernel()));
}

/**
 * Every call is synchronous, so one kernel serves all of this thread. Null with `PROM_MIGRATOR_CODEC=js`: the JavaScript path does all of the
 * work.
 */
export const KERNEL: Kernel | null = process.env['PROM_MIGRATOR_CODEC'] === 'js' ? null : openKernel();

/** The memory of this thread's kernel. */
export const KERNEL_BYTES = KERNEL?.bytes.length ?? 0;

/** Columns for the work of some time. In the kernel's memory, where there is one with room: decoding is faster there. */
export function borrowColumns(): BorrowedColumns {
  return KERNEL?.borrowColumns() ?? { columns: new SampleColumns(), [Symbol.dispose]: () => undefined };
}
