// A series' label set as bytes: the `repeated Label labels = 1` entries of TimeSeries and ChunkedSeries, as they stand in the
// message. The engine finds, merges and hashes series by these bytes, the write encoder copies them, relabelling and logs decode
// them.

import { WireError } from './errors.ts';
import { DELIMITED, ProtoReader, uvarintSize, writeUvarint } from './proto-reader.ts';

/**
 * A canonical label region: entries sorted by the bytes of their name, names unique, no empty values, name before value, every
 * length in its shortest form. Equal label sets have equal bytes.
 */
export type LabelBytes = Uint8Array;

/** No real series has this many labels; a hostile answer with millions of empty ones must not cost memory. */
const MAX_LABELS = 32_768;
const MAX_FORMATTED_BYTES = 1024;

/** Both the entry in the series and the name in the entry are field 1, the value is field 2. */
const TAG_FIRST = 0x0a;
const TAG_VALUE = 0x12;

/**
 * Brings a label region into canonical form; the same array when it is canonical already (which is what Prometheus sends), so
 * the result may share memory with the answer. Labels with an empty value are dropped (an empty value means no label), and so
 * are unknown fields and exact repetitions. Throws WireError 'truncated' or 'corrupt' for broken bytes, and 'corrupt' for one
 * name with two values and for more than 32 768 labels.
 */
export function canonicalLabels(region: Uint8Array): LabelBytes {
  return isCanonical(region) ? region : rebuild(region);
}

/** Name and value of every label, as UTF-8. Throws WireError 'corrupt' when one is not UTF-8, and as `canonicalLabels`. */
export function decodeLabels(labels: Uint8Array): [name: string, value: string][] {
  return spansOf(labels).map((span) => [
    decodeUtf8(labels, span.nameStart, span.nameEnd),
    decodeUtf8(labels, span.valueStart, span.valueEnd),
  ]);
}

/**
 * The canonical bytes of these labels, in whatever order they come; empty values are dropped. A lone surrogate becomes U+FFFD.
 * Throws WireError 'corrupt' for one name with two values.
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

/** A hash of the bytes, 0 … 2^53 − 1, well spread in all its bits: it pins a series to a lane. Not secret, not for identity. */
export function hashLabels(labels: Uint8Array): number {
  const hash = hashAsciiLabels(labels);
  return hash < 0 ? -1 - hash : hash;
}

/** `hashLabels`, as −1 − hash when a byte above 0x7f is among them: then a text may not be UTF-8, or a label is long. */
export function hashAsciiLabels(labels: Uint8Array): number {
  const length = labels.length;
  let a = 0x3c6ef372 ^ length;
  let b = 0x1f83d9ab;
  let bits = 0;
  let at = 0;
  for (const last = length - 4; at <= last; at += 4) {
    const word =
      (labels[at] as number) |
      ((labels[at + 1] as number) << 8) |
      ((labels[at + 2] as number) << 16) |
      ((labels[at + 3] as number) << 24);
    bits |= word;
    a = Math.imul(a ^ word, 0x9e3779b1);
    a ^= a >>> 15;
    b = Math.imul(b ^ word, 0x85ebca77);
    b ^= b >>> 13;
  }
  for (; at < length; at++) {
    bits |= labels[at] as number;
    a = Math.imul(a ^ (labels[at] as number), 0x9e3779b1);
    a ^= a >>> 15;
    b = Math.imul(b ^ (labels[at] as number), 0x85ebca77);
    b ^= b >>> 13;
  }
  a = Math.imul(a ^ (b >>> 16), 0xc2b2ae3d);
  a ^= a >>> 16;
  b = Math.imul(b ^ a, 0x27d4eb2f);
  b ^= b >>> 15;
  a = Math.imul(a ^ b, 0x165667b1);
  a ^= a >>> 14;
  const hash = (b & 0x1fffff) * 0x100000000 + (a >>> 0);
  return (bits & 0x8080_8080) === 0 ? hash : -1 - hash;
}

/** The bytes as a string, one character a byte: the identity of a series as the key of a Map. It shares no memory. */
export function labelKey(labels: Uint8Array): string {
  return Buffer.from(labels.buffer, labels.byteOffset, labels.byteLength).toString('latin1');
}

/** The value of `__name__`, or an empty text; what is not UTF-8 in it is replaced. Throws WireError on bytes that are no labels. */
export function metricName(labels: LabelBytes): string {
  const reader = new ProtoReader(labels);
  while (reader.nextField()) {
    reader.delimited();
    const { nameStart, nameEnd, valueStart, valueEnd } = labelSpan(labels, reader.valueStart, reader.valueEnd);
    if (readableText(labels, nameStart, nameEnd) === '__name__') return readableText(labels, valueStart, valueEnd);
  }
  return '';
}

