// Compares one part of a window: the source's responses with the destination's. Walks the source series by series, and looks each one up in
// the destination. Samples that only the destination has are extra.

import { setImmediate } from 'node:timers/promises';
import { labelKey } from '../../wire/label-hash.ts';
import { formatLabels } from '../../wire/label-text.ts';
import { canonicalLabels, type LabelBytes } from '../../wire/labels.ts';
import { borrowColumns } from '../../wire/kernel/kernel.ts';
import { ChunkedCursor, type SeriesCursor } from '../../wire/responses/read-response.ts';
import { SampleColumns } from '../../wire/sample-columns.ts';
import type { SourcePart } from '../read/window-part.ts';
import { mergeByTime } from '../series/series-merge.ts';
import type { Route, SeriesRouter } from '../series/series-router.ts';
import type { ArrivingSeries } from './arriving-series.ts';
import type { DestinationPart } from './destination-reader.ts';
import { haveSameChunks } from './likely-series.ts';
import { type DifferenceSink, SampleComparison, SeriesTally } from './sample-comparison.ts';
import type { LabelBorders } from './label-borders.ts';
import type { PartOfNames } from './metric-names.ts';
import type { SeriesIndex } from './series-index.ts';

/**
 * Gets each series that has samples on either side, with how it compares; valid until it returns. `hash` is −1 for a series that the source does
 * not have. `sources` are the labels of the source's series that it is made of, before relabelling.
 * @returns whether to report every single difference of the series
 */
export type SeriesVisitor = (
  labels: LabelBytes,
  hash: number,
  tally: SeriesTally,
  sources: readonly LabelBytes[],
) => boolean;

export interface PartComparisonOptions {
  readonly router: Pick<SeriesRouter, 'route'>;
  /** Which series to compare; undefined: all. By the hash of the labels that they are written with. */
  readonly only?: (hash: number) => boolean;
  readonly visit: SeriesVisitor;
  /** Gets each series of which other parts of the window may have samples. It is not compared. */
  readonly leave: (labels: LabelBytes, hash: number) => void;
  /** Gets every single difference of the series for which `visit` returns true. */
  readonly report: (labels: string, difference: Parameters<DifferenceSink>[0]) => void;
  /** Gets each series of the source that has native histograms. */
  readonly hasHistograms: (labels: LabelBytes) => void;
  /** Whether series that the source does not have count as extra. */
  readonly countsExtraSeries: (labels: LabelBytes) => boolean;
  readonly countsExtra: boolean;
}

/** The destination's response could not be decoded. */
export class UndecodableDestination extends Error {
  override readonly name = 'UndecodableDestination';
}

type WriteRoute = Extract<Route, { kind: 'write' }>;

interface Merging {
  readonly route: WriteRoute;
  /** By source series. */
  readonly inputs: Map<string, SampleColumns>;
  /** Their labels. */
  readonly sources: LabelBytes[];
}

const NO_SOURCES: readonly LabelBytes[] = [];

/** Signals, timers and sockets get a turn even if there is nothing to wait for. */
const SERIES_BETWEEN_YIELDS = 1000;

export class PartComparison {
  readonly #options: PartComparisonOptions;
  readonly #part: SourcePart;
  readonly #index: SeriesIndex;
  readonly #arriving: ArrivingSeries | undefined;
  readonly #names: PartOfNames | undefined;
  readonly #borders: LabelBorders | undefined;
  readonly #samples: SampleComparison;
  #mine = new SampleColumns();
  #theirs = new SampleColumns();
  readonly #tally = new SeriesTally();
  readonly #source: LabelBytes[] = [];
  readonly #merging = new Map<number, Map<string, Merging>>();
  #sinceYield = 0;

  constructor(part: SourcePart, destination: DestinationPart, options: PartComparisonOptions) {
    this.#options = options;
    this.#part = part;
    this.#index = destination.index;
    this.#arriving = destination.arriving;
    this.#names = destination.names;
    this.#borders = destination.borders;
    const samples = part.samplesOnly || destination.lens.samples;
    const lens = { ...destination.lens, samples, queriedSource: part.isQueried === true };
    const { countsRepeats } = destination;
    this.#samples = new SampleComparison({ lens, countsRepeats, countsExtra: options.countsExtra });
  }

