// Reads the same slices from the destination as from the source, and indexes the destination's series for the comparison.

import type { Endpoint } from '../../remote/http/endpoint.ts';
import type { Buffers } from '../../remote/http/buffers.ts';
import { damagedResponse } from '../progress/damaged-response.ts';
import type { Appearance } from '../progress/destination-view.ts';
import type { MemoryBudget } from '../limits/memory-budget.ts';
import { Reservation } from '../limits/reservation.ts';
import type { Slice } from '../read/slice.ts';
import type { Companion } from '../read/window-part.ts';
import type { Matcher } from '../plan/migration-plan.ts';
import { DestinationIndex } from './destination-index.ts';
import type { DestinationPart, DestinationReader } from './destination-reader.ts';
import type { Selection } from './selection.ts';

export interface DestinationCompanionOptions {
  readonly endpoint: Endpoint;
  readonly reader: DestinationReader;
  readonly appearance: Appearance;
  readonly selection: Selection;
  readonly budget: MemoryBudget;
  readonly buffers: Buffers;
  /** Selects fewer series, by the same matcher in the source and in the destination. */
  readonly only?: Matcher | undefined;
}

export class DestinationCompanion implements Companion<DestinationPart> {
  readonly endpoint: Endpoint;
  readonly needsNames: boolean;
  readonly budgetBytes: number;
  readonly #options: DestinationCompanionOptions;

  constructor(options: DestinationCompanionOptions) {
    this.#options = options;
    this.endpoint = options.endpoint;
    this.budgetBytes = options.budget.total;
    this.needsNames = options.selection.needsNames;
  }

  async read(slice: Slice, names: ReadonlySet<string> | undefined, signal: AbortSignal): Promise<DestinationPart> {
    const { budget, buffers } = this.#options;
    const reservation = new Reservation(budget, buffers);
    try {
      return await this.#read(slice, names, reservation, signal);
    } catch (error) {
      reservation.release();
      signal.throwIfAborted();
      throw damagedResponse(error, slice.attempt) ?? error;
    }
  }

  async #read(
    { fromMs, toMs, names: partition, attempt }: Slice,
    names: ReadonlySet<string> | undefined,
    reservation: Reservation,
    signal: AbortSignal,
  ): Promise<DestinationPart> {
    const { reader, appearance, selection, only } = this.#options;
    const selectors = selection.selectorsFor(partition, names);
    const range = {
      selectors: only === undefined ? selectors : selectors.map((matchers) => [...matchers, only]),
      fromMs,
      toMs,
      untilMs: appearance.rangeEndMs(toMs),
    };
    const { cursors, lens, countsRepeats } = await reader.read(range, reservation, { attempt, signal });
    const index = new DestinationIndex(cursors, (shown) => appearance.writtenLabels(shown));
    await index.build((bytes) => reservation.grow(bytes, signal));
    return { index, lens, countsRepeats: countsRepeats && !appearance.showsCopies, reservation };
  }
}
