// The labels of a series as VictoriaMetrics writes them: the metric name, then names and values in turn, each closed by a separator.

import { WireError } from '../errors.ts';
import { KERNEL, type Kernel } from '../kernel/kernel.ts';
import { hashLabels } from '../label-hash.ts';
import { compareSpans, type LabelSpan, MAX_LABELS, tooManyLabels } from '../label-spans.ts';
import { canonicalLabels, type LabelBytes, MAX_ENTRY_OVERHEAD, writeSpan } from '../labels.ts';

const ESCAPE = 0x00;
const SEPARATOR = 0x01;
/** An escaped byte is written as one of these characters. */
const FIRST_ESCAPED = 0x30;
const LAST_ESCAPED = 0x32;

const NAME = new TextEncoder().encode('__name__');
const FIRST_ROOM = 1024;
/** Few series have more labels. */
const MAX_INSERTED = 64;

/** Makes no object for a series or a label. */
export class MetricNames {
  /** Of the labels that were returned last, as `hashLabels`. */
  hash = 0;
  readonly #kernel: Kernel | null;
  #out = new Uint8Array(FIRST_ROOM);
  /** NAME, and then the parts of the series without escapes and separators. */
  #text = new Uint8Array(FIRST_ROOM);
  #textBytes = 0;
  /** Where the last part ended in the bytes, its separator included. */
  #next = 0;
  /** The first `#labels` are those of the series, in the order of the names. */
  readonly #spans: LabelSpan[] = [];
  #labels = 0;

  constructor(kernel = KERNEL) {
    this.#kernel = kernel;
    this.#text.set(NAME);
  }

  /**
   * @returns the labels, valid until the next call
   * @throws WireError
   */
  labelsOf(bytes: Uint8Array): LabelBytes {
    const size = this.#kernel?.blocks.labels(bytes, this.#out) ?? -1;
    if (this.#kernel !== null && size >= 0) {
      this.hash = this.#kernel.blocks.labelsHash;
      return this.#out.subarray(0, size);
    }
    const labels = this.#labelsOf(bytes);
    this.hash = hashLabels(labels);
    return labels;
  }

  #labelsOf(bytes: Uint8Array): LabelBytes {
    this.#next = 0;
    this.#labels = 0;
    this.#textBytes = NAME.length;
    if (this.#text.length < NAME.length + bytes.length) this.#text = grown(this.#text, NAME.length + bytes.length);
    const metricEnd = this.#part(bytes);
    if (metricEnd > NAME.length) this.#insert(0, NAME.length, metricEnd);
    while (this.#next < bytes.length) {
      const nameStart = this.#textBytes;
      const nameEnd = this.#part(bytes);
      if (this.#labels >= MAX_LABELS) throw tooManyLabels();
      this.#insert(nameStart, nameEnd, this.#part(bytes));
    }
    const bound = this.#textBytes + this.#labels * MAX_ENTRY_OVERHEAD;
    if (this.#out.length < bound) this.#out = new Uint8Array(2 * bound);
    let size = 0;
    for (let i = 0; i < this.#labels; i++) size = writeSpan(this.#out, size, this.#text, this.#spans[i] as LabelSpan);
    return canonicalLabels(this.#out.subarray(0, size));
  }

  /**
   * The value is behind the name. VictoriaMetrics puts common names such as `instance` and `job` first. Beyond some labels, `canonicalLabels`
   * sorts.
   */
  #insert(nameStart: number, nameEnd: number, valueEnd: number): void {
    const spans = this.#spans;
    const text = this.#text;
    let index = this.#labels++;
    const span = spans[index] ?? { nameStart, nameEnd, valueStart: nameEnd, valueEnd };
    span.nameStart = nameStart;
    span.nameEnd = nameEnd;
    span.valueStart = nameEnd;
    span.valueEnd = valueEnd;
    for (; index > 0 && this.#labels <= MAX_INSERTED; index--) {
      const before = spans[index - 1] as LabelSpan;
      if (compareSpans(text, before.nameStart, before.nameEnd, nameStart, nameEnd) <= 0) break;
      spans[index] = before;
    }
    spans[index] = span;
  }

  /** Appends the next part to the text. @returns where it ends there */
  #part(bytes: Uint8Array): number {
    const text = this.#text;
    let size = this.#textBytes;
    for (let at = this.#next; at < bytes.length; at++) {
      let byte = bytes[at] as number;
      if (byte === SEPARATOR) {
        this.#next = at + 1;
        this.#textBytes = size;
        return size;
      }
      if (byte === ESCAPE) {
        const code = bytes[++at] ?? 0;
        if (code < FIRST_ESCAPED || code > LAST_ESCAPED)
          throw new WireError('corrupt', 'a label has an unknown escape sequence');
        byte = code - FIRST_ESCAPED;
      }
      text[size++] = byte;
    }
    throw new WireError('truncated', 'the labels of a series are cut off');
  }
}

function grown(bytes: Uint8Array, needed: number): Uint8Array<ArrayBuffer> {
  const more = new Uint8Array(2 * needed);
  more.set(bytes);
  return more;
}
