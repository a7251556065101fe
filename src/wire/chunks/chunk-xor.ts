// The float chunk of every Prometheus (encoding 1, and 0 in old versions): Gorilla's delta-of-delta times and XORed values. This is the hot
// path of a migration. Per sample it uses locals instead of fields and halves instead of 64-bit values, and it makes no object and no call
// that is not inlined.

import { type BitReader, impossibleWindow, peek32, safeTime, truncated, XorValues } from './bit-reader.ts';
import type { SampleColumns } from '../sample-columns.ts';

const HEADER_BYTES = 2;
const FIRST_SAMPLE_BITS = 9 * 8;
const SECOND_SAMPLE_BITS = 9;
const LATER_SAMPLE_BITS = 2;
/** The second sample is the longest: 10 bytes of time, 2 + 11 + 64 bits of value. */
const LONGEST_SAMPLE_BYTES = 20;

/** The first two samples of a chunk. Reused, because decoding is synchronous. */
const FIRST_VALUES = new XorValues(1);

/** Appends the samples of an XOR chunk with fromMs <= t < toMs. Throws WireError ('truncated' or 'corrupt') and then appends nothing. */
export function decodeXorChunk(
  reader: BitReader,
  count: number,
  fromMs: number,
  toMs: number,
  columns: SampleColumns,
): void {
  if (count === 0) return;
  reader.load('XOR', HEADER_BYTES, HEADER_BYTES + count * LONGEST_SAMPLE_BYTES);
  reader.require(
    FIRST_SAMPLE_BITS + (count > 1 ? SECOND_SAMPLE_BITS + (count - 2) * LATER_SAMPLE_BITS : 0),
    `${count} samples`,
  );
  columns.reserve(count);
  const times = columns.floatTimesMs;
  const bits = columns.floatBits;
  let n = columns.floats;

  const value = FIRST_VALUES;
  value.restart(0);
  reader.varint();
  let time = safeTime(reader.signed());
  value.readRaw(reader, 0);
  let low = value.bits[0] as number;
  let high = value.bits[1] as number;
  times[n] = time;
  bits[2 * n] = low;
  bits[2 * n + 1] = high;
  if (time >= fromMs && time < toMs) n++;
  if (count === 1) {
    columns.floats = n;
    return;
  }

  reader.uvarint();
  let delta = safeTime(reader.signed());
  time = safeTime(time + delta);
  value.readXor(reader, 0);
  low = value.bits[0] as number;
  high = value.bits[1] as number;
  times[n] = time;
  bits[2 * n] = low;
  bits[2 * n + 1] = high;
  if (time >= fromMs && time < toMs) n++;

  const view = reader.view;
  const end = reader.end;
  let position = reader.position;
  let leading = value.leading[0] as number;
  let significant = value.significant[0] as number;
  for (let i = 2; i < count; i++) {
    let next = peek32(view, position);
    if (next < 0) {
      const ones = Math.clz32(~next);
      if (ones < 4) {
        const size = ones === 1 ? 14 : 11 + 3 * ones;
        let change = (next << (ones + 1)) >>> (32 - size);
        // The encoder treats exactly half of the range as positive.
        if (change > 1 << (size - 1)) change -= 1 << size;
        delta = safeTime(delta + change);
        position += ones + 1 + size;
      } else {
        const change = peek32(view, position + 4) * 0x1_0000_0000 + (peek32(view, position + 36) >>> 0);
        delta = safeTime(delta + safeTime(change));
        position += 68;
      }
      next = peek32(view, position);
    } else {
      position++;
      next <<= 1;
    }
    time += delta;

    if (next >= 0) position++;
    else {
      if ((next & 0x4000_0000) === 0) position += 2;
      else {
        leading = (next >>> 25) & 31;
        significant = (next >>> 19) & 63 || 64;
        if (leading + significant > 64) throw impossibleWindow();
        position += 13;
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

    if (position > end) throw truncated('XOR');
    times[n] = time;
    bits[2 * n] = low;
    bits[2 * n + 1] = high;
    if (time >= fromMs && time < toMs) n++;
    else safeTime(time);
  }
  columns.floats = n;
}
