// Finds the entries of a series in the responses of a side: a hash table over the labels that the series is written with. It keeps no labels: an
// entry is a place in a response, and its labels are compared there.

import { hashLabels } from '../../wire/label-hash.ts';
import { canonicalLabels, type LabelBytes } from '../../wire/labels.ts';
import type { SeriesCursor } from '../../wire/responses/read-response.ts';
import type { LikelySeries } from './likely-series.ts';

export interface SeriesIndexOptions {
  /** The labels that an entry is written with, from those in the response, as they are there; undefined if it is not written. */
  readonly writtenLabels: (shown: Uint8Array) => LabelBytes | undefined;
  /** The hashes of the labels of entries that are written unchanged, in the order of the responses, where they are known; otherwise −1. */
  readonly hashes?: Float64Array;
  /** Series that are probably the same, in the same order. */
  readonly likely?: Pick<LikelySeries, 'hashOf' | 'isSame'>;
  /** The memory that decoding one entry needs at most, if it is known, and series with several entries are not decoded. */
  readonly largestBytes?: number;
  /** Gets the labels that each entry is written with, unless its hash is known, or it is one of the likely series. */
  readonly check?: (labels: LabelBytes) => void;
}

const BYTES_PER_ENTRY = 8 + 8 + 8 + 4 + 2 + 1 + 1 + 2 * 4;
const FIRST_ROOM = 1024;
const NONE = -1;

export class SeriesIndex {
  readonly #cursors: readonly SeriesCursor[];
  readonly #options: SeriesIndexOptions;
  #hashes = new Float64Array(0);
  #places = new Float64Array(0);
  /** How much memory the entry and those after it with the same hash take when they are decoded. */
  #decodedBytes = new Float64Array(0);
  /** The next entry with the same slot; NONE at the end. */
  #next = new Int32Array(0);
  #cursorOf = new Uint16Array(0);
  #used = new Uint8Array(0);
  /** 1 if the entry is written with the labels that the response shows. */
  #isShown = new Uint8Array(0);
  /** The first entry of each slot. */
  #slots = new Int32Array(0);
  #size = 0;
  /** Of one series. */
  #largestBytes = 0;

  constructor(cursors: readonly SeriesCursor[], options: SeriesIndexOptions) {
    this.#cursors = cursors;
    this.#options = options;
  }

  get entries(): number {
    return this.#size;
  }

