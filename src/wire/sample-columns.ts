// The decoded samples of one series, as columns: no object per sample. A value is its 64 bits in two halves, because a stale marker is a
// signalling NaN, which does not survive arithmetic or a plain JavaScript array.

import { fieldStart, type PackedHistograms, unpacked } from './packed-histograms.ts';

const BYTES_PER_FLOAT = 16;

const FLOAT = new Float64Array(1);
const FLOAT_BITS = new Uint32Array(FLOAT.buffer);

interface ColumnsMemory {
  readonly floatTimesMs: Float64Array;
  readonly floatBits: Uint32Array;
  readonly histograms?: PackedHistograms;
}

/** The samples of one series in one window. Reused from series to series: `clear()` keeps the memory. */
export class SampleColumns {
  /** The number of float samples held. */
  floats = 0;
  /** Milliseconds since 1970, integers, for the first `floats` entries. */
  floatTimesMs: Float64Array;
  /** IEEE 754 bits, two entries per sample: low half at 2i, high half at 2i + 1 (the order of a little-endian double). */
  floatBits: Uint32Array;

  /** While above 0, the histograms are the first ones in `packed`; then the kernel has decoded all of them. Otherwise they are in the lists. */
  packedHistograms = 0;
  /** Which kinds of histograms are packed: bits of HISTOGRAM_KINDS (commit-rank.ts). */
  packedKinds = 0;
  #histogramTimesMs: number[] = [];
  #histograms: Uint8Array[] = [];

  /** Whether a start timestamp was decoded since the last `clear()`. Remote write 1.0 has no field for it. */
  startTimestamps = false;

  /** If it equals `floats`, the times are known to ascend, each above the one before. Otherwise nothing is known. */
  ascendingFloats = 0;

  readonly #home: ColumnsMemory | undefined;

  /**
   * @param capacity how many float samples fit without growing
   * @param home memory for that many. The columns leave it when they grow, and return to it with `clear()`
   */
  constructor(capacity = 256, home?: ColumnsMemory) {
    this.#home = home;
    this.floatTimesMs = home?.floatTimesMs ?? new Float64Array(capacity);
    this.floatBits = home?.floatBits ?? new Uint32Array(capacity * 2);
  }

  clear(): void {
    this.floats = 0;
    this.ascendingFloats = 0;
    if (this.#home !== undefined && this.#home.floatTimesMs !== this.floatTimesMs) {
      this.floatTimesMs = this.#home.floatTimesMs;
      this.floatBits = this.#home.floatBits;
    }
    this.packedHistograms = 0;
    this.packedKinds = 0;
    // Setting a length costs as much as a sample, even if it does not change.
    if (this.#histograms.length > 0) {
      this.#histogramTimesMs.length = 0;
      this.#histograms.length = 0;
    }
    this.startTimestamps = false;
  }

  /** The number of native histograms. */
  get histogramCount(): number {
    return this.packedHistograms + this.#histograms.length;
  }

  /** The times of the native histograms. */
  get histogramTimesMs(): number[] {
    if (this.packedHistograms > 0) this.#unpack();
    return this.#histogramTimesMs;
  }

  set histogramTimesMs(timesMs: number[]) {
    if (this.packedHistograms > 0) this.#unpack();
    this.#histogramTimesMs = timesMs;
  }

  /** The native histograms, each as a `prometheus.Histogram` message (types.proto), its timestamp included. Makes an object for each. */
  get histograms(): Uint8Array[] {
    if (this.packedHistograms > 0) this.#unpack();
    return this.#histograms;
  }

  set histograms(messages: Uint8Array[]) {
    if (this.packedHistograms > 0) this.#unpack();
    this.#histograms = messages;
  }

  /** Memory of the kernel for histograms that it decodes. */
  get packed(): PackedHistograms | undefined {
    return this.#home?.histograms;
  }

  /** The first `histogramCount` entries are the times of the histograms. Valid until these change. */
  get timesOfHistograms(): ArrayLike<number> {
    return this.packed !== undefined && this.packedHistograms > 0 ? this.packed.timesMs : this.#histogramTimesMs;
  }

