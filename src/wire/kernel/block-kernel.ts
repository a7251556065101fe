// The kernel's functions for blocks of a native export, and for their comparison with the source's floats.

import type { SampleColumns } from '../sample-columns.ts';
import { type BorrowedColumns, lendable } from './borrowed.ts';
import type { KernelExports } from './kernel-exports.ts';
import { blockColumnsIn, type Layout } from './kernel-layout.ts';
import { trapError } from './trap-error.ts';

/** A block is bytes[start, end). */
interface BlockBytes {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** The content of its compressed arrays, from `at` on: times, then values. */
interface BlockContent {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly timesBytes: number;
  readonly valuesBytes: number;
}

/** Room for the name of the label that has the metric's name. */
const METRIC_NAME_BYTES = 8;

export class BlockKernel {
  readonly #exports: Pick<KernelExports, 'decodeBlock' | 'countBlock' | 'compareFloats' | 'writeLabels'>;
  readonly #layout: Layout;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #results: Uint32Array;
  /** RESULT as a number. */
  readonly #doubles: Float64Array;
  readonly #freeColumns: BorrowedColumns[];

  /** @param bytes the kernel's memory */
  constructor(exports: KernelExports, layout: Layout, bytes: Uint8Array<ArrayBuffer>) {
    this.#exports = exports;
    this.#layout = layout;
    this.#bytes = bytes;
    this.#results = new Uint32Array(bytes.buffer, layout.RESULT, 1);
    this.#doubles = new Float64Array(bytes.buffer, layout.RESULT, 1);
    this.#freeColumns = lendable(blockColumnsIn(bytes.buffer, layout));
  }

  /** Columns in the kernel's memory with room for the floats of one block; undefined if all are in use. */
  borrowColumns(): BorrowedColumns | undefined {
    return this.#freeColumns.pop();
  }

  /**
   * @param content of the block's times, if they are compressed
   * @returns how many samples of a block have fromMs <= t < toMs; undefined if all columns are in use, or the block has something that only the
   *   JavaScript path knows
   */
  count(
    { bytes, start, end }: BlockBytes,
    content: BlockContent,
    { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  ): number | undefined {
    using borrowed = this.borrowColumns();
    const blockEnd = this.#put(bytes.subarray(start, end), content);
    if (borrowed === undefined || blockEnd === undefined) return undefined;
    const { floatTimesMs: times } = borrowed.columns;
    const { INPUT } = this.#layout;
    const { timesBytes } = content;
    let counted: number;
    try {
      counted = this.#exports.countBlock(
        INPUT,
        blockEnd,
        blockEnd,
        timesBytes,
        fromMs,
        toMs,
        times.byteOffset,
        times.length,
      );
    } catch (error) {
      throw trapError(error);
    }
    return counted < 0 ? undefined : counted;
  }

  /** Copies a block and its content to the input. @returns where the block ends; undefined if there is too little room */
  #put(block: Uint8Array, { bytes, at, timesBytes, valuesBytes }: BlockContent): number | undefined {
    const { INPUT, INPUT_BYTES } = this.#layout;
    const contentBytes = timesBytes + valuesBytes;
    const blockEnd = INPUT + block.length;
    if (blockEnd + contentBytes > INPUT + INPUT_BYTES) return undefined;
    this.#bytes.set(block, INPUT);
    if (contentBytes > 0) this.#bytes.set(bytes.subarray(at, at + contentBytes), blockEnd);
    return blockEnd;
  }

  /**
   * Appends the samples with fromMs <= t < toMs of a block.
   * @returns whether it did; otherwise the columns are unchanged. They are not the kernel's or have too little room, or the block has something that
   *   only the JavaScript path knows
   */
  decode(
    { bytes, start, end }: BlockBytes,
    content: BlockContent,
    { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
    columns: SampleColumns,
  ): boolean {
    const { floatTimesMs: times, floatBits: bits, floats } = columns;
    const { INPUT } = this.#layout;
    const { timesBytes, valuesBytes } = content;
    if (times.buffer !== this.#bytes.buffer) return false;
    const blockEnd = this.#put(bytes.subarray(start, end), content);
    if (blockEnd === undefined) return false;
    let decoded: number;
    try {
      decoded = this.#exports.decodeBlock(
        INPUT,
        blockEnd,
        blockEnd,
        timesBytes,
        valuesBytes,
        fromMs,
        toMs,
        times.byteOffset + 8 * floats,
        bits.byteOffset + 8 * floats,
        times.length - floats,
      );
    } catch (error) {
      throw trapError(error);
    }
    if (decoded < 0) return false;
    if (decoded > 0) columns.noteAppended(decoded, this.#results[0] === 1);
    return true;
  }

  /**
   * Writes the labels of a series, canonical, to the beginning of `out`.
   * @param name as VictoriaMetrics writes it
   * @returns how many bytes they have; −1 if JavaScript has to do it
   */
  labels(name: Uint8Array, out: Uint8Array): number {
    const { INPUT, INPUT_BYTES, OUTPUT } = this.#layout;
    const start = INPUT + METRIC_NAME_BYTES;
    if (name.length > INPUT_BYTES - METRIC_NAME_BYTES) return -1;
    this.#bytes.set(name, start);
    let bytes: number;
    try {
      bytes = this.#exports.writeLabels(start, start + name.length);
    } catch (error) {
      throw trapError(error);
    }
    if (bytes < 0 || bytes > out.length) return -1;
    out.set(this.#bytes.subarray(OUTPUT, OUTPUT + bytes));
    return bytes;
  }

  /** The hash of the labels that `labels` wrote last, as `hashLabels`. */
  get labelsHash(): number {
    return this.#doubles[0] as number;
  }

  /**
   * Compares floats in the order of time.
   * @param precision the relative difference that two values may have; NaN if they have to be the same bits
   * @returns how many values have other bits within the precision; undefined if more is different, or if the columns are not the kernel's
   */
  compareFloats(columns: SampleColumns, other: SampleColumns, precision: number): number | undefined {
    const { buffer } = this.#bytes;
    const { floats, floatTimesMs: times, floatBits: bits } = columns;
    const { floatTimesMs: otherTimes, floatBits: otherBits } = other;
    if (floats !== other.floats || times.buffer !== buffer || otherTimes.buffer !== buffer) return undefined;
    const changed = this.#exports.compareFloats(
      times.byteOffset,
      bits.byteOffset,
      otherTimes.byteOffset,
      otherBits.byteOffset,
      floats,
      precision,
    );
    return changed < 0 ? undefined : changed;
  }
}
