// What the reader hands to the writer: a window's answer, complete and checked, or (when one second of data was still too much) the
// answer for some of its metric names.

import { WireError } from '../../wire/errors.ts';
import { type LabelBytes, metricName, nameEntry } from '../../wire/labels.ts';
import type { SeriesCursor } from '../../wire/responses/read-response.ts';
import { DoesNotFit } from '../../remote/does-not-fit.ts';
import type { Reservation } from '../limits/reservation.ts';
import type { SeriesResponse } from '../../remote/read-series.ts';
import { SeriesHashes } from '../series/series-hashes.ts';
import type { SeriesRouter } from '../series/series-router.ts';

export interface WindowPart {
  /** The window that this is a part of; half open, in milliseconds. */
  readonly window: { readonly fromMs: number; readonly toMs: number };
  /** What this part covers of it. */
  readonly fromMs: number;
  readonly toMs: number;
  /** One a selector. */
  readonly cursors: readonly SeriesCursor[];
  readonly outline: Outline;
  readonly receivedBytes: number;
  /** Given back as soon as everything is encoded. */
  readonly reservation: Reservation;
  /** With this part the window is whole. */
  readonly last: boolean;
  /** What part of the window comes after this one, from 0 to 1: an estimate, with all portions of names taken for equally large. */
  readonly remaining: number;
  /** When the window's first request was sent, by the clock that never jumps. */
  readonly requestedAtMs: number;
  readonly samplesOnly: boolean;
  /** SAMPLES were read because the stream could not be used: some of them may differ from what the source has. */
  readonly insteadOfStream: boolean;
}

export interface Outline {
  /** Series entries, also those whose samples may all lie outside the window. */
  readonly entries: number;
  /** At least as many samples as the answer holds. */
  readonly sampleBound: number;
  /** Of all entries' labels as they stand in the answer. */
  readonly labelBytes: number;
  /** Hashes of label sets that more than one entry has after relabelling. */
  readonly repeated: ReadonlySet<number>;
  /**
   * For each entry, in the order of the answer: the hash of its labels when they are written as they stand there, so that they need not be
   * looked at a second time; else −1.
   */
  readonly hashes: Float64Array;
  /** What decoding will need on top of the answer itself. */
  readonly decodingBytes: number;
  /** Metric names after relabelling, of a part that is to be compared with the destination; undefined for any other. */
  readonly names: ReadonlySet<string> | undefined;
}

/** Of a label set that several entries go to, beside its labels, of which there are three copies then. */
const BYTES_PER_HELD_SERIES = 800;
const LABEL_COPIES_HELD = 3;
const BYTES_PER_REPEATED_HASH = 40;

/** What comparing an uncertain window holds of each series (its identity) and of each sample (its timestamp). */
const BYTES_PER_COMPARED_SERIES = 400;
const BYTES_PER_COMPARED_SAMPLE = 8;

/**
 * Walks over an answer's series without decoding a sample.
 * @param uncertain whether the part will be compared with the destination
 * @param spareBytes what the memory budget has left for decoding
 * @throws WireError when an encoding is unknown or the message is broken; DoesNotFit
 */
export function outlineOf(
  answers: readonly SeriesResponse[],
  router: SeriesRouter,
  uncertain: boolean,
  spareBytes: number,
): Outline {
  const seen = new SeriesHashes();
  let hashes = new Float64Array(256);
  const repeated = new Set<number>();
  const names = uncertain ? new NameSet() : undefined;
  let entries = 0;
  let sampleBound = 0;
  let largest = 0;
  let decodedBytes = 0;
  let labelBytes = 0;
  for (const { cursor } of answers) {
    while (cursor.next()) {
      if (entries === hashes.length) hashes = doubled(hashes);
      sampleBound += cursor.sampleBound;
      if (cursor.decodedBytes > largest) largest = cursor.decodedBytes;
      decodedBytes += cursor.decodedBytes;
      const { labels } = cursor;
      labelBytes += labels.length;
      const route = router.route(labels);
      hashes[entries++] = route.kind === 'write' && route.labels === labels ? route.hash : -1;
      if (route.kind === 'write') {
        if (!seen.add(route.hash)) repeated.add(route.hash);
        names?.addNameOf(route.labels);
      }
      // Millions of series without samples would fill memory before anything is decoded.
      const compared = uncertain ? entries * BYTES_PER_COMPARED_SERIES + labelBytes : 0;
      if (seen.bytes + hashes.byteLength + repeated.size * BYTES_PER_REPEATED_HASH + compared > spareBytes) {
        throw new DoesNotFit(`${entries} or more series do not fit into limits.memory`);
      }
    }
    cursor.rewind();
  }
  if (sampleBound > Number.MAX_SAFE_INTEGER)
    throw new WireError('corrupt', 'the response claims more samples than are possible');
  const heldForMerge =
    repeated.size === 0 ? 0 : decodedBytes + entries * BYTES_PER_HELD_SERIES + LABEL_COPIES_HELD * labelBytes;
  const heldForComparison = uncertain
    ? entries * BYTES_PER_COMPARED_SERIES + labelBytes + sampleBound * BYTES_PER_COMPARED_SAMPLE
    : 0;
  return {
    entries,
    sampleBound,
    labelBytes,
    repeated,
    hashes,
    decodingBytes: seen.bytes + hashes.byteLength + largest + heldForMerge + heldForComparison,
    names: names?.names,
  };
}

function doubled(hashes: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * hashes.length);
  larger.set(hashes);
  return larger;
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
