// Series that arrive decoded, as from a query API, in three blocks of memory instead of one object per series. The cursor has the interface
// of the cursors over remote_read responses, so that the comparison needs only one form.

import type { LabelBytes } from '../../wire/labels.ts';
import type { SeriesCursor } from '../../wire/responses/read-response.ts';
import type { SampleColumns } from '../../wire/sample-columns.ts';
import { EntryCursor } from './entry-cursor.ts';

/** Reserves memory before it is used; throws when there is not enough. */
export type Grow = (bytes: number) => Promise<void>;

interface Histograms {
  readonly timesMs: readonly number[];
  readonly messages: readonly Uint8Array[];
}

const BYTES_PER_FLOAT = 16;
const BYTES_PER_ENTRY = 8;
/** Per histogram, in addition to its message. */
const BYTES_PER_HISTOGRAM = 160;
const GROWTH = 1.25;
const FIRST_FLOATS = 4096;
const FIRST_ENTRIES = 256;
const FIRST_LABEL_BYTES = 16 * 1024;
/** SampleColumns grow by doubling. */
const DECODED_BYTES_PER_FLOAT = 24;

export class StoredSeries extends EntryCursor implements SeriesCursor {
  readonly #grow: Grow;
  #floats = 0;
  #timesMs = new Float64Array(0);
  #bits = new Uint32Array(0);
  protected labelBytes = new Uint8Array(0);
  #labelsUsed = 0;
  /** Where each entry's labels end, and its floats. */
  protected labelEnds = new Uint32Array(0);
  #floatEnds = new Uint32Array(0);
  protected entries = 0;
  readonly #histograms = new Map<number, Histograms>();

  constructor(grow: Grow) {
    super();
    this.#grow = grow;
  }

  /** Appends an entry: a series, or a part of one. @throws what `grow` throws */
  async add(labels: LabelBytes, columns: SampleColumns): Promise<void> {
    const { floats, histograms } = columns;
    if (this.#isTooSmall(labels.length, floats)) await this.#makeRoom(labels.length, floats);
    if (histograms.length > 0) await this.#addHistograms(columns);
    this.labelBytes.set(labels, this.#labelsUsed);
    this.#labelsUsed += labels.length;
    this.#timesMs.set(columns.floatTimesMs.subarray(0, floats), this.#floats);
    this.#bits.set(columns.floatBits.subarray(0, 2 * floats), 2 * this.#floats);
    this.#floats += floats;
    this.labelEnds[this.entries] = this.#labelsUsed;
    this.#floatEnds[this.entries] = this.#floats;
    this.entries++;
  }

  get parts(): number {
    return this.sampleBound;
  }

  get sampleBound(): number {
    return this.#floatsOfEntry + (this.#histograms.get(this.entry)?.timesMs.length ?? 0);
  }

  get decodedBytes(): number {
    const histograms = this.#histograms.get(this.entry)?.timesMs.length ?? 0;
    return this.#floatsOfEntry * DECODED_BYTES_PER_FLOAT + histograms * BYTES_PER_HISTOGRAM;
  }

  decode(fromMs: number, toMs: number, columns: SampleColumns): void {
    const end = this.#floatEnds[this.entry] as number;
    columns.reserve(this.#floatsOfEntry);
    for (let i = end - this.#floatsOfEntry; i < end; i++) {
      const timeMs = this.#timesMs[i] as number;
      if (timeMs < fromMs || timeMs >= toMs) continue;
      columns.addFloat(timeMs, this.#bits[2 * i] as number, this.#bits[2 * i + 1] as number);
    }
    const { timesMs, messages } = this.#histograms.get(this.entry) ?? { timesMs: [], messages: [] };
    for (const [i, timeMs] of timesMs.entries()) {
      if (timeMs >= fromMs && timeMs < toMs) columns.addHistogram(timeMs, messages[i] as Uint8Array);
    }
  }

  get #floatsOfEntry(): number {
    return (this.#floatEnds[this.entry] as number) - (this.#floatEnds[this.entry - 1] ?? 0);
  }

  #isTooSmall(labelBytes: number, floats: number): boolean {
    return (
      this.entries === this.labelEnds.length ||
      this.#labelsUsed + labelBytes > this.labelBytes.length ||
      this.#floats + floats > this.#timesMs.length
    );
  }

  async #makeRoom(labelBytes: number, floats: number): Promise<void> {
    const entryRoom = roomFor(this.entries + 1, this.labelEnds.length, FIRST_ENTRIES);
    const labelRoom = roomFor(this.#labelsUsed + labelBytes, this.labelBytes.length, FIRST_LABEL_BYTES);
    const floatRoom = roomFor(this.#floats + floats, this.#timesMs.length, FIRST_FLOATS);
    await this.#grow(
      (entryRoom - this.labelEnds.length) * BYTES_PER_ENTRY +
        (labelRoom - this.labelBytes.length) +
        (floatRoom - this.#timesMs.length) * BYTES_PER_FLOAT,
    );
    if (entryRoom > this.labelEnds.length) {
      this.labelEnds = new Uint32Array(this.labelEnds.buffer.transfer(entryRoom * 4));
      this.#floatEnds = new Uint32Array(this.#floatEnds.buffer.transfer(entryRoom * 4));
    }
    if (labelRoom > this.labelBytes.length) {
      this.labelBytes = new Uint8Array(this.labelBytes.buffer.transfer(labelRoom));
    }
    if (floatRoom > this.#timesMs.length) {
      this.#timesMs = new Float64Array(this.#timesMs.buffer.transfer(floatRoom * 8));
      this.#bits = new Uint32Array(this.#bits.buffer.transfer(floatRoom * 8));
    }
  }

  async #addHistograms({ histogramTimesMs, histograms }: SampleColumns): Promise<void> {
    const bytes = histograms.reduce((sum, { length }) => sum + length + BYTES_PER_HISTOGRAM, 0);
    await this.#grow(bytes);
    this.#histograms.set(this.entries, { timesMs: [...histogramTimesMs], messages: [...histograms] });
  }
}

/** Grows by a quarter: what is not used is memory that a longer window would have. */
function roomFor(needed: number, room: number, first: number): number {
  return needed <= room ? room : Math.max(needed, Math.ceil(room * GROWTH), first);
}