  /** The size of a histogram's message, or a few bytes more. */
  histogramBytes(index: number): number {
    const { packed } = this;
    if (packed === undefined || this.packedHistograms === 0) return (this.#histograms[index] as Uint8Array).length;
    return (packed.ends[index] as number) - fieldStart(packed, index);
  }

  #unpack(): void {
    const { packed, packedHistograms: count } = this;
    this.packedHistograms = 0;
    if (packed === undefined) return;
    this.#histogramTimesMs = Array.from(packed.timesMs.subarray(0, count));
    this.#histograms = unpacked(packed, count);
  }

  /** The memory for floats outside of the columns' home. */
  get grownBytes(): number {
    return this.#home?.floatTimesMs === this.floatTimesMs ? 0 : this.floatTimesMs.length * BYTES_PER_FLOAT;
  }

  /** Reserves space for `more` float samples. */
  reserve(more: number): void {
    const needed = this.floats + more;
    if (needed <= this.floatTimesMs.length) return;
    const capacity = Math.max(needed, this.floatTimesMs.length * 2);
    const times = new Float64Array(capacity);
    times.set(this.floatTimesMs.subarray(0, this.floats));
    this.floatTimesMs = times;
    const bits = new Uint32Array(capacity * 2);
    bits.set(this.floatBits.subarray(0, this.floats * 2));
    this.floatBits = bits;
  }

  /** `more` floats were written behind the others, in the order of time. @param isAscending whether none of them has the time of another */
  noteAppended(more: number, isAscending: boolean): void {
    const { floats, floatTimesMs } = this;
    const follows = floats === 0 || (floatTimesMs[floats - 1] as number) < (floatTimesMs[floats] as number);
    const ascends = isAscending && follows && this.ascendingFloats === floats;
    this.floats = floats + more;
    this.ascendingFloats = ascends ? this.floats : -1;
  }

  addFloat(timeMs: number, low: number, high: number): void {
    this.reserve(1);
    this.floatTimesMs[this.floats] = timeMs;
    this.floatBits[this.floats * 2] = low;
    this.floatBits[this.floats * 2 + 1] = high;
    this.floats++;
  }

  /** Adds a value that is a JavaScript number. Not for stale markers and NaN payloads, which do not survive as one. */
  addNumber(timeMs: number, value: number): void {
    FLOAT[0] = value;
    this.addFloat(timeMs, FLOAT_BITS[0] as number, FLOAT_BITS[1] as number);
  }

  addHistogram(timeMs: number, message: Uint8Array): void {
    this.histogramTimesMs.push(timeMs);
    this.histograms.push(message);
  }

  /** Whether the times are known to ascend since they were decoded. It is not known again afterwards. */
  takeAscending(): boolean {
    const isAscending = this.ascendingFloats === this.floats;
    this.ascendingFloats = -1;
    return isAscending;
  }

  /** Removes the samples outside [fromMs, toMs). */
  trim(fromMs: number, toMs: number): void {
    const isInside = (timeMs: number) => timeMs >= fromMs && timeMs < toMs;
    let kept = 0;
    this.ascendingFloats = -1;
    for (let i = 0; i < this.floats; i++) {
      const timeMs = this.floatTimesMs[i] as number;
      if (!isInside(timeMs)) continue;
      this.floatTimesMs[kept] = timeMs;
      this.floatBits[2 * kept] = this.floatBits[2 * i] as number;
      this.floatBits[2 * kept + 1] = this.floatBits[2 * i + 1] as number;
      kept++;
    }
    this.floats = kept;
    if (this.histogramCount === 0 || this.histogramTimesMs.every(isInside)) return;
    this.histograms = this.histograms.filter((_, i) => isInside(this.histogramTimesMs[i] as number));
    this.histogramTimesMs = this.histogramTimesMs.filter(isInside);
  }

  /** Appends all samples of `other`. */
  append(other: SampleColumns): void {
    this.reserve(other.floats);
    this.floatTimesMs.set(other.floatTimesMs.subarray(0, other.floats), this.floats);
    this.floatBits.set(other.floatBits.subarray(0, other.floats * 2), this.floats * 2);
    if (other.floats > 0) this.noteAppended(other.floats, other.ascendingFloats === other.floats);
    if (other.histogramCount === 0) return;
    for (const [i, histogram] of other.histograms.entries())
      this.addHistogram(other.histogramTimesMs[i] as number, histogram);
  }
}
