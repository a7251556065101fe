// The series that stand in a request already, as far back as a snappy copy reaches: write-batch.ts looks here for one that was scraped
// together with the next series, because two such have the same timestamps.

import type { SampleColumns } from '../sample-columns.ts';
import { REACH_BYTES } from '../snappy/snappy-writer.ts';

/** More samples than can stand within reach. */
const RING_SAMPLES = 4096;
const STARTS = 256;
/** Fewer that are shared are not worth the change from one way of writing to the other. */
const FEWEST_SHARED = 4;

export class EarlierSeries {
  readonly mask = RING_SAMPLES - 1;
  /** Bits of the samples within reach, two entries each, in a ring. */
  readonly bits = new Uint32Array(2 * RING_SAMPLES);
  /** What `find` found: where in the ring its samples begin, and how many bytes lie between its samples and the new ones. */
  slot = 0;
  distance = 0;
  readonly #timesMs = new Float64Array(RING_SAMPLES);
  #next = 0;
  // One series a start time, the latest: where its samples begin in the message and in the ring, and how many there are.
  readonly #firstMs = new Float64Array(STARTS).fill(Number.NaN);
  readonly #start = new Float64Array(STARTS);
  readonly #slot = new Int32Array(STARTS);
  readonly #samples = new Int32Array(STARTS);

  clear(): void {
    this.#firstMs.fill(Number.NaN);
  }

  /**
   * Looks for a series with the timestamps of the samples [from, to), which are about to be written at `start` of the message.
   * @returns how many of them, from the first, it has; 0 when there is none
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
    if (shared < Math.min(FEWEST_SHARED, to - from)) return 0;
    this.slot = slot;
    this.distance = distance;
    return shared;
  }

  /** Remembers the samples [from, to), all of one size, which were written at `start` of the message. */
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
