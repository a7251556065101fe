// The series that are already in a request, within the reach of a snappy copy. Two series that were scraped together have the same
// timestamps, so the next series can copy those of an earlier one.

import type { SampleColumns } from '../sample-columns.ts';
import { REACH_BYTES } from '../snappy/snappy-writer.ts';

/** More samples than fit within reach. */
const RING_SAMPLES = 4096;
const STARTS = 256;
/** With fewer shared timestamps, a change of the way of writing does not pay off. */
const MIN_SHARED = 4;

/** The memory of one object: the times and bits of the samples, then what is known of the series. kernel/earlier-series.ts uses it too. */
export const RING_BYTES = 2 * 8 * RING_SAMPLES + STARTS * (8 + 8 + 4 + 4) + 64;

export class EarlierSeries {
  readonly mask = RING_SAMPLES - 1;
  /** Where it is in its buffer. */
  readonly address: number;
  /** Ring of the value bits of the samples within reach, two entries per sample. */
  readonly bits: Uint32Array;
  /**
   * The result of `find`: the ring position of the series' first sample, and the distance in bytes between its samples and the new ones.
   */
  slot = 0;
  distance = 0;
  readonly #timesMs: Float64Array;
  // The latest series for each start time: the position of its samples in the message and in the ring, and their number.
  readonly #firstMs: Float64Array;
  readonly #start: Float64Array;
  readonly #slot: Int32Array;
  readonly #samples: Int32Array;
  /** The ring position of the next sample: its only entry. */
  readonly #next: Int32Array;

  /** @param buffer has `RING_BYTES` from `address` on */
  constructor(buffer = new ArrayBuffer(RING_BYTES), address = 0) {
    this.address = address;
    let at = address;
    this.#timesMs = new Float64Array(buffer, at, RING_SAMPLES);
    at += 8 * RING_SAMPLES;
    this.bits = new Uint32Array(buffer, at, 2 * RING_SAMPLES);
    at += 8 * RING_SAMPLES;
    this.#firstMs = new Float64Array(buffer, at, STARTS);
    at += 8 * STARTS;
    this.#start = new Float64Array(buffer, at, STARTS);
    at += 8 * STARTS;
    this.#slot = new Int32Array(buffer, at, STARTS);
    at += 4 * STARTS;
    this.#samples = new Int32Array(buffer, at, STARTS);
    this.#next = new Int32Array(buffer, at + 4 * STARTS, 1);
    this.clear();
  }

  clear(): void {
    this.#firstMs.fill(Number.NaN);
    this.#next[0] = 0;
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
    const slot = this.#next[0] as number;
    const head = Math.min(samples, RING_SAMPLES - slot);
    const { floatTimesMs, floatBits } = columns;
    this.#timesMs.set(floatTimesMs.subarray(from, from + head), slot);
    this.bits.set(floatBits.subarray(2 * from, 2 * (from + head)), 2 * slot);
    this.#timesMs.set(floatTimesMs.subarray(from + head, to), 0);
    this.bits.set(floatBits.subarray(2 * (from + head), 2 * to), 0);
    this.#next[0] = (slot + samples) & this.mask;
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
