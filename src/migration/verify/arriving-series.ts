// Compares the destination's series with the source's while they arrive. A series that is the same on both sides is only counted, so that a
// response takes no memory for it. All others are left to the comparison of the whole part, when both sides have arrived.

import { WireError } from '../../wire/errors.ts';
import { hashLabels } from '../../wire/label-hash.ts';
import { KERNEL } from '../../wire/kernel/kernel.ts';
import { canonicalLabels, type LabelBytes } from '../../wire/labels.ts';
import type { SeriesCursor } from '../../wire/responses/read-response.ts';
import { SampleColumns } from '../../wire/sample-columns.ts';
import type { SourcePart } from '../read/window-part.ts';
import type { VerificationCounts } from '../report/verification.ts';
import { mergeByTime } from '../series/series-merge.ts';
import type { SeriesRouter } from '../series/series-router.ts';
import type { Lens } from './float-comparison.ts';
import { SampleComparison, SeriesTally } from './sample-comparison.ts';
import type { PartOfNames } from './metric-names.ts';
import type { SelectedSeries } from './selection.ts';
import { SeriesIndex } from './series-index.ts';
import { addTally, noCounts } from './verification-counts.ts';

export interface ArrivingSeriesOptions {
  readonly source: SourcePart;
  readonly router: Pick<SeriesRouter, 'route'>;
  /** The labels that a series was written with, from those that the destination shows. */
  readonly writtenLabels: (shown: LabelBytes) => LabelBytes;
  readonly countsExtra: boolean;
  /** Whether the destination shows copies of what it stores once. */
  readonly showsCopies: boolean;
  readonly only: Pick<SelectedSeries, 'has' | 'keepsOthers'>;
  /** What it lacks is not compared. */
  readonly names?: Pick<PartOfNames, 'lacks'> | undefined;
}

/** How a response was read. */
export interface ResponseKind {
  readonly lens: Lens;
  readonly countsRepeats: boolean;
}

/** A series that was already counted arrives again in the same response. The slice has to be read without counting while it arrives. */
export class SeriesInPieces extends Error {
  override readonly name = 'SeriesInPieces';
}

const BYTES_PER_ENTRY = 4;
const NONE = 0;

export class ArrivingSeries {
  /** Of the series that need no other look. */
  readonly counts: VerificationCounts = noCounts();
  readonly #options: ArrivingSeriesOptions;
  readonly #index: SeriesIndex;
  readonly #mine = new SampleColumns();
  readonly #tally = new SeriesTally();
  #samples: SampleComparison | undefined;
  /** From 1. */
  #response = 0;
  /** By entry of the source: n if it was counted in response n, −n if it was left in response n, 0 if it has not arrived. */
  #arrivedIn = new Int32Array(0);
  /** Entries of the source. */
  #counted = 0;

