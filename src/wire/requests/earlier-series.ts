// The series that are already in a request, within the reach of a snappy copy. Two series that were scraped together have the same
// timestamps, so the next series can copy those of an earlier one.

import type { SampleColumns } from '../sample-columns.ts';
import { REACH_BYTES } from '../snappy/snappy-writer.ts';

/** More samples than fit within reach. */
const RING_SAMPLES = 4096;
const STARTS = 256;
/** With fewer shared timestamps, a change of the way of writing does not pay off. */
const MIN_SHARED = 4;

export class EarlierSeries {
  readonly mask = RING_SAMPLES - 1;
  /** Ring of the value bits of the samples within reach, two entries per sample. */
  readonly bits = new Uint32Array(2 * RING_SAMPLES);
  /**
   * The result of `find`: the ring position of the series' first sample, and the distance in bytes between its samples and the new ones.
   */
  slot = 0;
  distance = 0;
  readonly #timesMs = new Float64Array(RING_SAMPLES);
  #next = 0;
  // The latest series for each start time: the position of its samples in the message and in the ring, and their number.
  readonly #firstMs = new Float64Array(STARTS).fill(Number.NaN);
  readonly #start = new Float64Array(STARTS);
  readonly #slot = new Int32Array(STARTS);
  readonly #samples = new Int32Array(STARTS);

  clear(): void {
    this.#firstMs.fill(Number.NaN);
  }

  /**
   * Searches for a series with the timestamps of the samples [from, to), which come next, at `start` of the message.
   * @returns how many of these timestamps, from the first on, the series has; 0 if there is no such series
   */
  find(start: number, timesMs: Float64Array, from: number, to: number): number {
    const firstMs = timesMs[from] as number;
    const entry = entryOf(firstMs);
    if (this.#firstMs[entry] !== firstMs) return 0;
    const distance = start - (this.#start[entry] as number);
    if (distance >= REACH_BYTES) return 0;
    const slot = this.#slot[entry] as number;
    const most = Math.min(to - from, this.#samples[entry] as number);
    let shared = 1;
    while (shared < most && this.#timesMs[(slot + shared) & this.mask] === timesMs[from + shared]) shared++;
    if (shared < Math.min(MIN_SHARED, to - from)) return 0;
    this.slot = slot;
    this.distance = distance;
    return shared;
  }

  /** Records the samples [from, to), all of one size, written at `start` of the message. */
  add(start: number, columns: SampleColumns, from: number, to: number): void {
    const samples = to - from;
    if (samples > RING_SAMPLES) return;
    const slot = this.#next;
    const head = Math.min(samples, RING_SAMPLES - slot);
    const { floatTimesMs, floatBits } = columns;
    this.#timesMs.set(floatTimesMs.subarray(from, from + head), slot);
    this.bits.set(floatBits.subarray(2 * from, 2 * (from + head)), 2 * slot);
    this.#timesMs.set(floatTimesMs.subarray(from + head, to), 0);
    this.bits.set(floatBits.subarray(2 * (from + head), 2 * to), 0);
    this.#next = (slot + samples) & this.mask;
    const entry = entryOf(floatTimesMs[from] as number);
    this.#firstMs[entry] = floatTimesMs[from] as number;
    this.#start[entry] = start;
    this.#slot[entry] = slot;
    this.#samples[entry] = samples;
  }
}

function entryOf(firstMs: number): number {
  return Math.imul(firstMs % 0x1_0000_0000, 0x9e3779b1) >>> 24;
}
