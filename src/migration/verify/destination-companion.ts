// Reads the same slices from the destination as from the source, and indexes the destination's series for the comparison.

import { DoesNotFit } from '../../remote/does-not-fit.ts';
import type { Buffers } from '../../remote/http/buffers.ts';
import type { Endpoint } from '../../remote/http/endpoint.ts';
import { canonicalLabels, type LabelBytes, metricName } from '../../wire/labels.ts';
import type { MemoryBudget } from '../limits/memory-budget.ts';
import { Reservation } from '../limits/reservation.ts';
import { damagedResponse } from '../progress/damaged-response.ts';
import type { Appearance } from '../progress/destination-view.ts';
import type { Slice } from '../read/slice.ts';
import type { Companion, SourcePart } from '../read/window-part.ts';
import { isAllNames } from '../series/name-partition.ts';
import type { SeriesRouter } from '../series/series-router.ts';
import { ArrivingSeries, SeriesInPieces } from './arriving-series.ts';
import { indexOf } from './destination-index.ts';
import { DestinationParts } from './destination-parts.ts';
import type { DestinationPart, DestinationRange, DestinationReader } from './destination-reader.ts';
import type { MetricNames, PartOfNames } from './metric-names.ts';
import type { SelectedSeries, Selection } from './selection.ts';

export interface DestinationCompanionOptions {
  readonly endpoint: Endpoint;
  readonly reader: DestinationReader;
  readonly appearance: Appearance;
  readonly selection: Selection;
  readonly budget: MemoryBudget;
  readonly buffers: Buffers;
  readonly router: Pick<SeriesRouter, 'route'>;
  readonly countsExtra: boolean;
  readonly only: SelectedSeries;
  /** Undefined if no relabeling can change a name. */
  readonly names: MetricNames | undefined;
}

interface Attempt {
  readonly reservation: Reservation;
  readonly signal: AbortSignal;
  readonly arriving: ArrivingSeries | undefined;
  readonly names: PartOfNames | undefined;
}

export class DestinationCompanion implements Companion<DestinationPart> {
  readonly endpoint: Endpoint;
  readonly needsSource: boolean;
  readonly budgetBytes: number;
  readonly #options: DestinationCompanionOptions;

  constructor(options: DestinationCompanionOptions) {
    this.#options = options;
    this.endpoint = options.endpoint;
    this.budgetBytes = options.budget.total;
    this.needsSource = options.selection.needsNames || options.reader.arrivesDecoded;
  }

  async read(slice: Slice, source: SourcePart | undefined, signal: AbortSignal): Promise<DestinationPart> {
    const { reader } = this.#options;
    if (source !== undefined) this.#learnNames(slice, source);
    const compares = reader.comparesOnArrival && source !== undefined;
    try {
      return await this.#attempt(slice, source, { signal, compares });
    } catch (error) {
      if (!(error instanceof SeriesInPieces)) throw error;
      reader.noteSeriesInPieces();
      return await this.#attempt(slice, source, { signal, compares: false });
    }
  }

  /** Only for a reader of streams, and where the selectors and the labels are the same on both sides. */
  open(slice: Slice, signal: AbortSignal): DestinationParts {
    const { reader } = this.#options;
    if (reader.open === undefined) throw new Error('the destination does not send streams');
    const opened = reader.open(this.#rangeOf(slice, undefined), { attempt: slice.attempt, signal });
    return new DestinationParts({ ...this.#options, opened }, slice, signal);
  }

  /** @param compares whether to compare series while they arrive */
  async #attempt(
    slice: Slice,
    source: SourcePart | undefined,
    { signal, compares }: { signal: AbortSignal; compares: boolean },
  ): Promise<DestinationPart> {
    const { budget, buffers } = this.#options;
    const reservation = new Reservation(budget, buffers);
    try {
      const names = this.#options.names?.part(slice.names);
      const arriving = compares && source !== undefined ? this.#arriving(source, names) : undefined;
      await arriving?.prepare((bytes) => reservation.grow(bytes, signal));
      return await this.#read(slice, source, { reservation, signal, arriving, names });
    } catch (error) {
      reservation.release();
      signal.throwIfAborted();
      if (error instanceof DoesNotFit) error.side = this.endpoint.side;
      throw damagedResponse(error, slice.attempt) ?? error;
    }
  }

  /** Only where a part of the names is read: otherwise all series of the window arrive together. */
  #learnNames({ names: partition }: Slice, { cursors }: SourcePart): void {
    const { names, router } = this.#options;
    if (names === undefined || isAllNames(partition)) return;
    for (const cursor of cursors) {
      cursor.rewind();
      while (cursor.next()) {
        const route = router.route(cursor.labels);
        if (route.kind === 'write') names.learn(metricName(canonicalLabels(cursor.labels)), metricName(route.labels));
      }
      cursor.rewind();
    }
  }

  #arriving(source: SourcePart, names: PartOfNames | undefined): ArrivingSeries {
    const { router, appearance, countsExtra, only } = this.#options;
    const writtenLabels = (shown: LabelBytes) => appearance.writtenLabels(shown);
    const { showsCopies } = appearance;
    return new ArrivingSeries({ source, router, writtenLabels, showsCopies, countsExtra, only, names });
  }

  async #read(
    slice: Slice,
    source: SourcePart | undefined,
    { reservation, signal, arriving, names }: Attempt,
  ): Promise<DestinationPart> {
    const { reader, appearance } = this.#options;
    const { attempt } = slice;
    const range = this.#rangeOf(slice, source);
    const { cursors, lens, countsRepeats } = await reader.read(range, reservation, { attempt, signal, arriving });
    const index = await indexOf(cursors, { appearance, source, grow: (bytes) => reservation.grow(bytes, signal) });
    const repeats = countsRepeats && !appearance.showsCopies;
    return { index, arriving, lens, countsRepeats: repeats, names, reservation };
  }

  #rangeOf({ fromMs, toMs, names }: Slice, source: SourcePart | undefined): DestinationRange {
    const { appearance, selection, only } = this.#options;
    // The matcher is for the names in the source. Where others are needed, they are those of what was read there.
    const matcher = selection.needsNames ? undefined : only.matcher;
    const selectors = selection.selectorsFor(names, source?.outline.names);
    return {
      selectors: matcher === undefined ? selectors : selectors.map((matchers) => [...matchers, matcher]),
      fromMs,
      toMs,
      untilMs: appearance.rangeEndMs(toMs),
      confirms: only.has !== undefined,
    };
  }
}
