// The labels of a series as VictoriaMetrics writes them: the metric name, then names and values in turn, each closed by a separator.

import { WireError } from '../errors.ts';
import { canonicalLabels, type LabelBytes, MAX_ENTRY_OVERHEAD, writeEntry } from '../labels.ts';
import { MAX_LABELS, tooManyLabels } from '../label-spans.ts';

const ESCAPE = 0x00;
const SEPARATOR = 0x01;
/** An escaped byte is written as one of these characters. */
const FIRST_ESCAPED = 0x30;
const LAST_ESCAPED = 0x32;

const NAME = new TextEncoder().encode('__name__');
const FIRST_ROOM = 1024;
/** Few series have more labels. */
const MAX_INSERTED = 64;

export class MetricNames {
  #out = new Uint8Array(FIRST_ROOM);
  /** Where the last part ended, its separator included. */
  #next = 0;
  /** Names and values of one series, in the order of the names. */
  readonly #names: Uint8Array[] = [];
  readonly #values: Uint8Array[] = [];

  /**
   * @returns the labels, valid until the next call
   * @throws WireError
   */
  labelsOf(bytes: Uint8Array): LabelBytes {
    this.#next = 0;
    this.#names.length = 0;
    this.#values.length = 0;
    const metric = this.#part(bytes);
    if (metric.length > 0) this.#insert(NAME, metric);
    while (this.#next < bytes.length) {
      const name = this.#part(bytes);
      if (this.#names.length >= MAX_LABELS) throw tooManyLabels();
      this.#insert(name, this.#part(bytes));
    }
    let size = 0;
    for (const [i, name] of this.#names.entries()) size = this.#write(size, name, this.#values[i] as Uint8Array);
    return canonicalLabels(this.#out.subarray(0, size));
  }

  /** VictoriaMetrics puts common names such as `instance` and `job` first. Beyond some labels, `canonicalLabels` sorts. */
  #insert(name: Uint8Array, value: Uint8Array): void {
    const [names, values] = [this.#names, this.#values];
    let index = names.length;
    while (index > 0 && names.length < MAX_INSERTED && Buffer.compare(names[index - 1] as Uint8Array, name) > 0) {
      names[index] = names[index - 1] as Uint8Array;
      values[index] = values[index - 1] as Uint8Array;
      index--;
    }
    names[index] = name;
    values[index] = value;
  }

  #part(bytes: Uint8Array): Uint8Array {
    const start = this.#next;
    const end = bytes.indexOf(SEPARATOR, start);
    if (end === -1) throw new WireError('truncated', 'the labels of a series are cut off');
    this.#next = end + 1;
    const part = bytes.subarray(start, end);
    return part.includes(ESCAPE) ? unescaped(part) : part;
  }

  #write(size: number, name: Uint8Array, value: Uint8Array): number {
    const needed = size + name.length + value.length + MAX_ENTRY_OVERHEAD;
    if (needed > this.#out.length) {
      const out = new Uint8Array(2 * needed);
      out.set(this.#out.subarray(0, size));
      this.#out = out;
    }
    return writeEntry(this.#out, size, name, value);
  }
}

function unescaped(part: Uint8Array): Uint8Array {
  const out = new Uint8Array(part.length);
  let size = 0;
  for (let at = 0; at < part.length; at++) {
    let byte = part[at] as number;
    if (byte === ESCAPE) {
      const code = part[++at] ?? 0;
      if (code < FIRST_ESCAPED || code > LAST_ESCAPED)
        throw new WireError('corrupt', 'a label has an unknown escape sequence');
      byte = code - FIRST_ESCAPED;
    }
    out[size++] = byte;
  }
  return out.subarray(0, size);
}
