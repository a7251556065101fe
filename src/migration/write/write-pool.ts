// One sequence of requests with several of them in flight, for destinations that accept samples in any order. The series of a request are
// neighbours in the order of labels, so they share most of their labels' bytes, and a slow request does not hold up the series behind it.
//
// Some of these destinations still need the native histograms of a series in order of time, such as Prometheus 2.40 to 2.55. So a series that has
// any goes through lanes.

import type { Clock } from '../../telemetry/clock.ts';
import type { LabelBytes } from '../../wire/labels.ts';
import { WriteBatch } from '../../wire/requests/write-batch.ts';
import type { SampleColumns } from '../../wire/sample-columns.ts';
import type { DeliveryWindow } from './attempt.ts';
import { Concurrency } from './concurrency.ts';
import { type Dispatch, FIRST_CAPACITY_BYTES, Lane } from './lane.ts';
import { concluded, LANE_BYTES, Lanes, type Outlet, type OutletOptions } from './lanes.ts';

/** Bounds the requests in flight, those of the lanes included. */
class Permits {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async take(): Promise<void> {
    if (this.#free === 0) return await new Promise((resolve) => this.#waiting.push(resolve));
    this.#free--;
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}

export interface WritePoolOptions extends OutletOptions {
  /** The maximum number of requests in flight. */
  readonly most: number;
  /** For all requests that are filled or in flight. At least one can be, whatever its size. */
  readonly memoryBytes: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

const MAX_LANES = 4;
/** Of the series with native histograms. If there are more, all series go through lanes. */
const MAX_HASHES = 50_000;

export class WritePool implements Outlet {
  readonly #options: WritePoolOptions;
  readonly #permits: Permits;
  readonly #flights: Flights;
  readonly #lane: Lane;
  #lanes: Lanes | undefined;
  /** Hashes of the series that have native histograms. */
  readonly #inLanes = new Set<number>();

  constructor(options: WritePoolOptions) {
    this.#options = options;
    // What is being filled takes as much as a lane.
    this.#permits = new Permits(options.most);
    this.#flights = new Flights(options, this.#permits, options.memoryBytes - LANE_BYTES);
    this.#lane = new Lane(options.delivery.limits, this.#flights);
  }

  add(hash: number, labels: LabelBytes, columns: SampleColumns, window: DeliveryWindow): Promise<void> | undefined {
    if (columns.histogramCount > 0 || this.#lanes !== undefined) {
      const lanes = this.#lanesFor(hash, columns.histogramCount > 0);
      if (lanes !== undefined) return lanes.add(hash, labels, columns, window);
    }
    return this.#lane.add(hash, labels, columns, window);
  }

  async flush(window: DeliveryWindow): Promise<{ acknowledged: Promise<void> }> {
    await this.#lane.sendRest(window);
    await this.#lanes?.sendRest(window);
    const all = Promise.all([this.#flights.acknowledged(), this.#lanes?.acknowledged()]);
    return { acknowledged: concluded(all, window, this.#options) };
  }

  #lanesFor(hash: number, hasHistograms: boolean): Lanes | undefined {
    const isFull = this.#inLanes.size >= MAX_HASHES;
    if (!hasHistograms) return isFull || this.#inLanes.has(hash) ? this.#lanes : undefined;
    if (!isFull) this.#inLanes.add(hash);
    this.#lanes ??= this.#openLanes();
    return this.#lanes;
  }

  #openLanes(): Lanes {
    const { most, memoryBytes, delivery } = this.#options;
    const half = Math.floor(memoryBytes / LANE_BYTES / 2);
    const count = Math.max(1, Math.min(most, half, MAX_LANES));
    this.#flights.giveUp(count * LANE_BYTES);
    return new Lanes(count, {
      ...this.#options,
      delivery: {
        limits: delivery.limits,
        conclude: (...of) => delivery.conclude(...of),
        deliver: async (...request) => {
          await this.#permits.take();
          await delivery.deliver(...request).finally(() => this.#permits.give());
        },
      },
    });
  }
}

class Flights implements Dispatch {
  // Divided between two requests, its newer half could arrive first, which costs some destinations more.
  readonly keepsSeriesWhole = true;
  readonly #options: WritePoolOptions;
  readonly #permits: Permits;
  readonly #concurrency: Concurrency;
  #memoryBytes: number;
  /** Those that have failed stay, so that a caller that waits for them gets the error. */
  readonly #flights = new Set<Promise<void>>();
  readonly #free: WriteBatch[] = [];
  #last: Promise<void> = Promise.resolve();
  /** Of the requests in flight and of those in `#free`. */
  #bytes = 0;

  constructor(options: WritePoolOptions, permits: Permits, memoryBytes: number) {
    this.#options = options;
    this.#permits = permits;
    this.#memoryBytes = memoryBytes;
    this.#concurrency = new Concurrency(options.most);
  }

  giveUp(bytes: number): void {
    this.#memoryBytes -= bytes;
  }

  acknowledged(): Promise<unknown> {
    return Promise.all(this.#flights);
  }

  async send(batch: WriteBatch, window: DeliveryWindow, continues: boolean): Promise<WriteBatch> {
    if (continues) await this.#last;
    const bytes = batch.memoryBytes;
    while (this.#flights.size > 0 && !this.#hasRoom(bytes)) await Promise.race(this.#flights);
    this.#options.signal.throwIfAborted();
    const flight = this.#deliver(batch, window, bytes);
    this.#flights.add(flight);
    this.#last = flight;
    flight.then(
      () => this.#flights.delete(flight),
      (error) => this.#options.onFailure(error),
    );
    const empty = this.#free.pop();
    if (empty === undefined) return new WriteBatch(FIRST_CAPACITY_BYTES);
    this.#bytes -= empty.memoryBytes;
    return empty;
  }

  #hasRoom(bytes: number): boolean {
    return this.#flights.size < this.#concurrency.limit && this.#bytes + bytes <= this.#memoryBytes;
  }

  async #deliver(batch: WriteBatch, window: DeliveryWindow, bytes: number): Promise<void> {
    const { delivery, signal, clock } = this.#options;
    const { limits } = delivery;
    const inFlight = this.#flights.size + 1;
    const isUsual = batch.byteLength * 2 >= limits.maxBytes || batch.samples * 2 >= limits.maxSamples;
    this.#bytes += bytes;
    await this.#permits.take();
    const sentMs = clock.monotonicMs();
    try {
      await delivery.deliver(batch, window, signal);
      if (isUsual) this.#concurrency.finished({ durationMs: clock.monotonicMs() - sentMs, inFlight });
    } finally {
      this.#permits.give();
      this.#bytes -= bytes;
      batch.clear();
      this.#keep(batch);
    }
  }

  #keep(batch: WriteBatch): void {
    const { memoryBytes } = batch;
    if (this.#bytes + memoryBytes > this.#memoryBytes) return;
    this.#free.push(batch);
    this.#bytes += memoryBytes;
  }
}
