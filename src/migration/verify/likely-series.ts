// Recognizes the series of one response in another one that has nearly the same series in the same order, so that neither their labels have to
// be checked nor their hashes computed a second time. Most have the same chunks, too, which is seen in passing.

import { compareLabels } from '../../wire/label-order.ts';
import { canonicalLabels, type LabelBytes } from '../../wire/labels.ts';
import { ChunkedCursor, type SeriesCursor } from '../../wire/responses/read-response.ts';
import type { SourcePart } from '../read/window-part.ts';

const NONE = -1;

export class LikelySeries {
  readonly #part: Pick<SourcePart, 'cursors' | 'outline'>;
  #response = 0;
  #entry = NONE;
  /** Of the entry. Undefined before the first one and after the last one. */
  #labels: Uint8Array | undefined;
  #cursor: SeriesCursor | undefined;
  /** By entry: 1 if the other response has the same chunks of the series. */
  readonly #same: Uint8Array;

  readonly #isWrittenAs: (shown: LabelBytes) => boolean;

  /**
   * Rewinds the part's cursors and moves them.
   * @param isWrittenAs whether a series was written with the labels that the other response shows, canonical ones
   */
  constructor(part: Pick<SourcePart, 'cursors' | 'outline'>, isWrittenAs: (shown: LabelBytes) => boolean) {
    this.#part = part;
    this.#isWrittenAs = isWrittenAs;
    this.#same = new Uint8Array(part.outline.entries);
    part.cursors[0]?.rewind();
    this.#next();
  }

  /** The memory that it takes. */
  static bytesFor({ outline }: Pick<SourcePart, 'outline'>): number {
    return outline.entries;
  }

  /**
   * The calls follow the order of the other response. A series that is not found costs time, but nothing else.
   * @param other the entry of the other response
   * @returns the hash of its labels, which then are canonical, and with which it was written; −1 if the series is not found
   */
  hashOf(other: SeriesCursor): number {
    if (this.#labels === undefined) return NONE;
    const shown = other.labels;
    if (Buffer.compare(this.#labels, shown) !== 0 && !this.#catchUp(shown)) return NONE;
    const entry = this.#entry;
    const hash = this.#part.outline.hashes[entry] as number;
    const isFound = hash !== NONE && this.#isWrittenAs(shown);
    if (isFound && haveSameChunks(this.#cursor, other)) this.#same[entry] = 1;
    this.#next();
    return isFound ? hash : NONE;
  }

  /** @param entry of the part. @returns whether an entry of the other response has the same labels, as they are in the responses, and the same chunks */
  isSame(entry: number): boolean {
    return this.#same[entry] === 1;
  }

  /** Passes the series that come before the other one. */
  #catchUp(shown: Uint8Array): boolean {
    const wanted = canonicalLabels(shown);
    if (wanted !== shown) return false;
    while (this.#labels !== undefined) {
      const isCanonical = (this.#part.outline.hashes[this.#entry] as number) !== NONE;
      const order = isCanonical ? compareLabels(this.#labels, wanted) : -1;
      if (order >= 0) return order === 0;
      this.#next();
    }
    return false;
  }

  #next(): void {
    const { cursors } = this.#part;
    this.#entry++;
    for (let cursor = cursors[this.#response]; cursor !== undefined; cursor = cursors[this.#response]) {
      if (cursor.next()) {
        this.#labels = cursor.labels;
        this.#cursor = cursor;
        return;
      }
      cursor.rewind();
      cursors[++this.#response]?.rewind();
    }
    this.#labels = undefined;
    this.#cursor = undefined;
  }
}

/** Whether the entries have the same chunks, so that nothing has to be decoded. */
export function haveSameChunks(one: SeriesCursor | undefined, other: SeriesCursor): boolean {
  return (
    one instanceof ChunkedCursor && other instanceof ChunkedCursor && Buffer.compare(one.chunks, other.chunks) === 0
  );
}
