// What callers give to the kernel, and what they borrow of its memory.

import type { SampleColumns } from '../sample-columns.ts';

/** What the kernel appends to (src/wire/snappy/snappy-writer.ts). */
export interface ElementBlock {
  readonly bytes: Uint8Array;
  at: number;
  readonly contentBytes: number;
  reserve(more: number): void;
}

/** Columns that are given back when they are not used any more. */
export interface BorrowedColumns extends Disposable {
  readonly columns: SampleColumns;
}

/** Memory of RING_BYTES for the earlier series of a request, which is given back when the request is complete. */
export interface BorrowedRing extends Disposable {
  readonly buffer: ArrayBuffer;
  readonly address: number;
}

/** Columns that can be lent, one borrower at a time. Made once: a series borrows twice, and an object each time costs more than its comparison. */
export function lendable(all: readonly SampleColumns[]): BorrowedColumns[] {
  const free: BorrowedColumns[] = [];
  for (const columns of all) {
    const lent: BorrowedColumns = {
      columns,
      [Symbol.dispose]: () => {
        columns.clear();
        free.push(lent);
      },
    };
    free.push(lent);
  }
  return free;
}
