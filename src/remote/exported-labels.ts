// The labels of a line of VictoriaMetrics' export, from the JSON object `{"__name__":"up","job":"a"}`. A large export has a line for each series
// and window, so the usual form is not parsed as JSON but copied, byte for byte.

import { compareSpans } from '../wire/label-spans.ts';
import { canonicalLabels, encodeLabels, type LabelBytes, MAX_ENTRY_OVERHEAD, writeEntry } from '../wire/labels.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
/** Labels that are inserted in order one by one. Few series have more. */
const MAX_PLACES = 64;

/** Where the JSON text of a label begins and ends, without quotes. */
interface Place {
  nameAt: number;
  nameEnd: number;
  valueAt: number;
  valueEnd: number;
}

export class ExportedLabels {
  #region = new Uint8Array(1024);
  /** Of the labels of one line, in the order of their names. */
  readonly #places: Place[] = [];

  /**
   * @returns the labels, valid until the next call; undefined if the text is not an object of strings
   * @throws WireError when a name has two values
   */
  of(json: Buffer): LabelBytes | undefined {
    return this.#find(json) ? canonicalLabels(this.#copy(json)) : parsedLabels(json);
  }

  /** @returns false if the text has another form: escapes, spaces */
  #find(json: Buffer): boolean {
    this.#places.length = 0;
    if (json[0] !== OPEN_OBJECT) return false;
    if (json.length === 2) return json[1] === CLOSE_OBJECT;
    for (let at = 1; ; ) {
      const nameEnd = endOfString(json, at);
      if (nameEnd === undefined || json[nameEnd + 1] !== COLON) return false;
      const valueEnd = endOfString(json, nameEnd + 2);
      if (valueEnd === undefined) return false;
      this.#insert(json, { nameAt: at + 1, nameEnd, valueAt: nameEnd + 3, valueEnd });
      at = valueEnd + 2;
      const separator = json[valueEnd + 1];
      if (separator === CLOSE_OBJECT) return at === json.length;
      if (separator !== COMMA || this.#places.length === MAX_PLACES) return false;
    }
  }

  /** VictoriaMetrics orders the names by how often they occur in most setups. */
  #insert(json: Buffer, place: Place): void {
    const places = this.#places;
    let index = places.length;
    for (; index > 0; index--) {
      const { nameAt, nameEnd } = places[index - 1] as Place;
      if (compareSpans(json, nameAt, nameEnd, place.nameAt, place.nameEnd) <= 0) break;
      places[index] = places[index - 1] as Place;
    }
    places[index] = place;
  }

  #copy(json: Buffer): Uint8Array {
    const bound = json.length + this.#places.length * MAX_ENTRY_OVERHEAD;
    if (this.#region.length < bound) this.#region = new Uint8Array(2 * bound);
    let size = 0;
    for (const { nameAt, nameEnd, valueAt, valueEnd } of this.#places) {
      const value = json.subarray(valueAt, valueEnd);
      size = writeEntry(this.#region, size, json.subarray(nameAt, nameEnd), value);
    }
    return this.#region.subarray(0, size);
  }
}

/** Where the quote is that ends the string; undefined without one, or if the string is not written as it is. */
function endOfString(json: Buffer, from: number): number | undefined {
  if (json[from] !== QUOTE) return undefined;
  for (let at = from + 1; at < json.length; at++) {
    const byte = json[at] as number;
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) return undefined;
  }
  return undefined;
}

function parsedLabels(json: Buffer): LabelBytes | undefined {
  try {
    const labels: unknown = JSON.parse(json.toString('utf8'));
    if (typeof labels !== 'object' || labels === null || Array.isArray(labels)) return undefined;
    const pairs = Object.entries(labels);
    return pairs.every((pair): pair is [string, string] => typeof pair[1] === 'string')
      ? encodeLabels(pairs)
      : undefined;
  } catch {
    return undefined;
  }
}
