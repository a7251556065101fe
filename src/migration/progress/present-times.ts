// Which samples the destination already has. Matches the series that it shows with those about to be written, and reads them in pieces that fit.

import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { decodeLabels, type LabelBytes } from '../../wire/labels.ts';
import { MigrationError } from '../report/migration-error.ts';
import { DoesNotFit } from '../../remote/does-not-fit.ts';
import type { AddedLabels } from './added-labels.ts';
import type { SeriesRange } from './destination-view.ts';
import { type SeriesPiece, piecesOf, singleNames, splitPiece } from './series-pieces.ts';

type LabelSet = ReadonlyMap<string, string>;

const MAX_FOREIGN_SERIES = 10;

/**
 * The wanted series, and their timestamps that were found.
 *
 * A sample counts as present if any of the receivers that show the series has it, each under its own external labels. Requiring it from all of
 * them would be wrong: receivers that share the series among them each show only their own. A reader of the destination gets a sample
 * that one receiver has. How many copies exist is up to the destination, which acknowledged the write. If the sample were sent again, the
 * receiver that has it would refuse it, or the destination would store it twice.
 */
export class PresentTimes {
  readonly #list: () => Iterable<string>;
  readonly #added: AddedLabels;
  /** Built only if the destination shows any series: it is usually empty, and the list may have a million entries. */
  #times: Map<string, number[]> | undefined;
  /** Shown, but not wanted under these labels. */
  readonly #foreign: LabelSet[] = [];
  /** Wanted series for which the destination shows samples that may belong to another series. */
  readonly unclear = new Set<string>();

  constructor(list: () => Iterable<string>, added: AddedLabels) {
    this.#list = list;
    this.#added = added;
  }

  /** The list for the timestamps of a shown series; undefined if the series is not wanted. */
  of(shown: LabelBytes): number[] | undefined {
    const times = this.#wanted();
    const originals = this.#added.originalsOf(shown).filter((key) => times.has(key));
    const [key] = originals;
    if (key !== undefined && originals.length === 1) return times.get(key);
    for (const unclear of originals) this.unclear.add(unclear);
    if (!this.#added.isKnown) {
      if (this.#foreign.length < MAX_FOREIGN_SERIES) this.#foreign.push(new Map(decodeLabels(shown)));
      return undefined;
    }
    const base = this.#added.baseOf(shown);
    if (base !== undefined && times.has(base)) this.unclear.add(base);
    return undefined;
  }

  /**
   * Whether a shown series looks like a wanted one with added labels while it is unknown which labels the destination adds. Otherwise the
   * shown series only share the metric names.
   */
  get lookExtended(): boolean {
    if (this.#foreign.length === 0) return false;
    for (const key of this.#wanted().keys()) {
      const labels = decodeLabels(Buffer.from(key, 'latin1'));
      if (this.#foreign.some((shown) => labels.every(([name, value]) => shown.get(name) === value))) return true;
    }
    return false;
  }

  /** The wanted series that can be recognized. */
  keys(): Iterable<string> {
    return this.#wanted().keys();
  }

  /** Ascending timestamps by series. */
  sorted(): Map<string, Float64Array> {
    const sorted = new Map<string, Float64Array>();
    for (const [key, times] of this.#times ?? []) {
      if (times.length > 0) sorted.set(key, Float64Array.from(new Set(times)).sort());
    }
    return sorted;
  }

  #wanted(): Map<string, number[]> {
    if (this.#times !== undefined) return this.#times;
    const times = new Map<string, number[]>();
    const clashing = new Set<string>();
    for (const key of this.#list()) {
      const labels = this.#added.areNone ? undefined : Buffer.from(key, 'latin1');
      if (labels === undefined || !this.#added.clashWith(labels)) times.set(key, []);
      else clashing.add(this.#added.baseOf(labels) ?? key);
    }
    // In the destination's output, this series and the one with a label of an added name may look the same.
    for (const base of clashing) if (times.delete(base)) this.unclear.add(base);
    this.#times = times;
    return times;
  }
}

/** Keeps a sample once that a server shows repeatedly. */
export function addTimes(to: number[], times: Iterable<number>, fromMs: number, toMs: number): void {
  for (const timeMs of times) if (timeMs >= fromMs && timeMs < toMs && timeMs !== to.at(-1)) to.push(timeMs);
}

export interface ReadingInPieces {
  readonly isAdded: (label: string) => boolean;
  readonly canSplitTime: boolean;
  readonly learned: LearnedQueries;
}

/** What is known about the queries that a destination accepts. Updated in place. */
export interface LearnedQueries {
  /** Only those that name one metric with `=`. */
  singleNames: boolean;
}

/**
 * Reads all pieces of a range, and splits a piece that is too large to read at once, or that has several names where only one is accepted.
 * @param read adds what a piece shows to `present`. Throws DoesNotFit, or RemoteError `too-large`, when it is too large
 * @throws MigrationError `read-back-too-large` when not even the smallest piece can be read; what `read` throws
 */
export async function readInPieces(
  { names, fromMs, toMs }: Omit<SeriesRange, 'keys'>,
  present: PresentTimes,
  options: ReadingInPieces,
  read: (piece: SeriesPiece) => Promise<void>,
): Promise<void> {
  const first = piecesOf(names, fromMs, toMs);
  let left = (options.learned.singleNames ? first.flatMap(singleNames) : first).reverse();
  for (let piece = left.pop(); piece !== undefined; piece = left.pop()) {
    try {
      await read(piece);
    } catch (error) {
      if (needsSingleNames(error) && piece.names.length > 1) {
        options.learned.singleNames = true;
        left = [...left, piece].flatMap(singleNames);
        continue;
      }
      if (!isTooLarge(error)) throw error;
      const pieces = splitPiece(piece, present.keys(), options);
      if (pieces === undefined) throw readBackTooLarge(error);
      left.push(...pieces.reverse());
    }
  }
}

/** Cortex' chunks storage finds series only by a name that is given with `=`. */
function needsSingleNames(error: unknown): boolean {
  return error instanceof RemoteError && error.code === 'metric-name-required';
}

export function isTooLarge(error: unknown): error is DoesNotFit | RemoteError {
  return error instanceof DoesNotFit || (error instanceof RemoteError && error.class === 'too-large');
}

export function readBackTooLarge(cause: Error): MigrationError {
  return new MigrationError(
    'read-back-too-large',
    `the smallest part of the destination that can be read back is still too large: ${cause.message}`,
    {
      side: 'progress',
      hint: "raise spec.limits.memory (an eighth of it is for a response that is read back), or the destination's own limit",
      cause,
    },
  );
}
