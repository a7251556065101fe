// Walks a response's series without decoding samples, and collects what the writer and the planner must know first. The server decides how many
// series there are, so everything that grows with them reserves memory before it grows.

import type { SeriesCursor } from '../../wire/responses/read-response.ts';
import { WireError } from '../../wire/errors.ts';
import { type LabelBytes, metricName, nameEntry } from '../../wire/labels.ts';
import type { Reservation } from '../limits/reservation.ts';
import { BYTES_PER_SERIES, SeriesHashes } from '../series/series-hashes.ts';
import type { Route, SeriesRouter } from '../series/series-router.ts';
import type { EarlierSeries } from './earlier-series.ts';

export interface Outline {
  /** Series entries, including those whose samples may all lie outside the window. */
  readonly entries: number;
  /** An upper bound of the samples in the response. */
  readonly sampleBound: number;
  /** The memory that the samples of the largest entry take when they are decoded. */
  readonly largestBytes: number;
  /** The labels of all entries, encoded as in the response. */
  readonly labelBytes: number;
  /** Hashes of label sets that several entries share after relabelling. */
  readonly repeated: ReadonlySet<number>;
  /**
   * For each entry, in the order of the response: the hash of its labels if they are written unchanged, so that they need not be inspected
   * again; otherwise −1.
   */
  readonly hashes: Float64Array;
  /** Metric names after relabelling, if the part will be compared with the destination; otherwise undefined. */
  readonly names: ReadonlySet<string> | undefined;
}

export interface OutlineOptions {
  readonly router: Pick<SeriesRouter, 'route'>;
  /** Whether the part will be compared with the destination. */
  readonly uncertain: boolean;
  /** The reservation of the response. Memory that decoding needs is reserved here too. */
  readonly reservation: Pick<Reservation, 'grow' | 'shrink'>;
  readonly signal: AbortSignal;
  /** For a part of a response: the series of the parts before it. Those of this part are added. */
  readonly earlier?: EarlierSeries;
}

/** @throws WireError when an encoding is unknown or the message is malformed; DoesNotFit; SeriesInTwoParts; the signal's reason */
export async function outlineOf(cursors: readonly SeriesCursor[], options: OutlineOptions): Promise<Outline> {
  const { router } = options;
  const draft = new OutlineDraft(options);
  try {
    for (const cursor of cursors) {
      while (cursor.next()) {
        if (draft.isFull) await draft.makeRoom();
        draft.add(cursor, router.route(cursor.labels, cursor.usualHash));
      }
      cursor.rewind();
    }
    return await draft.finish();
  } finally {
    draft.close();
  }
}

/** Per label set that several entries share. Its labels come on top, in three copies. */
const BYTES_PER_HELD_SERIES = 800;
const LABEL_COPIES_HELD = 3;
const BYTES_PER_REPEATED_HASH = 40;

/** What the comparison of an uncertain window keeps per series (its identity) and per sample (its timestamp). */
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
  /** The number of hashes of repeated label sets that memory is reserved for. */
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

  /** Nothing can be added before the next `makeRoom`. */
  get isFull(): boolean {
    return this.#entries === this.#hashes.length || this.#repeated.size === this.#repeatedRoom;
  }

  async makeRoom(): Promise<void> {
    const { reservation, signal, earlier } = this.#options;
    if (this.#repeated.size === this.#repeatedRoom) {
      const more = Math.max(FIRST_REPEATED, this.#repeatedRoom);
      await reservation.grow(more * BYTES_PER_REPEATED_HASH, signal);
      this.#repeatedRoom += more;
    }
    await this.#reserveComparison();
    if (this.#entries < this.#hashes.length) return;
    const before = this.#hashes.length;
    const room = Math.max(FIRST_ROOM, 2 * before);
    await earlier?.makeRoom(room - before, reservation, signal);
    // While the data is copied, the old memory is still in use.
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
    if (this.#seen.add(route.hash)) this.#options.earlier?.add(route.hash);
    else this.#repeated.add(route.hash);
    this.#names?.addNameOf(route.labels);
  }

  /** Reserves the memory that decoding needs. */
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
      largestBytes: this.#largestBytes,
      labelBytes: this.#labelBytes,
      repeated: this.#repeated,
      hashes: this.#hashes,
      names: this.#names?.names,
    };
  }

  /** Frees what only the walk needed. */
  close(): void {
    this.#seen.free();
  }

  /** Without this reservation, millions of series without samples would fill memory before anything is decoded. */
  async #reserveComparison(): Promise<void> {
    if (this.#names === undefined) return;
    const bytes =
      this.#entries * BYTES_PER_COMPARED_SERIES + this.#labelBytes + this.#sampleBound * BYTES_PER_COMPARED_SAMPLE;
    await this.#options.reservation.grow(bytes - this.#comparisonBytes, this.#options.signal);
    this.#comparisonBytes = bytes;
  }
}

/** Series of one metric are adjacent and usually start with its name, so the name is decoded once per metric instead of once per series. */
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
