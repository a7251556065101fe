// Watches the kernel's memory: which bytes a call may change, and that no other has changed.

import assert from 'node:assert/strict';
import type { Kernel } from '../../../src/wire/kernel/kernel.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';

const GUARD = 0xa5;
const GUARD_BYTES = 256;
/** Comparing all of the memory takes longer than the call that is watched. */
const CALLS_BETWEEN_FULL_CHECKS = 10_000;

interface Region {
  readonly start: number;
  readonly end: number;
}

/** Small columns in the middle of the kernel's, with guards around them. */
export function guardedColumns(kernel: Kernel, capacity: number): { columns: SampleColumns; regions: Region[] } {
  const { COLUMNS, COLUMNS_SAMPLES } = kernel.layout;
  const times = COLUMNS + GUARD_BYTES;
  const bits = COLUMNS + COLUMNS_SAMPLES * 8 + GUARD_BYTES;
  const regions = [times, bits].map((start) => ({ start, end: start + capacity * 8 }));
  const { buffer } = kernel.bytes;
  const columns = new SampleColumns(capacity, {
    floatTimesMs: new Float64Array(buffer, times, capacity),
    floatBits: new Uint32Array(buffer, bits, capacity * 2),
  });
  return { columns, regions };
}

export class MemoryWatch {
  readonly #kernel: Kernel;
  readonly #regions: readonly Region[];
  readonly #before: Buffer;
  #calls = 0;

  /** @param regions what calls may change, beside the kernel's input and its results */
  constructor(kernel: Kernel, regions: readonly Region[]) {
    const { INPUT, INPUT_BYTES, RESULT } = kernel.layout;
    this.#kernel = kernel;
    this.#regions = [...regions, { start: INPUT, end: INPUT + INPUT_BYTES }, { start: RESULT, end: RESULT + 64 }];
    for (const { start, end } of this.#regions) {
      kernel.bytes.fill(GUARD, end, end + GUARD_BYTES);
      if (start !== RESULT && start !== INPUT) kernel.bytes.fill(GUARD, start - GUARD_BYTES, start);
    }
    this.#before = Buffer.from(kernel.bytes);
  }

  check(): void {
    for (const { start, end } of this.#regions) {
      this.#same(start - GUARD_BYTES, start);
      this.#same(end, end + GUARD_BYTES);
    }
    if (++this.#calls % CALLS_BETWEEN_FULL_CHECKS === 0) this.checkAll();
  }

  checkAll(): void {
    let at = 0;
    for (const { start, end } of this.#regions.toSorted((a, b) => a.start - b.start)) {
      this.#same(at, start);
      at = end;
    }
    this.#same(at, this.#kernel.bytes.length);
  }

  #same(start: number, end: number): void {
    const now = this.#kernel.bytes;
    if (this.#before.compare(now, start, end, start, end) === 0) return;
    const changed = this.#before.subarray(start, end).findIndex((byte, i) => byte !== now[start + i]);
    assert.fail(`the kernel changed byte ${start + changed}`);
  }
}
