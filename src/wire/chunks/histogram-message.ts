// Writes one native histogram as a `prometheus.Histogram` message (types.proto), with the same fields in the same order as Prometheus' own
// SAMPLES response.

/** The fields that all histograms of one chunk share, encoded and ready to be copied into each message. */
export type HistogramLayout = {
  readonly schema: number;
  /** The fields 4 schema and 5 zero_threshold. */
  readonly scale: Uint8Array;
  /** The fields 8 negative_spans. */
  readonly negativeSpans: Uint8Array;
  /** The fields 11 positive_spans. */
  readonly positiveSpans: Uint8Array;
  /** The field 16 custom_values. */
  readonly customValues: Uint8Array;
  readonly negativeBuckets: number;
  readonly positiveBuckets: number;
};

/** `Histogram.ResetHint`. */
export const RESET_HINTS = { unknown: 0, yes: 1, no: 2, gauge: 3 } as const;
export type ResetHint = (typeof RESET_HINTS)[keyof typeof RESET_HINTS];

/** Field tags of types.proto: field number times 8 plus wire type. */
export const HISTOGRAM_TAGS = {
  countInt: 0x08,
  countFloat: 0x11,
  sum: 0x19,
  schema: 0x20,
  zeroThreshold: 0x29,
  zeroCountInt: 0x30,
  zeroCountFloat: 0x39,
  negativeSpans: 0x42,
  negativeDeltas: 0x4a,
  negativeCounts: 0x52,
  positiveSpans: 0x5a,
  positiveDeltas: 0x62,
  positiveCounts: 0x6a,
  resetHint: 0x70,
  timestamp: 0x78,
  customValues: 0x82,
  spanOffset: 0x08,
  spanLength: 0x10,
} as const;

/** The number of bytes that the unsigned 64-bit value (high, low) takes as a varint. */
export function varintBytes(high: number, low: number): number {
  if (high === 0) return low >>> 7 === 0 ? 1 : Math.ceil((32 - Math.clz32(low)) / 7);
  return Math.ceil((64 - Math.clz32(high)) / 7);
}

/** Messages are copied into shared memory: one buffer per message would cost more than the message. */
const SLAB_BYTES = 64 * 1024;

/** A buffer that grows with each write. 64-bit values come as two 32-bit halves. */
export class MessageWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  #slab = new Uint8Array(0);
  #used = 0;

  clear(): void {
    this.#length = 0;
  }

  /** A copy of the bytes written since `clear()`. */
  copy(): Uint8Array {
    const length = this.#length;
    if (this.#slab.length - this.#used < length) {
      this.#slab = new Uint8Array(Math.max(SLAB_BYTES, length));
      this.#used = 0;
    }
    const copy = this.#slab.subarray(this.#used, this.#used + length);
    copy.set(this.#bytes.subarray(0, length));
    this.#used += length;
    return copy;
  }

  /** Makes room for `more` bytes. */
  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(this.#length + more, this.#bytes.length * 2));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  /** An unsigned varint of 64 bits. */
  varint(high: number, low: number): void {
    this.#reserve(10);
    let rest = low >>> 0;
    let above = high >>> 0;
    while (above !== 0 || rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest = ((rest >>> 7) | (above << 25)) >>> 0;
      above >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A small unsigned number: a tag, a length, an enum. */
  uint32(value: number): void {
    this.varint(0, value);
  }

  /** A signed 64-bit value, zigzag. */
  zigzag(high: number, low: number): void {
    const sign = high >> 31;
    this.varint(((high << 1) | (low >>> 31)) ^ sign, (low << 1) ^ sign);
  }

  /** A signed safe integer as an `int64` varint, which takes ten bytes for a negative number. */
  int64(value: number): void {
    this.varint(Math.floor(value / 0x1_0000_0000), value);
  }

  /** A double, given as its bits. */
  double(high: number, low: number): void {
    this.#reserve(8);
    this.#view.setInt32(this.#length, low, true);
    this.#view.setInt32(this.#length + 4, high, true);
    this.#length += 8;
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }
}
