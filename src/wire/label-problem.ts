// Finds out, from the bytes of a label set, whether a receiver would drop it. A quick check has already accepted most sets.

import { isUtf8 } from 'node:buffer';
import { formatLabels } from './label-text.ts';
import type { LabelBytes } from './labels.ts';

/**
 * The reason why no receiver stores a series with these labels; undefined if receivers store it. Prometheus skips such a series and still
 * responds with 204.
 * @param labels the result of `canonicalLabels`: their structure is known to be valid
 */
export function labelBytesProblem(labels: LabelBytes): string | undefined {
  let named = false;
  for (let at = 0; at < labels.length; ) {
    // The entry's tag and length come first, then the name's tag and length and the name, then the same for the value.
    const nameLengthAt = afterVarint(labels, at + 1) + 1;
    const nameStart = afterVarint(labels, nameLengthAt);
    const nameEnd = nameStart + lengthAt(labels, nameLengthAt);
    const valueLengthAt = nameEnd + 1;
    const valueStart = afterVarint(labels, valueLengthAt);
    const valueEnd = valueStart + lengthAt(labels, valueLengthAt);
    if (!isText(labels, nameStart, nameEnd) || !isText(labels, valueStart, valueEnd))
      return `a label is not valid UTF-8: ${formatLabels(labels)}`;
    if (nameStart === nameEnd) return `a label has an empty name: ${formatLabels(labels)}`;
    if (!named) named = isMetricNameLabel(labels, nameStart, nameEnd);
    at = valueEnd;
  }
  // The canonical form has no label with an empty value.
  return named ? undefined : 'no __name__ label';
}

function afterVarint(labels: LabelBytes, at: number): number {
  let end = at;
  while ((labels[end] as number) >= 0x80) end++;
  return end + 1;
}

/** A varint below 2^28, as in the canonical form. */
function lengthAt(labels: LabelBytes, at: number): number {
  let byte = labels[at] as number;
  let length = byte & 0x7f;
  for (let i = 1; byte >= 0x80; i++) {
    byte = labels[at + i] as number;
    length |= (byte & 0x7f) << (7 * i);
  }
  return length;
}

/** From this length on, checking all bytes at once is faster, although it needs a view of them. */
const LONG_TEXT_BYTES = 48;

function isText(labels: LabelBytes, start: number, end: number): boolean {
  if (end - start >= LONG_TEXT_BYTES) return isUtf8(labels.subarray(start, end));
  for (let at = start; at < end; at++) {
    if ((labels[at] as number) >= 0x80) return isUtf8(labels.subarray(at, end));
  }
  return true;
}

const METRIC_NAME_LABEL = Buffer.from('__name__', 'latin1');

function isMetricNameLabel(labels: LabelBytes, start: number, end: number): boolean {
  let same = 0;
  while (same < METRIC_NAME_LABEL.length && labels[start + same] === METRIC_NAME_LABEL[same]) same++;
  return same === METRIC_NAME_LABEL.length && end - start === same;
}
