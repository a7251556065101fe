// What the sink makes of write requests: samples go into a hash and are forgotten, progress marks are kept.

import { PROGRESS_METRIC } from '../../src/migration/progress/progress-mark.ts';
import { hashLabels } from '../../src/wire/label-hash.ts';
import { decodeLabels } from '../../src/wire/labels.ts';
import { DELIMITED, ProtoReader } from '../../src/wire/proto-reader.ts';
import { decompress } from '../../src/wire/snappy/snappy.ts';
import type { ReadQuery } from '../../test/migration/support/remote-messages.ts';
import { Contents, within } from '../../test/support/stores/contents.ts';
import type { LabeledSamples, Labels } from '../../test/support/stores/messages.ts';
import { type LabelWords, labelWords, SampleHash } from './sample-hash.ts';

const MAX_REQUEST_BYTES = 64 * 1024 * 1024;
/** The fields of a WriteRequest, a TimeSeries and a Sample. */
const SERIES = 1;
const LABEL = 1;
const SAMPLE = 2;
const VALUE = 1;
const TIMESTAMP = 2;

const MARK_NAME = Buffer.from(PROGRESS_METRIC);

export class Receiver {
  readonly hash = new SampleHash();
  readonly #marks = new Contents();

  get marks(): number {
    let marks = 0;
    for (const { samples } of this.#marks.all()) marks += samples.length;
    return marks;
  }

  /** Throws when it is not a remote_write 1.0 request, or has something other than labels and float samples. */
  write(body: Uint8Array): void {
    const bytes = decompress(body, MAX_REQUEST_BYTES);
    const request = new ProtoReader(bytes);
    while (request.nextField()) {
      if (request.field !== SERIES) throw new Error(`field ${request.field} in a WriteRequest`);
      request.expect(DELIMITED);
      request.delimited();
      this.#series(bytes, request.valueStart, request.valueEnd);
    }
  }

  /** The marks that a query selects. Nothing else is kept. */
  read({ matchers, startMs, endMs }: ReadQuery): LabeledSamples[] {
    return this.#marks.select(matchers, within(startMs, endMs));
  }

  #series(bytes: Uint8Array, start: number, end: number): void {
    const series = new ProtoReader(bytes, start, end);
    let labelsEnd = start;
    while (series.nextField() && series.field === LABEL) {
      series.delimited();
      labelsEnd = series.position;
    }
    const labels = bytes.subarray(start, labelsEnd);
    const samples = new ProtoReader(bytes, labelsEnd, end);
    if (isMark(labels)) this.#keep(decodeLabels(labels), samples);
    else this.#add(labelWords(hashLabels(labels)), samples);
  }

  #add(words: LabelWords, samples: ProtoReader): void {
    forEachSample(samples, (timeMs, low, high) => this.hash.add(words, timeMs, low, high));
  }

  #keep(labels: Labels, samples: ProtoReader): void {
    forEachSample(samples, (timeMs, low, high) => {
      this.#marks.insert(labels, { timeMs, bits: (BigInt(high) << 32n) | BigInt(low) });
    });
  }
}

function isMark(labels: Uint8Array): boolean {
  const at = Buffer.from(labels.buffer, labels.byteOffset, labels.length).indexOf(MARK_NAME);
  return at !== -1 && decodeLabels(labels).some(([name, value]) => name === '__name__' && value === PROGRESS_METRIC);
}

/** @param use gets the bits of the value as two words */
function forEachSample(series: ProtoReader, use: (timeMs: number, valueLow: number, valueHigh: number) => void): void {
  const { bytes } = series;
  const sample = new ProtoReader(bytes);
  while (series.nextField()) {
    if (series.field !== SAMPLE) throw new Error(`field ${series.field} in a TimeSeries, where a sample is expected`);
    series.delimited();
    sample.reset(bytes, series.valueStart, series.valueEnd);
    let timeMs = 0;
    let low = 0;
    let high = 0;
    while (sample.nextField()) {
      if (sample.field === VALUE) {
        const at = sample.fixed64();
        low = wordAt(bytes, at);
        high = wordAt(bytes, at + 4);
      } else if (sample.field === TIMESTAMP) timeMs = sample.int64();
      else throw new Error(`field ${sample.field} in a Sample`);
    }
    use(timeMs, low, high);
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
  return (low | ((bytes[at + 3] as number) << 24)) >>> 0;
}
