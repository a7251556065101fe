// The kernel's linear memory, as kernel/layout.ts divides it.

import type { PackedHistograms } from '../packed-histograms.ts';
import { SampleColumns } from '../sample-columns.ts';

/** The addresses and sizes of kernel/layout.ts. */
export const LAYOUT_NAMES = [
  'BLOCK_COLUMNS',
  'BLOCK_COLUMNS_SAMPLES',
  'BLOCK_COLUMNS_SLOTS',
  'COLUMNS',
  'COLUMNS_SAMPLES',
  'COLUMNS_SLOTS',
  'HISTOGRAMS',
  'HISTOGRAMS_BYTES',
  'HISTOGRAMS_CAPACITY',
  'HISTOGRAM_MESSAGES_BYTES',
  'HISTOGRAM_STATE',
  'INPUT',
  'INPUT_BYTES',
  'OUTPUT',
  'OUTPUT_BYTES',
  'RESULT',
  'RINGS',
  'RING_BYTES',
  'RING_SLOTS',
] as const;
export type Layout = Record<(typeof LAYOUT_NAMES)[number], number>;

export function columnsIn(memory: ArrayBuffer, layout: Layout): SampleColumns[] {
  const { COLUMNS, COLUMNS_SAMPLES, COLUMNS_SLOTS } = layout;
  return Array.from({ length: COLUMNS_SLOTS }, (_, slot) => {
    const histograms = histogramsIn(memory, layout, slot);
    return new SampleColumns(COLUMNS_SAMPLES, { ...floatsIn(memory, COLUMNS, COLUMNS_SAMPLES, slot), histograms });
  });
}

export function blockColumnsIn(memory: ArrayBuffer, layout: Layout): SampleColumns[] {
  const { BLOCK_COLUMNS, BLOCK_COLUMNS_SAMPLES, BLOCK_COLUMNS_SLOTS } = layout;
  return Array.from({ length: BLOCK_COLUMNS_SLOTS }, (_, slot) => {
    return new SampleColumns(BLOCK_COLUMNS_SAMPLES, floatsIn(memory, BLOCK_COLUMNS, BLOCK_COLUMNS_SAMPLES, slot));
  });
}

function floatsIn(memory: ArrayBuffer, start: number, samples: number, slot: number) {
  const times = start + slot * samples * 16;
  return {
    floatTimesMs: new Float64Array(memory, times, samples),
    floatBits: new Uint32Array(memory, times + samples * 8, samples * 2),
  };
}

function histogramsIn(memory: ArrayBuffer, layout: Layout, slot: number): PackedHistograms {
  const { HISTOGRAMS, HISTOGRAMS_BYTES, HISTOGRAMS_CAPACITY, HISTOGRAM_MESSAGES_BYTES } = layout;
  const address = HISTOGRAMS + slot * HISTOGRAMS_BYTES;
  const ends = address + HISTOGRAMS_CAPACITY * 8;
  return {
    address,
    timesMs: new Float64Array(memory, address, HISTOGRAMS_CAPACITY),
    ends: new Uint32Array(memory, ends, HISTOGRAMS_CAPACITY),
    bytes: new Uint8Array(memory, ends + HISTOGRAMS_CAPACITY * 4, HISTOGRAM_MESSAGES_BYTES),
  };
}
