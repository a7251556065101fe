// A walk over a response's series that decodes no sample: what the writer and the planner have to know of all of them first. A server decides
// how many there are, so that whatever grows with them is reserved before it grows.

import type { SeriesCursor } from '../../wire/responses/read-response.ts';
import { WireError } from '../../wire/errors.ts';
import { type LabelBytes, metricName, nameEntry } from '../../wire/labels.ts';
import type { Reservation } from '../limits/reservation.ts';
import { BYTES_PER_SERIES, SeriesHashes } from '../series/series-hashes.ts';
import type { Route, SeriesRouter } from '../series/series-router.ts';

export interface Outline {
  /** Series entries, also those whose samples may all lie outside the window. */
  readonly entries: number;
  /** At least as many samples as the response holds. */
  readonly sampleBound: number;
  /** Of all entries' labels as they stand in the response. */
  readonly labelBytes: number;
  /** Hashes of label sets that more than one entry has after relabelling. */
  readonly repeated: ReadonlySet<number>;
  /**
   * For each entry, in the order of the response: the hash of its labels when they are written as they stand there, so that they need not be
   * looked at a second time; else −1.
   */
  readonly hashes: Float64Array;
  /** Metric names after relabelling, of a part that is to be compared with the destination; undefined for any other. */
  readonly names: ReadonlySet<string> | undefined;
}

export interface OutlineOptions {
  readonly router: Pick<SeriesRouter, 'route'>;
  /** Whether the part will be compared with the destination. */
  readonly uncertain: boolean;
  /** Of the response; what decoding will need on top of it is reserved here as well. */
  readonly reservation: Pick<Reservation, 'grow' | 'shrink'>;
  readonly signal: AbortSignal;
}

/** @throws WireError when an encoding is unknown or the message is broken; DoesNotFit; the signal's reason */
export async function outlineOf(cursors: readonly SeriesCursor[], options: OutlineOptions): Promise<Outline> {
  const { router } = options;
  const draft = new OutlineDraft(options);
  try {
    for (const cursor of cursors) {
      while (cursor.next()) {
        if (draft.isFull) await draft.makeRoom();
        draft.add(cursor, router.route(cursor.labels));
      }
      cursor.rewind();
    }
    return await draft.finish();
  } finally {
    draft.close();
  }
}

/** Of a label set that several entries go to, beside its labels, of which there are three copies then. */
const BYTES_PER_HELD_SERIES = 800;
const LABEL_COPIES_HELD = 3;
const BYTES_PER_REPEATED_HASH = 40;

/** What comparing an uncertain window holds of each series (its identity) and of each sample (its timestamp). */
const BYTES_PER_COMPARED_SERIES = 400;
const BYTES_PER_COMPARED_SAMPLE = 8;

const FIRST_ROOM = 256;
const FIRST_REPEATED = 64;
const BYTES_PER_ENTRY = 8;

class OutlineDraft {
  readonly #options: OutlineOptions;
  readonly #seen = new SeriesHashes(0);
  readonly #repeated = new Set<number>();
  readonly #names: NameSet | undefined;
  #hashes = new Float64Array(0);
  /** So many hashes of repeated label sets are reserved. */
  #repeatedRoom = 0;
  /** Reserved for the comparison with the destination. */
  #comparisonBytes = 0;
  #entries = 0;
  #sampleBound = 0;
  #largestBytes = 0;
  #decodedBytes = 0;
  #labelBytes = 0;

  constructor(options: OutlineOptions) {
    this.#options = options;
    this.#names = options.uncertain ? new NameSet() : undefined;
  }

  /** Nothing more can be added before `makeRoom`. */
  get isFull(): boolean {
    return this.#entries === this.#hashes.length || this.#repeated.size === this.#repeatedRoom;
  }

  async makeRoom(): Promise<void> {
    const { reservation, signal } = this.#options;
    if (this.#repeated.size === this.#repeatedRoom) {
      const more = Math.max(FIRST_REPEATED, this.#repeatedRoom);
      await reservation.grow(more * BYTES_PER_REPEATED_HASH, signal);
      this.#repeatedRoom += more;
    }
    await this.#reserveComparison();
    if (this.#entries < this.#hashes.length) return;
    const before = this.#hashes.length;
    const room = Math.max(FIRST_ROOM, 2 * before);
    // While it is copied the memory before is there as well.
    await reservation.grow(room * (BYTES_PER_ENTRY + BYTES_PER_SERIES), signal);
    this.#seen.grow(room);
    this.#hashes = new Float64Array(this.#hashes.buffer.transfer(room * BYTES_PER_ENTRY));
    reservation.shrink(before * (BYTES_PER_ENTRY + BYTES_PER_SERIES));
  }

  add(cursor: SeriesCursor, route: Route): void {
    const { labels, sampleBound, decodedBytes } = cursor;
    this.#sampleBound += sampleBound;
    if (decodedBytes > this.#largestBytes) this.#largestBytes = decodedBytes;
    this.#decodedBytes += decodedBytes;
    this.#labelBytes += labels.length;
    this.#hashes[this.#entries++] = route.kind === 'write' && route.labels === labels ? route.hash : -1;
    if (route.kind !== 'write') return;
    if (!this.#seen.add(route.hash)) this.#repeated.add(route.hash);
    this.#names?.addNameOf(route.labels);
  }

  /** Reserves what decoding needs. */
  async finish(): Promise<Outline> {
    const { reservation, signal } = this.#options;
    if (this.#sampleBound > Number.MAX_SAFE_INTEGER) {
      throw new WireError('corrupt', 'the response claims more samples than are possible');
    }
    this.#seen.free();
    reservation.shrink(this.#hashes.length * BYTES_PER_SERIES);
    const heldForMerge =
      this.#repeated.size === 0
        ? 0
        : this.#decodedBytes + this.#entries * BYTES_PER_HELD_SERIES + LABEL_COPIES_HELD * this.#labelBytes;
    await this.#reserveComparison();
    await reservation.grow(this.#largestBytes + heldForMerge, signal);
    return {
      entries: this.#entries,
      sampleBound: this.#sampleBound,
      labelBytes: this.#labelBytes,
      repeated: this.#repeated,
      hashes: this.#hashes,
      names: this.#names?.names,
    };
  }

  /** Gives up what only the walk needed. */
  close(): void {
    this.#seen.free();
  }

  /** Millions of series without samples would fill memory before anything is decoded. */
  async #reserveComparison(): Promise<void> {
    if (this.#names === undefined) return;
    const bytes =
      this.#entries * BYTES_PER_COMPARED_SERIES + this.#labelBytes + this.#sampleBound * BYTES_PER_COMPARED_SAMPLE;
    await this.#options.reservation.grow(bytes - this.#comparisonBytes, this.#options.signal);
    this.#comparisonBytes = bytes;
  }
}

/** Series of one metric follow each other, and mostly begin with its name: it is decoded once, not once a series. */
class NameSet {
  readonly names = new Set<string>();
  #lastEntry = new Uint8Array(0);

  addNameOf(labels: LabelBytes): void {
    const last = this.#lastEntry;
    if (last.length > 0 && Buffer.compare(last, labels.subarray(0, last.length)) === 0) return;
    this.names.add(metricName(labels));
    this.#lastEntry = nameEntry(labels).slice();
  }
}