  /**
   * Reads the labels of all entries, and reserves the memory that decoding one series needs.
   * @param grow reserves memory before it is used
   * @throws WireError; what `grow` throws
   */
  async build(grow: (bytes: number) => Promise<void>): Promise<void> {
    for (const [number, cursor] of this.#cursors.entries()) {
      cursor.rewind();
      while (cursor.next()) {
        if (this.#size === this.#places.length) await this.#makeRoom(grow);
        this.#add(this.#hashOf(cursor), cursor, number);
      }
    }
    await grow(this.#options.largestBytes ?? this.#largestBytes);
  }

  /** Two selectors may select the same series. What a later response has of it is the same again, and not stored twice. Call it after `build`. */
  dropSeriesOfEarlierResponses(): void {
    if (this.#cursors.length === 1) return;
    for (let entry = 0; entry < this.#size; entry++) {
      if (this.#hashes[entry] !== NONE && this.#isInEarlierResponse(entry)) {
        this.#hashes[entry] = NONE;
        this.#used[entry] = 1;
      }
    }
  }

  /** Forgets which entries were visited. */
  restart(): void {
    for (let entry = 0; entry < this.#size; entry++) this.#used[entry] = this.#hashes[entry] === NONE ? 1 : 0;
  }

  /**
   * Moves to each entry of a series, in no particular order, and marks it as used.
   * @param visit gets the response's cursor, at the entry, and the number of the entry in the order of the responses
   * @returns how many there are
   */
  visit(labels: LabelBytes, hash: number, visit: (cursor: SeriesCursor, entry: number) => void): number {
    let found = 0;
    for (let at = this.#first(hash); at !== NONE; at = this.#next[at] as number) {
      if (this.#hashes[at] !== hash) continue;
      const cursor = this.#seek(at);
      const written = this.#writtenLabels(at, cursor);
      if (written === undefined || Buffer.compare(written, labels) !== 0) continue;
      this.#used[at] = 1;
      found++;
      visit(cursor, at);
    }
    return found;
  }

  /**
   * Whether the only entry of a series has the same chunks as one of the likely series. Marks it as used then. Call it after `build`.
   * @param likelyEntry that series, in the order of its responses
   */
  hasSame(likelyEntry: number, hash: number): boolean {
    if (this.#options.likely?.isSame(likelyEntry) !== true) return false;
    let only = NONE;
    for (let at = this.#first(hash); at !== NONE; at = this.#next[at] as number) {
      if (this.#hashes[at] !== hash) continue;
      if (only !== NONE) return false;
      only = at;
    }
    if (only === NONE) return false;
    this.#used[only] = 1;
    return true;
  }

  /** The entries that no `visit` has found, in the order of the responses. */
  *unused(): Generator<{ readonly labels: LabelBytes; readonly cursor: SeriesCursor }, undefined> {
    for (let at = 0; at < this.#size; at++) {
      if (this.#used[at] !== 0) continue;
      const cursor = this.#seek(at);
      const labels = this.#writtenLabels(at, cursor);
      if (labels !== undefined) yield { labels, cursor };
    }
  }

  #hashOf(cursor: SeriesCursor): number {
    const { hashes, likely, writtenLabels, check } = this.#options;
    const known = hashes?.[this.#size] ?? NONE;
    this.#isShown[this.#size] = known === NONE ? 0 : 1;
    if (known !== NONE) return known;
    const likelyHash = likely?.hashOf(cursor) ?? NONE;
    if (likelyHash !== NONE) {
      this.#isShown[this.#size] = 1;
      return likelyHash;
    }
    const labels = writtenLabels(cursor.labels);
    if (labels === undefined) return NONE;
    if (labels === cursor.labels) this.#isShown[this.#size] = 1;
    check?.(labels);
    return hashLabels(labels);
  }

  #writtenLabels(entry: number, cursor: SeriesCursor): LabelBytes | undefined {
    return this.#isShown[entry] === 1 ? cursor.labels : this.#options.writtenLabels(cursor.labels);
  }

  #seek(entry: number): SeriesCursor {
    const cursor = this.#cursors[this.#cursorOf[entry] as number] as SeriesCursor;
    cursor.seek(this.#places[entry] as number);
    return cursor;
  }

  #first(hash: number): number {
    return this.#slots.length === 0 ? NONE : (this.#slots[hash % this.#slots.length] as number);
  }

  #add(hash: number, cursor: SeriesCursor, number: number): void {
    const entry = this.#size++;
    this.#hashes[entry] = hash;
    this.#places[entry] = cursor.place;
    this.#cursorOf[entry] = number;
    if (hash === NONE) {
      this.#used[entry] = 1;
      return;
    }
    if (this.#options.largestBytes === undefined) this.#measure(entry, hash, cursor.decodedBytes);
    this.#link(entry, hash);
  }

  #measure(entry: number, hash: number, decodedBytes: number): void {
    let bytes = decodedBytes;
    for (let at = this.#first(hash); at !== NONE; at = this.#next[at] as number) {
      if (this.#hashes[at] !== hash) continue;
      bytes += this.#decodedBytes[at] as number;
      break;
    }
    this.#decodedBytes[entry] = bytes;
    this.#largestBytes = Math.max(this.#largestBytes, bytes);
  }

  #link(entry: number, hash: number): void {
    if (hash === NONE) return;
    const slot = hash % this.#slots.length;
    this.#next[entry] = this.#slots[slot] as number;
    this.#slots[slot] = entry;
  }

  async #makeRoom(grow: (bytes: number) => Promise<void>): Promise<void> {
    const room = Math.max(FIRST_ROOM, 2 * this.#size);
    // While the data is copied, the old memory is still in use. It stays reserved: less than what the new one takes.
    await grow(room * BYTES_PER_ENTRY);
    const bytes = (array: { buffer: ArrayBuffer }, size: number) => array.buffer.transfer(room * size);
    this.#hashes = new Float64Array(bytes(this.#hashes, 8));
    this.#places = new Float64Array(bytes(this.#places, 8));
    this.#decodedBytes = new Float64Array(bytes(this.#decodedBytes, 8));
    this.#next = new Int32Array(bytes(this.#next, 4));
    this.#cursorOf = new Uint16Array(bytes(this.#cursorOf, 2));
    this.#used = new Uint8Array(bytes(this.#used, 1));
    this.#isShown = new Uint8Array(bytes(this.#isShown, 1));
    this.#slots = new Int32Array(2 * room).fill(NONE);
    for (let entry = 0; entry < this.#size; entry++) this.#link(entry, this.#hashes[entry] as number);
  }

  #isInEarlierResponse(entry: number): boolean {
    const hash = this.#hashes[entry] as number;
    const number = this.#cursorOf[entry] as number;
    let labels: Uint8Array | undefined;
    for (let at = this.#first(hash); at !== NONE; at = this.#next[at] as number) {
      if (this.#hashes[at] !== hash || (this.#cursorOf[at] as number) >= number) continue;
      labels ??= this.#seek(entry).labels;
      if (Buffer.compare(canonicalLabels(labels), canonicalLabels(this.#seek(at).labels)) === 0) return true;
    }
    return false;
  }
}
