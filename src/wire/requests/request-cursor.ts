// Walks a `prometheus.WriteRequest` that write-batch.ts made: its TimeSeries entries, and the samples and histograms of each.

import type { LabelBytes } from '../labels.ts';
import { ProtoReader } from '../proto-reader.ts';
import { histogramTimeMs } from '../responses/sample-messages.ts';
import { isStaleMarker } from '../stale-marker.ts';

/**
 * Stands before the first entry. `nextSeries` moves to the next entry, `nextSample` to the next sample or histogram of that entry; the other
 * members are about the current one. No object is made for an entry or a sample. Every method throws WireError if the bytes are not a
 * WriteRequest of ours.
 */
export class RequestCursor {
  readonly #bytes: Uint8Array;
  readonly #series: ProtoReader;
  readonly #samples: ProtoReader;
  readonly #field: ProtoReader;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#series = new ProtoReader(bytes);
    this.#samples = new ProtoReader(bytes, 0, 0);
    this.#field = new ProtoReader(bytes, 0, 0);
  }

  /** @returns false at the end of the request */
  nextSeries(): boolean {
    const series = this.#series;
    while (series.nextField()) {
      if (series.field === 1) {
        series.delimited();
        this.#samples.reset(this.#bytes, series.valueStart, series.valueEnd);
        return true;
      }
      series.skip();
    }
    return false;
  }

  /** The position of the entry, its tag included. */
  get seriesStart(): number {
    return this.#series.tagStart;
  }

  get seriesEnd(): number {
    return this.#series.valueEnd;
  }

  /** A view of the request. In our messages the labels come first and are adjacent. */
  get labels(): LabelBytes {
    const { valueStart, valueEnd } = this.#series;
    const reader = this.#field;
    reader.reset(this.#bytes, valueStart, valueEnd);
    let end = valueStart;
    while (reader.nextField() && reader.field === 1) {
      reader.skip();
      end = reader.position;
    }
    return this.#bytes.subarray(valueStart, end);
  }

  /** @returns false at the end of the entry */
  nextSample(): boolean {
    const samples = this.#samples;
    while (samples.nextField()) {
      if (samples.field === 2 || samples.field === 4) {
        samples.delimited();
        return true;
      }
      samples.skip();
    }
    return false;
  }

  /** The position of the sample, its tag included. */
  get sampleStart(): number {
    return this.#samples.tagStart;
  }

  get sampleEnd(): number {
    return this.#samples.valueEnd;
  }

  get isHistogram(): boolean {
    return this.#samples.field === 4;
  }

  get timeMs(): number {
    const { valueStart, valueEnd } = this.#samples;
    if (this.isHistogram) return histogramTimeMs(this.#bytes, valueStart, valueEnd);
    return this.#seekField(2) ? this.#field.int64() : 0;
  }

  /** The value of a float or the sum of a histogram decides. */
  get isStaleMarker(): boolean {
    const at = this.#positionOfDouble(this.isHistogram ? 3 : 1);
    return at !== undefined && isStaleMarker(this.#bytes, at);
  }

  /** Whether it is a float NaN other than the stale marker. */
  get isOrdinaryNan(): boolean {
    const at = this.isHistogram ? undefined : this.#positionOfDouble(1);
    if (at === undefined || isStaleMarker(this.#bytes, at)) return false;
    return Number.isNaN(new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at, 8).getFloat64(0, true));
  }

  /** Whether it is a float that is finite. A missing value is 0. */
  get isFiniteFloat(): boolean {
    if (this.isHistogram) return false;
    const at = this.#positionOfDouble(1);
    if (at === undefined) return true;
    const bytes = this.#bytes;
    // Little-endian: the exponent, all ones in a value that is not finite, is in the last two bytes.
    return ((bytes[at + 7] as number) & 0x7f) !== 0x7f || ((bytes[at + 6] as number) & 0xf0) !== 0xf0;
  }

  #positionOfDouble(field: number): number | undefined {
    return this.#seekField(field) ? this.#field.fixed64() : undefined;
  }

  /** Moves `#field` to a field of the sample. */
  #seekField(field: number): boolean {
    const reader = this.#field;
    reader.reset(this.#bytes, this.#samples.valueStart, this.#samples.valueEnd);
    while (reader.nextField()) {
      if (reader.field === field) return true;
      reader.skip();
    }
    return false;
  }
}
