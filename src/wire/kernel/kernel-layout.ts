// The kernel's linear memory, as kernel/layout.ts divides it.

import type { PackedHistograms } from '../packed-histograms.ts';
import { SampleColumns } from '../sample-columns.ts';

/** The addresses and sizes of kernel/layout.ts. */
export const LAYOUT_NAMES = [
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
    const times = COLUMNS + slot * COLUMNS_SAMPLES * 16;
    return new SampleColumns(COLUMNS_SAMPLES, {
      floatTimesMs: new Float64Array(memory, times, COLUMNS_SAMPLES),
      floatBits: new Uint32Array(memory, times + COLUMNS_SAMPLES * 8, COLUMNS_SAMPLES * 2),
      histograms: histogramsIn(memory, layout, slot),
    });
  });
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
