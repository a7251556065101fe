// The positions of the names and values in a label region, found without decoding them.

import { WireError } from './errors.ts';
import { DELIMITED, ProtoReader } from './proto-reader.ts';

/** No real series has this many labels. A malicious response with millions of empty labels must not cost memory. */
export const MAX_LABELS = 32_768;

export interface LabelSpan {
  nameStart: number;
  nameEnd: number;
  valueStart: number;
  valueEnd: number;
}

export function spansOf(region: Uint8Array): LabelSpan[] {
  const spans: LabelSpan[] = [];
  const reader = new ProtoReader(region);
  while (reader.nextField()) {
    if (reader.field !== 1)
      throw new WireError('corrupt', `unexpected protobuf field ${reader.field} among the labels of a series`);
    reader.delimited();
    if (spans.length === MAX_LABELS) throw tooManyLabels();
    spans.push(labelSpan(region, reader.valueStart, reader.valueEnd));
  }
  return spans;
}

export function labelSpan(bytes: Uint8Array, start: number, end: number): LabelSpan {
  const span = { nameStart: start, nameEnd: start, valueStart: start, valueEnd: start };
  const reader = new ProtoReader(bytes, start, end);
  while (reader.nextField()) {
    if (reader.field > 2) {
      reader.skip();
      continue;
    }
    reader.expect(DELIMITED);
    reader.delimited();
    if (reader.field === 1) {
      span.nameStart = reader.valueStart;
      span.nameEnd = reader.valueEnd;
    } else {
      span.valueStart = reader.valueStart;
      span.valueEnd = reader.valueEnd;
    }
  }
  return span;
}

export function compareSpans(bytes: Uint8Array, aStart: number, aEnd: number, bStart: number, bEnd: number): number {
  const shorter = Math.min(aEnd - aStart, bEnd - bStart);
  for (let index = 0; index < shorter; index++) {
    const difference = (bytes[aStart + index] as number) - (bytes[bStart + index] as number);
    if (difference !== 0) return difference;
  }
  return aEnd - aStart - (bEnd - bStart);
}

export function tooManyLabels(): WireError {
  return new WireError('corrupt', `a series with more than ${MAX_LABELS} labels`);
}