  /** @throws WireError when the source's response can't be decoded; UndecodableDestination; Indivisible; the signal's reason */
  async run(signal: AbortSignal): Promise<void> {
    using mine = borrowColumns();
    using theirs = borrowColumns();
    this.#mine = mine.columns;
    this.#theirs = theirs.columns;
    this.#index.restart();
    if (this.#arriving?.areAllCounted !== true) await this.#compareSource(signal);
    for (const sets of this.#merging.values()) for (const held of sets.values()) this.#compareMerged(held);
    this.#compareExtraSeries();
  }

  async #compareSource(signal: AbortSignal): Promise<void> {
    const { hashes, repeated } = this.#part.outline;
    let entry = 0;
    for (const cursor of this.#part.cursors) {
      cursor.rewind();
      while (cursor.next()) {
        const number = entry++;
        if (this.#arriving?.isCounted(number) === true) continue;
        const { labels } = cursor;
        const hash = hashes[number] as number;
        this.#borders?.check(hash >= 0 ? labels : canonicalLabels(labels));
        const route: Route = hash >= 0 ? { kind: 'write', labels, hash } : this.#options.router.route(labels);
        const { only } = this.#options;
        if (only !== undefined && !(route.kind === 'write' && only(route.hash))) continue;
        if (route.kind === 'write' && this.#names?.lacks(route.labels) === true) {
          this.#options.leave(route.labels, route.hash);
          continue;
        }
        if (++this.#sinceYield === SERIES_BETWEEN_YIELDS) {
          this.#sinceYield = 0;
          await setImmediate();
          signal.throwIfAborted();
        }
        if (route.kind === 'write' && repeated.has(route.hash)) this.#hold(cursor, route);
        else this.#compare(cursor, route, number);
      }
    }
  }

  /** @param number of the entry, in the order of the responses */
  #compare(cursor: SeriesCursor, route: Route, number: number): void {
    if (route.kind === 'drop') return;
    this.#tally.clear();
    if (route.kind === 'write' && this.#areSameChunks(cursor, route, number)) {
      if (this.#tally.samples > 0) this.#options.visit(route.labels, route.hash, this.#tally, NO_SOURCES);
      return;
    }
    const { fromMs, toMs } = this.#part;
    this.#mine.clear();
    cursor.decode(fromMs, toMs, this.#mine);
    mergeByTime(this.#mine, 'repeat');
    if (route.kind === 'write') {
      this.#source[0] = cursor.labels;
      this.#compareColumns(route, this.#mine, this.#source);
      return;
    }
    this.#tally.samples = this.#mine.floats + this.#mine.histograms.length;
    if (this.#tally.samples === 0) return;
    this.#tally.expect('invalid_labels', this.#tally.samples);
    this.#options.visit(route.labels, -1, this.#tally, NO_SOURCES);
  }

  /** Whether both sides have the same chunks of a series, so that nothing has to be decoded. */
  #areSameChunks(mine: SeriesCursor, { labels, hash }: WriteRoute, number: number): boolean {
    if (!(mine instanceof ChunkedCursor)) return false;
    if (!this.#index.hasSame(number, hash)) {
      let areSame = false;
      const found = this.#index.visit(labels, hash, (theirs) => {
        areSame = haveSameChunks(mine, theirs);
      });
      if (found !== 1 || !areSame) return false;
    }
    const samples = mine.samplesInside(this.#part.fromMs, this.#part.toMs);
    if (samples === undefined) return false;
    this.#tally.samples = samples;
    this.#tally.equal = samples;
    return true;
  }

  #compareColumns({ labels, hash }: WriteRoute, mine: SampleColumns, sources: readonly LabelBytes[]): void {
    const theirs = this.#theirs;
    theirs.clear();
    this.#index.visit(labels, hash, (cursor) => this.#decodeDestination(cursor, theirs));
    if (mine.histograms.length > 0) this.#options.hasHistograms(labels);
    if (mine.floats + mine.histograms.length + theirs.floats + theirs.histograms.length === 0) return;
    this.#samples.compare(mine, theirs, this.#tally);
    if (this.#options.visit(labels, hash, this.#tally, sources)) this.#report(labels, mine, theirs);
  }

  #report(labels: LabelBytes, mine: SampleColumns, theirs: SampleColumns): void {
    const text = formatLabels(labels);
    this.#samples.compare(mine, theirs, new SeriesTally(), (difference) => this.#options.report(text, difference));
  }

  #compareExtraSeries(): void {
    const { countsExtra, countsExtraSeries, only } = this.#options;
    // A re-read of some series reports only those. What else is extra was reported before.
    if (!countsExtra || only !== undefined) return;
    const none = new SampleColumns(1);
    for (const { labels, cursor } of this.#index.unused()) {
      if (!countsExtraSeries(labels)) continue;
      this.#theirs.clear();
      this.#decodeDestination(cursor, this.#theirs);
      if (this.#theirs.floats + this.#theirs.histograms.length === 0) continue;
      this.#tally.clear();
      this.#samples.compare(none, this.#theirs, this.#tally);
      if (this.#options.visit(labels, -1, this.#tally, NO_SOURCES)) this.#report(labels, none, this.#theirs);
    }
  }

  /** Several series of the source become this one, or several responses contain it. */
  #hold(cursor: SeriesCursor, route: WriteRoute): void {
    const { fromMs, toMs } = this.#part;
    const sets = getOrAdd(this.#merging, route.hash, () => new Map<string, Merging>());
    const held = getOrAdd(sets, labelKey(route.labels), () => ({
      route: { ...route, labels: route.labels.slice() },
      inputs: new Map<string, SampleColumns>(),
      sources: [],
    }));
    const input = labelKey(canonicalLabels(cursor.labels));
    const columns = getOrAdd(held.inputs, input, () => {
      held.sources.push(cursor.labels.slice());
      return new SampleColumns(cursor.sampleBound);
    });
    cursor.decode(fromMs, toMs, columns);
  }

  #compareMerged({ route, inputs, sources }: Merging): void {
    const mine = this.#mine;
    mine.clear();
    for (const columns of inputs.values()) mine.append(columns);
    mergeByTime(mine, 'repeat');
    this.#tally.clear();
    this.#compareColumns(route, mine, sources);
  }

  #decodeDestination(cursor: SeriesCursor, columns: SampleColumns): void {
    const { fromMs, toMs } = this.#part;
    try {
      cursor.decode(fromMs, toMs, columns);
    } catch (error) {
      throw new UndecodableDestination(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