  constructor(options: ArrivingSeriesOptions) {
    this.#options = options;
    const { source, router } = options;
    this.#index = new SeriesIndex(source.cursors, {
      writtenLabels: (labels) => {
        const route = router.route(labels);
        return route.kind === 'write' ? route.labels : undefined;
      },
      hashes: source.outline.hashes,
      largestBytes: source.outline.largestBytes,
    });
  }

  /** Call it first. @param grow reserves memory before it is used. @throws WireError; what `grow` throws */
  async prepare(grow: (bytes: number) => Promise<void>): Promise<void> {
    const { entries } = this.#options.source.outline;
    await grow(entries * BYTES_PER_ENTRY);
    this.#arrivedIn = new Int32Array(entries);
    await this.#index.build(grow);
  }

  /** The series of the next response follow. */
  begin({ lens, countsRepeats }: ResponseKind): void {
    const { source, countsExtra, showsCopies } = this.#options;
    this.#response++;
    this.#samples = new SampleComparison({
      lens: { ...lens, samples: lens.samples || source.samplesOnly, queriedSource: source.isQueried === true },
      countsRepeats: countsRepeats && !showsCopies,
      countsExtra,
    });
  }

  /**
   * @param theirs the samples inside the slice, at least one
   * @param mayContinue whether more of the series may follow in this response: then a series that differs is not left, and can be taken again
   * @param shownHash of the shown labels, if it is known; then they are canonical
   * @returns whether the series is not needed again; if false, it has to be kept
   * @throws SeriesInPieces
   */
  take(shown: LabelBytes, theirs: SampleColumns, mayContinue = false, shownHash?: number): boolean {
    const { writtenLabels, only, source, names } = this.#options;
    const labels = writtenLabels(shownHash === undefined ? canonicalLabels(shown) : shown);
    const hash = shownHash !== undefined && labels === shown ? shownHash : hashLabels(labels);
    if (only.has?.(hash) === false) return only.keepsOthers !== true;
    if (names?.lacks(labels) === true) return true;
    if (source.outline.repeated.has(hash)) return false;
    let isCounted = false;
    this.#index.visit(labels, hash, (cursor, entry) => {
      isCounted = this.#compare(cursor, entry, { theirs, mayContinue });
    });
    return isCounted;
  }

  /** Whether no series of the source needs another look. */
  get areAllCounted(): boolean {
    return this.#counted === this.#arrivedIn.length;
  }

  /** @param entry the number of a series in the source's responses */
  isCounted(entry: number): boolean {
    return (this.#arrivedIn[entry] as number) > NONE;
  }

  #compare(
    cursor: SeriesCursor,
    entry: number,
    { theirs, mayContinue }: { theirs: SampleColumns; mayContinue: boolean },
  ): boolean {
    const arrivedIn = this.#arrivedIn[entry] as number;
    if (arrivedIn === this.#response) throw new SeriesInPieces('a response has a series in several pieces');
    // Two selectors may select the same series. What a later response has of it is the same again.
    if (arrivedIn !== NONE) return arrivedIn > NONE;
    const isCounted = this.#isSame(cursor, theirs, mayContinue);
    if (!isCounted && mayContinue) return false;
    this.#arrivedIn[entry] = isCounted ? this.#response : -this.#response;
    if (!isCounted) return false;
    this.#counted++;
    addTally(this.counts, this.#tally);
    return true;
  }

  #isSame(cursor: SeriesCursor, theirs: SampleColumns, mayContinue: boolean): boolean {
    const borrowed = KERNEL?.blocks.borrowColumns();
    const mine = borrowed?.columns ?? this.#mine;
    try {
      if (!this.#decode(cursor, mine)) return false;
      // A difference is searched for sample by sample, which a piece of the series is not worth.
      return !(mayContinue && lacksAnEnd(theirs, mine)) && this.#areSame(mine, theirs);
    } finally {
      borrowed?.[Symbol.dispose]();
    }
  }

  /** @returns false if only the comparison of the whole part can compare the series */
  #decode(cursor: SeriesCursor, mine: SampleColumns): boolean {
    const { fromMs, toMs } = this.#options.source;
    mine.clear();
    try {
      cursor.decode(fromMs, toMs, mine);
    } catch (error) {
      // The comparison of the whole part finds it again, and reads the window again.
      if (error instanceof WireError) return false;
      throw error;
    }
    // VictoriaMetrics makes other series of a histogram, which the comparison of the whole part has to know about.
    if (mine.histogramCount > 0) return false;
    mergeByTime(mine, 'repeat');
    return true;
  }

  #areSame(mine: SampleColumns, theirs: SampleColumns): boolean {
    const tally = this.#tally;
    tally.clear();
    this.#samples?.compare(mine, theirs, tally);
    return this.#samples !== undefined && !tally.differs && tally.extra === 0;
  }
}

/** Whether the source has floats before or after those of a block, which are in the order of time. */
function lacksAnEnd(block: SampleColumns, mine: SampleColumns): boolean {
  if (block.floats === 0 || mine.floats === 0) return false;
  const starts = (block.floatTimesMs[0] as number) > (mine.floatTimesMs[0] as number);
  return starts || (block.floatTimesMs[block.floats - 1] as number) < (mine.floatTimesMs[mine.floats - 1] as number);
}
