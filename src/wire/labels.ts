// A series' label set as bytes: the `repeated Label labels = 1` entries of TimeSeries and ChunkedSeries, as in the message. Series are
// found, merged and hashed by these bytes, and the bytes are copied into write requests. Only relabelling and logs decode them.

import { WireError } from './errors.ts';
import { compareSpans, type LabelSpan, labelSpan, MAX_LABELS, spansOf, tooManyLabels } from './label-spans.ts';
import { formatLabels, formatName, readableText } from './label-text.ts';
import { ProtoReader, uvarintSize, writeUvarint } from './proto-reader.ts';

/**
 * A canonical label region: entries sorted by the bytes of their name, names unique, no empty values, name before value, every length in
 * its shortest form. Equal label sets have equal bytes.
 */
export type LabelBytes = Uint8Array;

/** Both the entry in the series and the name in the entry are field 1, the value is field 2. */
const TAG_FIRST = 0x0a;
const TAG_VALUE = 0x12;

/**
 * Converts a label region to canonical form. Returns the same array if it is already canonical (Prometheus sends it so): the result may
 * share memory with the response. Drops unknown fields, exact repetitions, and labels with an empty value (an empty value means no label).
 *
 * Throws WireError 'truncated' or 'corrupt' for broken bytes, and 'corrupt' for one name with two values and for more than 32 768 labels.
 */
export function canonicalLabels(region: Uint8Array): LabelBytes {
  return isCanonical(region) ? region : rebuild(region);
}

/** Name and value of every label, as UTF-8. Throws WireError 'corrupt' if one is not UTF-8, and the same errors as `canonicalLabels`. */
export function decodeLabels(labels: Uint8Array): [name: string, value: string][] {
  return spansOf(labels).map((span) => [
    decodeUtf8(labels, span.nameStart, span.nameEnd),
    decodeUtf8(labels, span.valueStart, span.valueEnd),
  ]);
}

/**
 * The canonical bytes of these labels, given in any order. Empty values are dropped. A lone surrogate becomes U+FFFD. Throws WireError
 * 'corrupt' for one name with two values.
 */
export function encodeLabels(pairs: Iterable<readonly [string, string]>): LabelBytes {
  const labels = Array.from(pairs, ([name, value]) => ({
    name,
    value,
    nameBytes: Buffer.byteLength(name),
    valueBytes: Buffer.byteLength(value),
  }));
  const out = Buffer.allocUnsafeSlow(
    labels.reduce((size, { nameBytes, valueBytes }) => size + entrySize(nameBytes, valueBytes), 0),
  );
  let at = 0;
  for (const { name, value, nameBytes, valueBytes } of labels) {
    at = writeEntryHead(out, at, nameBytes, valueBytes);
    at += out.write(name, at);
    at = writeValueHead(out, at, valueBytes);
    at += out.write(value, at);
  }
  return canonicalLabels(new Uint8Array(out.buffer, out.byteOffset, out.length));
}

/** The value of `__name__`, or an empty string. Invalid UTF-8 in it is replaced. Throws WireError if the bytes are not labels. */
export function metricName(labels: LabelBytes): string {
  const reader = new ProtoReader(labels);
  while (reader.nextField()) {
    reader.delimited();
    const { nameStart, nameEnd, valueStart, valueEnd } = labelSpan(labels, reader.valueStart, reader.valueEnd);
    if (readableText(labels, nameStart, nameEnd) === '__name__') return readableText(labels, valueStart, valueEnd);
  }
  return '';
}

/**
 * The bytes of the first label if it is `__name__`, else an empty array. Two series whose name entries are equal belong to the same metric.
 */
export function nameEntry(labels: LabelBytes): Uint8Array {
  const reader = new ProtoReader(labels);
  if (!reader.nextField()) return labels.subarray(0, 0);
  reader.delimited();
  const { nameStart, nameEnd } = labelSpan(labels, reader.valueStart, reader.valueEnd);
  return labels.subarray(0, readableText(labels, nameStart, nameEnd) === '__name__' ? reader.position : 0);
}

/** The label entries (field 1) of a series message that has other fields between them, adjacent in a new array. */
export function gatherLabels(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const parts: Uint8Array[] = [];
  const reader = new ProtoReader(bytes, start, end);
  let runStart = -1;
  let runEnd = -1;
  while (reader.nextField()) {
    const tagStart = reader.tagStart;
    reader.skip();
    if (reader.field !== 1) continue;
    if (tagStart !== runEnd) {
      if (runStart !== -1) parts.push(bytes.subarray(runStart, runEnd));
      if (parts.length > MAX_LABELS) throw tooManyLabels();
      runStart = tagStart;
    }
    runEnd = reader.position;
  }
  if (runStart !== -1) parts.push(bytes.subarray(runStart, runEnd));
  return concatenate(parts);
}

