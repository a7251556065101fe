// The order in which Prometheus sorts the series of a response: label by label, by the bytes of the name and then of the value.

import type { LabelBytes } from './labels.ts';
import { uvarintSize } from './proto-reader.ts';

/** @returns less than 0 if `a` comes first, more than 0 if `b` does, 0 if they are equal. As labels.Compare of Prometheus */
export function compareLabels(a: LabelBytes, b: LabelBytes): number {
  const shared = Math.min(a.length, b.length);
  let at = 0;
  while (at < shared && a[at] === b[at]) at++;
  if (at === shared) return a.length - b.length;
  return compareEntry(a, b, entryAround(a, at));
}

/** Where the entry that contains `at` begins. */
function entryAround(labels: LabelBytes, at: number): number {
  let start = 0;
  let end = entryEnd(labels, start);
  while (end <= at) {
    start = end;
    end = entryEnd(labels, start);
  }
  return start;
}

function entryEnd(labels: LabelBytes, start: number): number {
  const length = uvarint(labels, start + 1);
  return start + 1 + uvarintSize(length) + length;
}

/** Both labels have an entry at `start`, or end there. */
function compareEntry(a: LabelBytes, b: LabelBytes, start: number): number {
  const nameA = text(a, start + 1 + uvarintSize(uvarint(a, start + 1)));
  const nameB = text(b, start + 1 + uvarintSize(uvarint(b, start + 1)));
  return compareText(a, nameA, b, nameB) || compareText(a, text(a, nameA.end), b, text(b, nameB.end));
}

interface Text {
  readonly start: number;
  readonly end: number;
}

/** @param tagAt where the tag of the field is */
function text(labels: LabelBytes, tagAt: number): Text {
  const length = uvarint(labels, tagAt + 1);
  const start = tagAt + 1 + uvarintSize(length);
  return { start, end: start + length };
}

function compareText(a: LabelBytes, { start, end }: Text, b: LabelBytes, other: Text): number {
  const length = Math.min(end - start, other.end - other.start);
  for (let i = 0; i < length; i++) {
    const difference = (a[start + i] as number) - (b[other.start + i] as number);
    if (difference !== 0) return difference;
  }
  return end - start - (other.end - other.start);
}

function uvarint(bytes: Uint8Array, start: number): number {
  let value = 0;
  let scale = 1;
  for (let at = start; ; at++) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 0x80;
  }
}
