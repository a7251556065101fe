// The float chunk of current Prometheus versions (encoding 4). Time and value share one code, a stale marker takes no value bits, and a
// start timestamp may follow each sample. As hot as chunk-xor.ts, and written in the same way.

import { type BitReader, impossibleWindow, peek32, safeTime, truncated, XorValues } from './bit-reader.ts';
import { StartTimestamps } from './chunk-start-timestamps.ts';
import type { SampleColumns } from '../sample-columns.ts';
import { STALE_HIGH, STALE_LOW } from '../stale-marker.ts';

const HEADER_BYTES = 3;
const START_HEADER_BYTE = 2;
const FIRST_SAMPLE_BITS = 9 * 8;
const SECOND_SAMPLE_BITS = 9;
const LATER_SAMPLE_BITS = 1;
/** The second sample is the longest: 10 bytes of time, 3 + 11 + 64 bits of value, 72 bits of start timestamp. */
const LONGEST_SAMPLE_BYTES = 29;

/** The first two samples of a chunk. Reused, because decoding is synchronous. */
const FIRST_VALUES = new XorValues(1);

/**
 * Appends the samples of an XOR2 chunk with fromMs <= t < toMs. Throws WireError ('truncated' or 'corrupt') and then appends nothing. Start
 * timestamps are decoded and dropped. `columns.startTimestamps` records that a sample had one.
 */
export function decodeXor2Chunk(
  reader: BitReader,
  count: number,
  fromMs: number,
  toMs: number,
  columns: SampleColumns,
): void {
  if (count === 0) return;
  reader.load('XOR2', HEADER_BYTES, HEADER_BYTES + count * LONGEST_SAMPLE_BYTES);
  reader.require(
    FIRST_SAMPLE_BITS + (count > 1 ? SECOND_SAMPLE_BITS + (count - 2) * LATER_SAMPLE_BITS : 0),
    `${count} samples`,
  );
  const starts = new StartTimestamps(reader.byteAt(START_HEADER_BYTE));
  columns.reserve(count);
  const times = columns.floatTimesMs;
  const bits = columns.floatBits;
  let n = columns.floats;
  let started = false;

  const value = FIRST_VALUES;
  value.restart(0);
  reader.varint();
  let time = safeTime(reader.signed());
  value.readRaw(reader, 0);
  starts.read(reader, 0, time, time);
  // The base of the next XOR is the last value that was not a stale marker.
  let low = value.bits[0] as number;
  let high = value.bits[1] as number;
  times[n] = time;
  bits[2 * n] = low;
  bits[2 * n + 1] = high;
  if (low === STALE_LOW && high === STALE_HIGH) {
    low = 0;
    high = 0;
  }
  if (time >= fromMs && time < toMs) {
    n++;
    started = starts.present;
  }

  const view = reader.view;
  const end = reader.end;
  let position = reader.position;
  let leading = 0;
  let significant = 64;
  let delta = 0;
  for (let i = 1; i < count; i++) {
    const previous = time;
    let next = peek32(view, position);
    // How the value changes, in the codes of a value after a changed time: 0 same, 10 same window, 110 new window, 111 stale.
    let code: number;
    if (i > 1 && next >= 0) {
      position++;
      code = 0;
    } else if (i > 1 && (next & 0x4000_0000) === 0) {
      code = (next & 0x2000_0000) === 0 ? 0b10 : 0b110;
      position += 3;
      next <<= 3;
    } else if (i > 1 && next >>> 27 === 0b11111) {
      position += 5;
      code = 0b111;
    } else {
      if (i === 1) {
        reader.position = position;
        reader.uvarint();
        delta = safeTime(reader.signed());
        position = reader.position;
      } else if ((next & 0x2000_0000) === 0) {
        delta = safeTime(delta + ((next << 3) >> 19));
        position += 16;
      } else if ((next & 0x1000_0000) === 0) {
        delta = safeTime(delta + ((next << 4) >> 12));
        position += 24;
      } else {
        const change = peek32(view, position + 5) * 0x1_0000_0000 + (peek32(view, position + 37) >>> 0);
        delta = safeTime(delta + safeTime(change));
        position += 69;
      }
      next = peek32(view, position);
      if (next >= 0) {
        position++;
        code = 0;
      } else if ((next & 0x4000_0000) === 0) {
        position += 2;
        code = 0b10;
      } else {
        code = next >>> 29;
        position += 3;
        next <<= 3;
      }
    }
    time += delta;

    if (code === 0b111) {
      bits[2 * n] = STALE_LOW;
      bits[2 * n + 1] = STALE_HIGH;
    } else {
      if (code !== 0) {
        if (code === 0b110) {
          leading = next >>> 27;
          significant = (next >>> 21) & 63 || 64;
          if (leading + significant > 64) throw impossibleWindow();
          position += 11;
        }
        // The bits that differ: read into the top of the 64 bits, then shifted to their place.
        let xorHigh = peek32(view, position);
        let xorLow = 0;
        if (significant > 32) xorLow = (peek32(view, position + 32) >> (64 - significant)) << (64 - significant);
        else xorHigh = (xorHigh >> (32 - significant)) << (32 - significant);
        position += significant;
        low ^= (xorLow >>> leading) | ((xorHigh << (31 - leading)) << 1);
        high ^= xorHigh >>> leading;
      }
      bits[2 * n] = low;
      bits[2 * n + 1] = high;
    }

    if (position > end) throw truncated('XOR2');
    if (starts.changes && i >= starts.changeOn) {
      reader.position = position;
      starts.read(reader, i, time, previous);
      position = reader.position;
    }
    times[n] = time;
    if (time >= fromMs && time < toMs) {
      n++;
      if (starts.present) started = true;
    } else safeTime(time);
  }
  columns.floats = n;
  if (started) columns.startTimestamps = true;
}
