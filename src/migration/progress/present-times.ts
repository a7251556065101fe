// Which samples the destination has already: what is shown is matched with the series that are about to be written, and collected in pieces
// that fit.

import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { decodeLabels, type LabelBytes } from '../../wire/labels.ts';
import { MigrationError } from '../report/migration-error.ts';
import { DoesNotFit } from '../../remote/does-not-fit.ts';
import type { AddedLabels } from './added-labels.ts';
import type { SeriesRange } from './destination-view.ts';
import { type SeriesPiece, piecesOf, splitPiece } from './series-pieces.ts';

type LabelSet = ReadonlyMap<string, string>;

const MAX_FOREIGN_SERIES = 10;

/**
 * The wanted series and the timestamps of them that were found.
 *
 * A sample counts as there when any one of the receivers that show the series has it, each under external labels of its own. Requiring it
 * of all of them would be wrong: receivers that share the series among them each show only their own. And a reader of the
 * destination gets a sample that one of them has; how many copies there are is for the destination, which acknowledged the write, to decide.
 * Sent again, it would be refused by the one that has it, or stored twice.
 */
export class PresentTimes {
  readonly #list: () => Iterable<string>;
  readonly #added: AddedLabels;
  /** Listed only when the destination shows any series at all: it is empty most of the time, and they may be a million. */
  #times: Map<string, number[]> | undefined;
  /** Shown, but not wanted under these labels. */
  readonly #foreign: LabelSet[] = [];
  /** Wanted series of which something is shown that may as well belong to another one. */
  readonly unclear = new Set<string>();

  constructor(list: () => Iterable<string>, added: AddedLabels) {
    this.#list = list;
    this.#added = added;
  }

  /** Where to put the timestamps of a shown series; undefined when it is not wanted. */
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
   * Whether a shown series looks like a wanted one with labels added, and it is not known which labels the destination adds. Otherwise the
   * shown ones are neighbours of the same metric names.
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
    // Shown, this one and the one with the label of an added name may look the same.
    for (const base of clashing) if (times.delete(base)) this.unclear.add(base);
    this.#times = times;
    return times;
  }
}

/** A sample that a server shows again and again is kept once. */
export function addTimes(to: number[], times: Iterable<number>, fromMs: number, toMs: number): void {
  for (const timeMs of times) if (timeMs >= fromMs && timeMs < toMs && timeMs !== to.at(-1)) to.push(timeMs);
}

/**
 * Reads all pieces of a range, smaller ones where one is too much at once.
 * @param read adds what a piece shows to `present`. Throws DoesNotFit, or RemoteError `too-large`, when it is too much
 * @throws MigrationError `read-back-too-large` when not even the smallest piece can be read; what `read` throws
 */
export async function readInPieces(
  { names, fromMs, toMs }: Omit<SeriesRange, 'keys'>,
  present: PresentTimes,
  options: { isAdded: (label: string) => boolean; canSplitTime: boolean },
  read: (piece: SeriesPiece) => Promise<void>,
): Promise<void> {
  const left = piecesOf(names, fromMs, toMs).reverse();
  for (let piece = left.pop(); piece !== undefined; piece = left.pop()) {
    try {
      await read(piece);
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      const pieces = splitPiece(piece, present.keys(), options);
      if (pieces === undefined) throw readBackTooLarge(error);
      left.push(...pieces.reverse());
    }
  }
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