function isCanonical(region: Uint8Array): boolean {
  const length = region.length;
  let at = 0;
  let previousStart = 0;
  let previousEnd = -1;
  let count = 0;
  while (at < length) {
    if (++count > MAX_LABELS) throw tooManyLabels();
    if (region[at] !== TAG_FIRST) return false;
    const entryLength = shortestUvarint(region, at + 1, length);
    if (entryLength < 0) return false;
    const entryStart = at + 1 + uvarintSize(entryLength);
    const entryEnd = entryStart + entryLength;
    if (entryEnd > length || region[entryStart] !== TAG_FIRST) return false;

    const nameLength = shortestUvarint(region, entryStart + 1, entryEnd);
    if (nameLength < 0) return false;
    const nameStart = entryStart + 1 + uvarintSize(nameLength);
    const nameEnd = nameStart + nameLength;
    if (nameEnd >= entryEnd || region[nameEnd] !== TAG_VALUE) return false;

    const valueLength = shortestUvarint(region, nameEnd + 1, entryEnd);
    if (valueLength <= 0 || nameEnd + 1 + uvarintSize(valueLength) + valueLength !== entryEnd) return false;

    if (previousEnd >= 0 && compareSpans(region, previousStart, previousEnd, nameStart, nameEnd) >= 0) return false;
    previousStart = nameStart;
    previousEnd = nameEnd;
    at = entryEnd;
  }
  return true;
}

/** An unsigned varint below 2^28 in its shortest form. -1 for anything else. */
function shortestUvarint(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return -1;
  const first = bytes[at] as number;
  if (first < 0x80) return first;
  let value = first & 0x7f;
  for (let index = 1; index < 4 && at + index < end; index++) {
    const byte = bytes[at + index] as number;
    value |= (byte & 0x7f) << (7 * index);
    if (byte < 0x80) return byte === 0 ? -1 : value;
  }
  return -1;
}

function rebuild(region: Uint8Array): LabelBytes {
  const spans = spansOf(region).filter((span) => span.valueEnd > span.valueStart);
  spans.sort((a, b) => compareSpans(region, a.nameStart, a.nameEnd, b.nameStart, b.nameEnd));
  const kept: LabelSpan[] = [];
  let size = 0;
  for (const span of spans) {
    const last = kept.at(-1);
    if (last !== undefined && compareSpans(region, last.nameStart, last.nameEnd, span.nameStart, span.nameEnd) === 0) {
      if (compareSpans(region, last.valueStart, last.valueEnd, span.valueStart, span.valueEnd) === 0) continue;
      const name = formatName(readableText(region, span.nameStart, span.nameEnd));
      throw new WireError('invalid-labels', `a series has two values for the label ${name}: ${formatLabels(region)}`);
    }
    kept.push(span);
    size += entrySize(span.nameEnd - span.nameStart, span.valueEnd - span.valueStart);
  }
  const out = new Uint8Array(size);
  let at = 0;
  for (const span of kept) {
    const name = region.subarray(span.nameStart, span.nameEnd);
    at = writeEntry(out, at, name, region.subarray(span.valueStart, span.valueEnd));
  }
  return out;
}

function entrySize(nameLength: number, valueLength: number): number {
  const inner = innerSize(nameLength, valueLength);
  return 1 + uvarintSize(inner) + inner;
}

function innerSize(nameLength: number, valueLength: number): number {
  return 2 + uvarintSize(nameLength) + nameLength + uvarintSize(valueLength) + valueLength;
}

/** An upper bound of the bytes that `writeEntry` writes beyond the name and the value themselves. */
export const MAX_ENTRY_OVERHEAD = 1 + 5 + 1 + 5 + 1 + 5;

/** Writes one label as the next entry of a region. @returns where it ends */
export function writeEntry(out: Uint8Array, at: number, name: Uint8Array, value: Uint8Array): number {
  let position = writeEntryHead(out, at, name.length, value.length);
  out.set(name, position);
  position = writeValueHead(out, position + name.length, value.length);
  out.set(value, position);
  return position + value.length;
}

/** Writes the label at `span` of `text` as the next entry of a region. @returns where it ends */
export function writeSpan(out: Uint8Array, at: number, text: Uint8Array, span: LabelSpan): number {
  const { nameStart, nameEnd, valueStart, valueEnd } = span;
  let position = writeEntryHead(out, at, nameEnd - nameStart, valueEnd - valueStart);
  // Most are too short for `set`: the call costs more than the loop.
  for (let from = nameStart; from < nameEnd; from++) out[position++] = text[from] as number;
  position = writeValueHead(out, position, valueEnd - valueStart);
  for (let from = valueStart; from < valueEnd; from++) out[position++] = text[from] as number;
  return position;
}

function writeEntryHead(out: Uint8Array, at: number, nameLength: number, valueLength: number): number {
  out[at] = TAG_FIRST;
  const position = writeUvarint(out, at + 1, innerSize(nameLength, valueLength));
  out[position] = TAG_FIRST;
  return writeUvarint(out, position + 1, nameLength);
}

function writeValueHead(out: Uint8Array, at: number, valueLength: number): number {
  out[at] = TAG_VALUE;
  return writeUvarint(out, at + 1, valueLength);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** A byte order mark is part of a label, like any other character. */
const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  try {
    return STRICT_UTF8.decode(bytes.subarray(start, end));
  } catch (error) {
    throw new WireError('invalid-labels', `a label is not valid UTF-8: ${formatLabels(bytes)}`, { cause: error });
  }
}
