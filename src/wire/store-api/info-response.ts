// What a component of Thanos says that it has: the response of the Info API, and of the older one that was a part of the StoreAPI.

import { DELIMITED, ProtoReader } from '../proto-reader.ts';
import { labelSpan } from '../label-spans.ts';

/** Names and values, in the order of the names. */
export type StoreLabels = readonly (readonly [name: string, value: string])[];

interface StoreRange {
  /** Both inclusive. Rounded where they are far outside of what Prometheus can store. */
  readonly minMs: number;
  readonly maxMs: number;
}

/** Data with the same external labels. */
export interface StoredData extends StoreRange {
  readonly labels: StoreLabels;
}

export interface StoreInfo {
  /** In lower case: `query`, `sidecar`, `store`, `receive`, `rule`. */
  readonly component: string;
  /** Undefined: it serves no StoreAPI at present. */
  readonly range: StoreRange | undefined;
  readonly labelSets: readonly StoreLabels[];
  /** Only newer releases have it. */
  readonly stored: readonly StoredData[];
}

const LABEL_SETS = 1;
const COMPONENT = 2;
const STORE = 3;
const MIN_TIME = 1;
const MAX_TIME = 2;
const STORED = 6;
const STORED_LABELS = 1;
const STORED_MIN = 2;
const STORED_MAX = 3;

const OLD_MIN_TIME = 2;
const OLD_MAX_TIME = 3;
const OLD_COMPONENT = 4;
const OLD_LABEL_SETS = 5;
const OLD_COMPONENTS = ['unknown', 'query', 'rule', 'sidecar', 'store', 'receive', 'debug'];

/** Added by a Store Gateway for old releases. It is not a label of any data. */
const COMPATIBILITY_LABEL = '@thanos_compatibility_store_type';

const TEXT = new TextDecoder();

/** Reads `thanos.info.InfoResponse`. @throws WireError */
export function readStoreInfo(bytes: Uint8Array): StoreInfo {
  const reader = new ProtoReader(bytes);
  const labelSets: StoreLabels[] = [];
  const stored: StoredData[] = [];
  let component = '';
  let range: StoreRange | undefined;
  while (reader.nextField()) {
    if (reader.field === LABEL_SETS) labelSets.push(labelsIn(delimited(reader)));
    else if (reader.field === COMPONENT) component = textIn(reader);
    else if (reader.field === STORE) range = rangeIn(delimited(reader), stored);
    else reader.skip();
  }
  return { component: component.toLowerCase(), range, labelSets: labelSets.filter(isOfData), stored };
}

/** Reads the `thanos.InfoResponse` of a StoreAPI before 0.22. @throws WireError */
export function readOldStoreInfo(bytes: Uint8Array): StoreInfo {
  const reader = new ProtoReader(bytes);
  const labelSets: StoreLabels[] = [];
  let [type, minMs, maxMs] = [0, 0, 0];
  while (reader.nextField()) {
    if (reader.field === OLD_COMPONENT) type = reader.int64();
    else if (reader.field === OLD_MIN_TIME) minMs = reader.int64();
    else if (reader.field === OLD_MAX_TIME) maxMs = reader.int64();
    else if (reader.field === OLD_LABEL_SETS) labelSets.push(labelsIn(delimited(reader)));
    else reader.skip();
  }
  const component = OLD_COMPONENTS[type] ?? 'unknown';
  return { component, range: { minMs, maxMs }, labelSets: labelSets.filter(isOfData), stored: [] };
}

function rangeIn(reader: ProtoReader, stored: StoredData[]): StoreRange {
  let [minMs, maxMs] = [0, 0];
  while (reader.nextField()) {
    if (reader.field === MIN_TIME) minMs = reader.int64();
    else if (reader.field === MAX_TIME) maxMs = reader.int64();
    // Some releases have a time at its place.
    else if (reader.field === STORED && reader.wireType === DELIMITED) stored.push(storedIn(delimited(reader)));
    else reader.skip();
  }
  return { minMs, maxMs };
}

function storedIn(reader: ProtoReader): StoredData {
  let labels: StoreLabels = [];
  let [minMs, maxMs] = [0, 0];
  while (reader.nextField()) {
    if (reader.field === STORED_LABELS) labels = labelsIn(delimited(reader));
    else if (reader.field === STORED_MIN) minMs = reader.int64();
    else if (reader.field === STORED_MAX) maxMs = reader.int64();
    else reader.skip();
  }
  return { labels, minMs, maxMs };
}

function labelsIn(reader: ProtoReader): StoreLabels {
  const labels: [string, string][] = [];
  while (reader.nextField()) {
    reader.delimited();
    const { bytes } = reader;
    const span = labelSpan(bytes, reader.valueStart, reader.valueEnd);
    const text = (start: number, end: number) => TEXT.decode(bytes.subarray(start, end));
    labels.push([text(span.nameStart, span.nameEnd), text(span.valueStart, span.valueEnd)]);
  }
  return labels.sort(([a], [b]) => (a < b ? -1 : 1));
}

function isOfData(labels: StoreLabels): boolean {
  return !labels.some(([name]) => name === COMPATIBILITY_LABEL);
}

function delimited(reader: ProtoReader): ProtoReader {
  reader.delimited();
  return new ProtoReader(reader.bytes, reader.valueStart, reader.valueEnd);
}

function textIn(reader: ProtoReader): string {
  reader.delimited();
  return TEXT.decode(reader.bytes.subarray(reader.valueStart, reader.valueEnd));
}