/** The first label when it is `__name__`, else nothing. Two series that begin with the same one are of the same metric. */
export function nameEntry(labels: LabelBytes): Uint8Array {
  const reader = new ProtoReader(labels);
  if (!reader.nextField()) return labels.subarray(0, 0);
  reader.delimited();
  const { nameStart, nameEnd } = labelSpan(labels, reader.valueStart, reader.valueEnd);
  return labels.subarray(0, readableText(labels, nameStart, nameEnd) === '__name__' ? reader.position : 0);
}

/**
 * The labels as PromQL writes them, `{__name__="x", a="b"}`, for logs: at most 1 KiB of UTF-8, control characters escaped,
 * invalid UTF-8 replaced. Never throws; what cannot be read is left out.
 */
export function formatLabels(labels: Uint8Array): string {
  let text = '{';
  let broken = false;
  let whole = 0;
  const reader = new ProtoReader(labels);
  try {
    while (text.length <= MAX_FORMATTED_BYTES && reader.nextField()) {
      if (reader.field !== 1) {
        reader.skip();
        continue;
      }
      reader.delimited();
      const span = labelSpan(labels, reader.valueStart, reader.valueEnd);
      const name = formatName(readableText(labels, span.nameStart, span.nameEnd));
      text += `${text === '{' ? '' : ', '}${name}=${quote(readableText(labels, span.valueStart, span.valueEnd))}`;
      whole = reader.position;
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    broken = true;
  }
  if (!broken && whole === labels.length && Buffer.byteLength(text) < MAX_FORMATTED_BYTES) return `${text}}`;
  const cut = Buffer.from(text, 'utf8').subarray(0, MAX_FORMATTED_BYTES - 8);
  // Decoding as a stream leaves out a character that the cut went through.
  return `${new TextDecoder().decode(cut, { stream: true })}…}`;
}

/** The label entries (field 1) of a series message in which other fields stand between them, side by side in a new array. */
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

interface LabelSpan {
  nameStart: number;
  nameEnd: number;
  valueStart: number;
  valueEnd: number;
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

/** An unsigned varint below 2^28 in its shortest form; -1 for anything else. */
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

function spansOf(region: Uint8Array): LabelSpan[] {
  const spans: LabelSpan[] = [];
  const reader = new ProtoReader(region);
  while (reader.nextField()) {
    if (reader.field !== 1) throw new WireError('corrupt', `field ${reader.field} stands among the labels of a series`);
    reader.delimited();
    if (spans.length === MAX_LABELS) throw tooManyLabels();
    spans.push(labelSpan(region, reader.valueStart, reader.valueEnd));
  }
  return spans;
}

function labelSpan(bytes: Uint8Array, start: number, end: number): LabelSpan {
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

function compareSpans(bytes: Uint8Array, aStart: number, aEnd: number, bStart: number, bEnd: number): number {
  const shorter = Math.min(aEnd - aStart, bEnd - bStart);
  for (let index = 0; index < shorter; index++) {
    const difference = (bytes[aStart + index] as number) - (bytes[bStart + index] as number);
    if (difference !== 0) return difference;
  }
  return aEnd - aStart - (bEnd - bStart);
}

function entrySize(nameLength: number, valueLength: number): number {
  const inner = innerSize(nameLength, valueLength);
  return 1 + uvarintSize(inner) + inner;
}

function innerSize(nameLength: number, valueLength: number): number {
  return 2 + uvarintSize(nameLength) + nameLength + uvarintSize(valueLength) + valueLength;
}

function writeEntry(out: Uint8Array, at: number, name: Uint8Array, value: Uint8Array): number {
  let position = writeEntryHead(out, at, name.length, value.length);
  out.set(name, position);
  position = writeValueHead(out, position + name.length, value.length);
  out.set(value, position);
  return position + value.length;
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

/** A byte order mark is part of a label like any other character. */
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lenientUtf8 = new TextDecoder('utf-8', { ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  try {
    return strictUtf8.decode(bytes.subarray(start, end));
  } catch (error) {
    throw new WireError('invalid-labels', `a label is not valid UTF-8: ${formatLabels(bytes)}`, { cause: error });
  }
}

function readableText(bytes: Uint8Array, start: number, end: number): string {
  return lenientUtf8.decode(bytes.subarray(start, Math.min(end, start + MAX_FORMATTED_BYTES)));
}

function formatName(name: string): string {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) ? name : quote(name);
}

function quote(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function tooManyLabels(): WireError {
  return new WireError('corrupt', `a series with more than ${MAX_LABELS} labels`);
}
