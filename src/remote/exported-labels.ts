// The labels of a line of VictoriaMetrics' export, from the JSON object `{"__name__":"up","job":"a"}`. A large export has a line for each series
// and window, so the usual form is not parsed as JSON but copied, byte for byte.

import { canonicalLabels, encodeLabels, type LabelBytes, MAX_ENTRY_OVERHEAD, writeEntry } from '../wire/labels.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
/** `"":"",` */
const MIN_JSON_BYTES = 6;

export class ExportedLabels {
  #region = new Uint8Array(1024);

  /**
   * @returns the labels, valid until the next call; undefined if the text is not an object of strings
   * @throws WireError when a name has two values
   */
  of(json: Buffer): LabelBytes | undefined {
    const size = this.#copy(json);
    return size === undefined ? parsedLabels(json) : canonicalLabels(this.#region.subarray(0, size));
  }

  /** @returns the bytes of the region; undefined if the text has another form: escapes, spaces */
  #copy(json: Buffer): number | undefined {
    const bound = Math.ceil(json.length / MIN_JSON_BYTES) * MAX_ENTRY_OVERHEAD + json.length;
    if (this.#region.length < bound) this.#region = new Uint8Array(bound);
    if (json[0] !== OPEN_OBJECT) return undefined;
    if (json.length === 2) return json[1] === CLOSE_OBJECT ? 0 : undefined;
    let size = 0;
    for (let at = 1; ; ) {
      const nameEnd = endOfString(json, at);
      if (nameEnd === undefined || json[nameEnd + 1] !== COLON) return undefined;
      const valueEnd = endOfString(json, nameEnd + 2);
      if (valueEnd === undefined) return undefined;
      const value = json.subarray(nameEnd + 3, valueEnd);
      size = writeEntry(this.#region, size, json.subarray(at + 1, nameEnd), value);
      at = valueEnd + 2;
      const separator = json[valueEnd + 1];
      if (separator === CLOSE_OBJECT) return at === json.length ? size : undefined;
      if (separator !== COMMA) return undefined;
    }
  }
}

/** Where the quote is that ends the string; undefined if there is none, or if the string is not written as it is. */
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
