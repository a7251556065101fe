// Reads the destination's response to the same slice in the same parts as the source's: up to the labels with which the source's next part begins.

import { DoesNotFit } from '../../remote/does-not-fit.ts';
import type { Buffers } from '../../remote/http/buffers.ts';
import type { Endpoint } from '../../remote/http/endpoint.ts';
import type { LabelBytes } from '../../wire/labels.ts';
import type { MemoryBudget } from '../limits/memory-budget.ts';
import { Reservation } from '../limits/reservation.ts';
import { damagedResponse } from '../progress/damaged-response.ts';
import type { Appearance } from '../progress/destination-view.ts';
import { Indivisible } from '../read/earlier-series.ts';
import type { Slice } from '../read/slice.ts';
import type { CompanionParts, SourcePart } from '../read/window-part.ts';
import type { DestinationPart, DestinationStream } from './destination-reader.ts';
import { indexOf } from './destination-index.ts';
import { LabelBorders } from './label-borders.ts';

export interface DestinationPartsOptions {
  readonly endpoint: Endpoint;
  readonly appearance: Appearance;
  readonly budget: MemoryBudget;
  readonly buffers: Buffers;
  /** A request that was sent. */
  readonly opened: Promise<DestinationStream>;
}

export class DestinationParts implements CompanionParts<DestinationPart> {
  readonly #options: DestinationPartsOptions;
  readonly #slice: Slice;
  readonly #signal: AbortSignal;
  /** Holds what has arrived of the next part. */
  #following: Reservation | undefined;
  /** Where the next part begins; undefined at the start. */
  #from: LabelBytes | undefined;
  #hasEnded = false;

  constructor(options: DestinationPartsOptions, slice: Slice, signal: AbortSignal) {
    this.#options = options;
    this.#slice = slice;
    this.#signal = signal;
    options.opened.catch(() => undefined);
  }

  async next(source: SourcePart): Promise<DestinationPart> {
    const { budget, buffers, endpoint } = this.#options;
    const reservation = this.#following ?? new Reservation(budget, buffers);
    this.#following = undefined;
    try {
      return await this.#read(source, reservation);
    } catch (error) {
      reservation.release();
      this.#signal.throwIfAborted();
      if (error instanceof DoesNotFit) error.side = endpoint.side;
      throw damagedResponse(error, this.#slice.attempt) ?? error;
    }
  }

  async close(): Promise<void> {
    this.#following?.release();
    this.#following = undefined;
    const stream = await this.#options.opened.catch(() => undefined);
    await stream?.close();
  }

  async #read(source: SourcePart, reservation: Reservation): Promise<DestinationPart> {
    const { opened, appearance } = this.#options;
    const { nextLabels } = source;
    const signal = this.#signal;
    const stream = await opened;
    const isWhole = this.#from === undefined && nextLabels === undefined;
    if (!isWhole && !stream.divides) throw new Indivisible('the destination sends its response as a whole');
    const cursors = [];
    if (!this.#hasEnded) {
      const { cursor, isLast, carried } = await stream.nextUntil(nextLabels, reservation, signal);
      cursors.push(cursor);
      this.#hasEnded = isLast;
      if (!isLast) this.#following = reservation.split(carried, 0);
    }
    const borders = isWhole ? undefined : new LabelBorders(this.#from, nextLabels);
    this.#from = nextLabels;
    const grow = (bytes: number) => reservation.grow(bytes, signal);
    const index = await indexOf(cursors, { appearance, borders, source, grow });
    const { lens, countsRepeats } = stream.kind();
    return { index, arriving: undefined, lens, countsRepeats, names: undefined, borders, reservation };
  }
}
