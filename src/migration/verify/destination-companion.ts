// Reads the same slices from the destination as from the source, and indexes the destination's series for the comparison.

import { DoesNotFit } from '../../remote/does-not-fit.ts';
import type { Buffers } from '../../remote/http/buffers.ts';
import type { Endpoint } from '../../remote/http/endpoint.ts';
import { canonicalLabels, type LabelBytes } from '../../wire/labels.ts';
import type { MemoryBudget } from '../limits/memory-budget.ts';
import { Reservation } from '../limits/reservation.ts';
import { damagedResponse } from '../progress/damaged-response.ts';
import type { Appearance } from '../progress/destination-view.ts';
import type { Slice } from '../read/slice.ts';
import type { Companion, SourcePart } from '../read/window-part.ts';
import type { SeriesRouter } from '../series/series-router.ts';
import { ArrivingSeries, SeriesInPieces } from './arriving-series.ts';
import type { DestinationPart, DestinationReader } from './destination-reader.ts';
import type { SelectedSeries, Selection } from './selection.ts';
import { SeriesIndex } from './series-index.ts';

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
    const compares = reader.comparesOnArrival && source !== undefined;
    try {
      return await this.#attempt(slice, source, { signal, compares });
    } catch (error) {
      if (!(error instanceof SeriesInPieces)) throw error;
      reader.noteSeriesInPieces();
      return await this.#attempt(slice, source, { signal, compares: false });
    }
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
      const arriving = compares && source !== undefined ? this.#arriving(source) : undefined;
      await arriving?.prepare((bytes) => reservation.grow(bytes, signal));
      return await this.#read(slice, source, { reservation, signal, arriving });
    } catch (error) {
      reservation.release();
      signal.throwIfAborted();
      if (error instanceof DoesNotFit) error.side = this.endpoint.side;
      throw damagedResponse(error, slice.attempt) ?? error;
    }
  }

  #arriving(source: SourcePart): ArrivingSeries {
    const { router, appearance, countsExtra, only } = this.#options;
    const writtenLabels = (shown: LabelBytes) => appearance.writtenLabels(shown);
    const { showsCopies } = appearance;
    return new ArrivingSeries({ source, router, writtenLabels, showsCopies, countsExtra, only });
  }

  async #read(
    { fromMs, toMs, names: partition, attempt }: Slice,
    source: SourcePart | undefined,
    {
      reservation,
      signal,
      arriving,
    }: { reservation: Reservation; signal: AbortSignal; arriving: ArrivingSeries | undefined },
  ): Promise<DestinationPart> {
    const { reader, appearance, selection, only } = this.#options;
    // The matcher is for the names in the source. Where others are needed, they are those of what was read there.
    const matcher = selection.needsNames ? undefined : only.matcher;
    const selectors = selection.selectorsFor(partition, source?.outline.names);
    const range = {
      selectors: matcher === undefined ? selectors : selectors.map((matchers) => [...matchers, matcher]),
      fromMs,
      toMs,
      untilMs: appearance.rangeEndMs(toMs),
    };
    const { cursors, lens, countsRepeats } = await reader.read(range, reservation, { attempt, signal, arriving });
    const writtenLabels = (shown: Uint8Array) => appearance.writtenLabels(canonicalLabels(shown));
    const index = new SeriesIndex(cursors, { writtenLabels });
    await index.build((bytes) => reservation.grow(bytes, signal));
    index.dropSeriesOfEarlierResponses();
    return { index, arriving, lens, countsRepeats: countsRepeats && !appearance.showsCopies, reservation };
  }
}
