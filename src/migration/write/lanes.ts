// Lanes to the destination: a series always uses the same lane, and a lane has one request in flight. So the samples of a series arrive in order
// while the lanes work in parallel.

import type { LabelBytes } from '../../wire/labels.ts';
import { WriteBatch } from '../../wire/requests/write-batch.ts';
import type { SampleColumns } from '../../wire/sample-columns.ts';
import type { DeliveryWindow } from './attempt.ts';
import type { Delivery } from './delivery.ts';
import { type Dispatch, FIRST_CAPACITY_BYTES, Lane, type RequestLimits } from './lane.ts';

/** The memory of a lane: the request that is being filled and the compressed one in flight. */
export const LANE_BYTES = 2 * 1024 * 1024;

/** What lanes need of the delivery. */
export type LaneDelivery = Pick<Delivery, 'deliver' | 'conclude'> & { readonly limits: RequestLimits };

/** Where the series of a window go. */
export interface Outlet {
  /**
   * Adds the samples of one series, in order of time.
   * @param columns sorted, one sample per timestamp; may be reused as soon as everything is added
   * @returns undefined if everything was added synchronously (the usual case); else requests are full, and the promise settles when everything
   * is added
   */
  add(hash: number, labels: LabelBytes, columns: SampleColumns, window: DeliveryWindow): Promise<void> | undefined;
  /**
   * Sends the rest of a window. The promise inside the result settles when the destination has acknowledged everything so far (the barrier), and
   * all samples of the window are counted.
   */
  flush(window: DeliveryWindow): Promise<{ acknowledged: Promise<void> }>;
}

export interface OutletOptions {
  readonly delivery: LaneDelivery;
  readonly signal: AbortSignal;
  /** Called immediately when a delivery failed permanently, while others may still be in progress. */
  readonly onFailure: (error: unknown) => void;
}

export class Lanes implements Outlet {
  readonly #lanes: { readonly lane: Lane; readonly flight: OneInFlight }[];
  readonly #options: OutletOptions;

  constructor(count: number, options: OutletOptions) {
    this.#options = options;
    this.#lanes = Array.from({ length: count }, () => {
      const flight = new OneInFlight(options);
      return { flight, lane: new Lane(options.delivery.limits, flight) };
    });
  }

  add(hash: number, labels: LabelBytes, columns: SampleColumns, window: DeliveryWindow): Promise<void> | undefined {
    return this.#lanes[hash % this.#lanes.length]?.lane.add(hash, labels, columns, window);
  }

  async flush(window: DeliveryWindow): Promise<{ acknowledged: Promise<void> }> {
    await this.sendRest(window);
    return { acknowledged: concluded(this.acknowledged(), window, this.#options) };
  }

  async sendRest(window: DeliveryWindow): Promise<void> {
    for (const { lane } of this.#lanes) await lane.sendRest(window);
  }

  /** Settles when everything sent so far has been acknowledged. */
  acknowledged(): Promise<unknown> {
    return Promise.all(this.#lanes.map(({ flight }) => flight.acknowledged()));
  }
}

/** Settles when everything has arrived and is counted. */
export function concluded(
  acknowledged: Promise<unknown>,
  window: DeliveryWindow,
  { delivery, signal, onFailure }: OutletOptions,
): Promise<void> {
  const conclusion = acknowledged.then(async () => {
    try {
      await delivery.conclude(window, signal);
    } catch (error) {
      onFailure(error);
      throw error;
    }
  });
  conclusion.catch(() => undefined);
  return conclusion;
}

class OneInFlight implements Dispatch {
  readonly keepsSeriesWhole = false;
  readonly #options: OutletOptions;
  /** In flight, or empty. */
  #spare = new WriteBatch(FIRST_CAPACITY_BYTES);
  /** Settles with the request in flight, and so with all before it. */
  #inFlight = Promise.resolve();

  constructor(options: OutletOptions) {
    this.#options = options;
  }

  async send(batch: WriteBatch, window: DeliveryWindow): Promise<WriteBatch> {
    await this.#inFlight;
    const { delivery, signal, onFailure } = this.#options;
    signal.throwIfAborted();
    const empty = this.#spare;
    this.#spare = batch;
    this.#inFlight = delivery.deliver(batch, window, signal).finally(() => batch.clear());
    this.#inFlight.catch(onFailure);
    return empty;
  }

  acknowledged(): Promise<void> {
    return this.#inFlight;
  }
}
