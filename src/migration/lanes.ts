// Lanes to the destination: a series always goes through the same lane, and a lane has one request in flight, so the samples of a series
// arrive in order while the lanes work side by side. Filled by window-writer.ts.

import type { LabelBytes } from '../wire/labels.ts';
import type { SampleColumns } from '../wire/sample-columns.ts';
import { WriteBatch } from '../wire/write-request.ts';
import type { Delivery, DeliveryWindow } from './delivery.ts';

/** What a lane may hold: the batch that is filled, the one in flight, and its compressed form. */
export const laneBytes = 3 * 1024 * 1024;

const firstCapacityBytes = 256 * 1024;
/** A histogram can take kilobytes: the batch's length is looked at again after so many. */
const histogramsAtOnce = 64;

interface Lane {
  filling: WriteBatch;
  spare: WriteBatch;
  /** Settles with the request in flight, and so with all before it. */
  inFlight: Promise<void>;
}

export class Lanes {
  readonly #lanes: Lane[];
  readonly #delivery: Delivery;
  readonly #signal: AbortSignal;
  readonly #onFailure: (error: unknown) => void;

  /** @param onFailure told at once of a delivery that failed for good, while others may still be under way */
  constructor(count: number, delivery: Delivery, signal: AbortSignal, onFailure: (error: unknown) => void) {
    this.#lanes = Array.from({ length: count }, () => ({
      filling: new WriteBatch(firstCapacityBytes),
      spare: new WriteBatch(firstCapacityBytes),
      inFlight: Promise.resolve(),
    }));
    this.#delivery = delivery;
    this.#signal = signal;
    this.#onFailure = onFailure;
  }

  /**
   * Adds the samples of one series, in order of time; waits while the series' lane is full.
   * @param columns sorted, one sample a timestamp; may be reused as soon as this returns
   */
  async add(hash: number, labels: LabelBytes, columns: SampleColumns, window: DeliveryWindow): Promise<void> {
    const lane = this.#lanes[hash % this.#lanes.length] as Lane;
    const { floats, floatTimesMs, histogramTimesMs } = columns;
    const histograms = columns.histograms.length;
    let float = 0;
    let histogram = 0;
    // A receiver appends the floats of a message before its histograms: each run of one kind is a message of its own, in order of time.
    while (float < floats || histogram < histograms) {
      const isFloat =
        histogram === histograms ||
        (float < floats && (floatTimesMs[float] as number) < (histogramTimesMs[histogram] as number));
      if (this.#isFull(lane.filling)) await this.#send(lane, window);
      const room = this.#delivery.maxBatchSamples - lane.filling.samples;
      if (isFloat) {
        const bound = histogram === histograms ? Number.POSITIVE_INFINITY : (histogramTimesMs[histogram] as number);
        const end = runEnd(floatTimesMs, float, Math.min(floats, float + room), bound);
        lane.filling.appendFloats(labels, columns, float, end);
        float = end;
      } else {
        const bound = float === floats ? Number.POSITIVE_INFINITY : (floatTimesMs[float] as number);
        const end = runEnd(
          histogramTimesMs,
          histogram,
          Math.min(histograms, histogram + Math.min(room, histogramsAtOnce)),
          bound,
        );
        lane.filling.appendHistograms(labels, columns, histogram, end);
        histogram = end;
      }
    }
  }

  #isFull(batch: WriteBatch): boolean {
    return batch.samples >= this.#delivery.maxBatchSamples || batch.byteLength >= this.#delivery.maxBatchBytes;
  }

  /** Sends what is left. The promise inside the answer settles when the destination has acknowledged everything so far (the barrier). */
  async flush(window: DeliveryWindow): Promise<{ acknowledged: Promise<void> }> {
    for (const lane of this.#lanes) if (lane.filling.samples > 0) await this.#send(lane, window);
    const acknowledged = Promise.all(this.#lanes.map((lane) => lane.inFlight)).then(() => undefined);
    acknowledged.catch(() => undefined);
    return { acknowledged };
  }

  async #send(lane: Lane, window: DeliveryWindow): Promise<void> {
    await lane.inFlight;
    this.#signal.throwIfAborted();
    const batch = lane.filling;
    lane.filling = lane.spare;
    lane.spare = batch;
    lane.inFlight = this.#delivery.deliver(batch.bytes(), window, this.#signal).finally(() => batch.clear());
    lane.inFlight.catch(this.#onFailure);
  }
}

function runEnd(timesMs: ArrayLike<number>, from: number, to: number, beforeMs: number): number {
  if (beforeMs === Number.POSITIVE_INFINITY) return to;
  let end = from;
  while (end < to && (timesMs[end] as number) < beforeMs) end++;
  return end;
}
