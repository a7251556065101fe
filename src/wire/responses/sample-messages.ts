// Decodes the Sample and Histogram messages of a SAMPLES response into columns.

import { ProtoReader } from '../proto-reader.ts';
import type { SampleColumns } from '../sample-columns.ts';
import { TAG_SECOND } from './series-entry.ts';

const EMPTY = new Uint8Array(0);

/** The time of one `prometheus.Histogram` message (field 15); 0 if the field is missing. Throws WireError as the cursors do. */
export function histogramTimeMs(bytes: Uint8Array, start: number, end: number): number {
  const reader = new ProtoReader(bytes, start, end);
  let timeMs = 0;
  while (reader.nextField()) {
    if (reader.field === 15) timeMs = reader.int64();
    else reader.skip();
  }
  return timeMs;
}

/** Tag and length of a Sample with the value's tag, the value, the time's tag, six bytes of time. */
const ORDINARY_SAMPLE_BYTES = 18;

/**
 * Reads the samples at the reader's position that have the usual form: a value that is not +0 and a time of six bytes (1971 to 2109). Stops
 * at the first other one. The columns have room for all samples of the entry.
 */
export function decodeOrdinarySamples(reader: ProtoReader, fromMs: number, toMs: number, columns: SampleColumns): void {
  const { bytes } = reader;
  const { floatTimesMs: times, floatBits: bits } = columns;
  const last = reader.end - ORDINARY_SAMPLE_BYTES;
  let at = reader.position;
  let n = columns.floats;
  while (
    at <= last &&
    bytes[at] === TAG_SECOND &&
    bytes[at + 1] === ORDINARY_SAMPLE_BYTES - 2 &&
    bytes[at + 2] === 0x09 &&
    bytes[at + 11] === 0x10
  ) {
    const upper = bytes[at + 17] as number;
    const four = word(bytes, at + 12);
    // Continue only for a varint of exactly six bytes.
    if (upper >= 0x80 || (four & 0x8080_8080) !== (0x8080_8080 | 0) || (bytes[at + 16] as number) < 0x80) break;
    const lower = (four & 0x7f) | ((four >>> 1) & 0x3f80) | ((four >>> 2) & 0x1f_c000) | ((four >>> 3) & 0xfe0_0000);
    const timeMs = (((bytes[at + 16] as number) & 0x7f) | (upper << 7)) * 0x1000_0000 + lower;
    if (timeMs >= fromMs && timeMs < toMs) {
      times[n] = timeMs;
      bits[2 * n] = word(bytes, at + 3);
      bits[2 * n + 1] = word(bytes, at + 7);
      n++;
    }
    at += ORDINARY_SAMPLE_BYTES;
  }
  reader.position = at;
  columns.floats = n;
}

const SAMPLE_READER = new ProtoReader(EMPTY);

/** Reads the Sample that `parent.delimited()` found. A missing field is 0: Go omits a field that is 0. */
export function decodeSample(parent: ProtoReader, fromMs: number, toMs: number, columns: SampleColumns): void {
  const { bytes } = parent;
  const reader = SAMPLE_READER;
  reader.reset(bytes, parent.valueStart, parent.valueEnd);
  let low = 0;
  let high = 0;
  let timeMs = 0;
  while (reader.nextField()) {
    if (reader.field === 1) {
      const at = reader.fixed64();
      low = word(bytes, at);
      high = word(bytes, at + 4);
    } else if (reader.field === 2) {
      timeMs = reader.int64();
    } else {
      reader.skip();
    }
  }
  if (timeMs >= fromMs && timeMs < toMs) columns.addFloat(timeMs, low, high);
}

function word(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}
