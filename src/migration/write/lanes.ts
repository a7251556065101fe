// Lanes to the destination: a series always uses the same lane, and a lane has one request in flight. So the samples of a series arrive in order
// while the lanes work in parallel.

import { type CommitRank, FLOAT_RANK, histogramCommitRank } from '../../wire/requests/commit-rank.ts';
import type { LabelBytes } from '../../wire/labels.ts';
import type { SampleColumns } from '../../wire/sample-columns.ts';
import { WriteBatch } from '../../wire/requests/write-batch.ts';
import type { DeliveryWindow } from './attempt.ts';
import type { Delivery } from './delivery.ts';

/** The memory of a lane: the request that is being filled and the compressed one in flight. */
export const LANE_BYTES = 2 * 1024 * 1024;

const FIRST_CAPACITY_BYTES = 256 * 1024;
/** A histogram can take kilobytes, so the batch's length is checked again after this many histograms or bytes. */
const HISTOGRAMS_AT_ONCE = 64;
const HISTOGRAM_BYTES_AT_ONCE = 128 * 1024;
/** A series with labels, or a histogram, of more bytes than this is sent in a request of its own. */
const LARGE_BYTES = 64 * 1024;
/** The bound of what waits for the request after the next one. It is small, so that `LANE_BYTES` covers it. */
const FOLLOWING_BYTES = 256 * 1024;

/** What lanes need of the delivery. */
export type LaneDelivery = Pick<Delivery, 'deliver' | 'conclude'> & {
  readonly limits: Pick<Delivery['limits'], 'maxSamples' | 'maxBytes'>;
};

interface Lane {
  filling: WriteBatch;
  /** Samples that must not share a request with earlier samples of their series in `filling` (commit-rank.ts). Sent next. */
  following: WriteBatch;
  /** In flight, or empty. */
  spare: WriteBatch;
  /** Where series end, by hash: those in `following`, and those in `filling` that end with a histogram. */
  readonly ends: Map<number, SeriesRun>;
  /** Settles with the request in flight, and so with all before it. */
  inFlight: Promise<void>;
}

export class Lanes {
  readonly #lanes: Lane[];
  readonly #delivery: LaneDelivery;
  readonly #signal: AbortSignal;
  readonly #onFailure: (error: unknown) => void;

  /** @param onFailure called immediately when a delivery failed permanently, while others may still be in progress */
  constructor(count: number, delivery: LaneDelivery, signal: AbortSignal, onFailure: (error: unknown) => void) {
    this.#lanes = Array.from({ length: count }, () => ({
      filling: new WriteBatch(FIRST_CAPACITY_BYTES),
      following: new WriteBatch(1024),
      spare: new WriteBatch(FIRST_CAPACITY_BYTES),
      ends: new Map(),
      inFlight: Promise.resolve(),
    }));
    this.#delivery = delivery;
    this.#signal = signal;
    this.#onFailure = onFailure;
  }

  /**
   * Adds the samples of one series, in order of time.
   * @param columns sorted, one sample per timestamp; may be reused as soon as everything is added
   * @returns undefined if everything was added synchronously (the usual case); else the series' lane is full, and the promise settles when
   * everything is added
   */
  add(hash: number, labels: LabelBytes, columns: SampleColumns, window: DeliveryWindow): Promise<void> | undefined {
    const lane = this.#lanes[hash % this.#lanes.length] as Lane;
    if (isLarge(labels, columns)) return this.#addAlone(lane, hash, labels, columns, window);
    const { filling } = lane;
    const plain = columns.histograms.length === 0 && !lane.ends.has(hash);
    const fits = filling.samples + columns.floats <= this.#delivery.limits.maxSamples && !this.#isFull(filling);
    if (!plain || !fits) return this.#addInRuns(lane, hash, labels, columns, window);
    filling.appendFloats(labels, columns, 0, columns.floats);
    return undefined;
  }

  /** Nothing else is encoded until it has arrived, so that only one request of this size is held at a time, instead of one per lane. */
  async #addAlone(
    lane: Lane,
    hash: number,
    labels: LabelBytes,
    columns: SampleColumns,
    window: DeliveryWindow,
  ): Promise<void> {
    await this.#addInRuns(lane, hash, labels, columns, window);
    while (lane.filling.samples > 0) await this.#send(lane, window);
    await lane.inFlight;
  }

  async #addInRuns(
    lane: Lane,
    hash: number,
    labels: LabelBytes,
    columns: SampleColumns,
    window: DeliveryWindow,
  ): Promise<void> {
    const { floats, floatTimesMs, histogramTimesMs } = columns;
    const histograms = columns.histograms.length;
    let float = 0;
    let histogram = 0;
    let last = lane.ends.get(hash);
    // A receiver appends the floats of a message before its histograms, so each run of one kind gets its own message, in order of time.
    while (float < floats || histogram < histograms) {
      const isFloat =
        histogram === histograms ||
        (float < floats && (floatTimesMs[float] as number) < (histogramTimesMs[histogram] as number));
      const rank = isFloat ? FLOAT_RANK : histogramCommitRank(columns.histograms[histogram] as Uint8Array);
      let batch = this.#batchFor(lane, last, rank);
      while (batch === undefined) {
        await this.#send(lane, window);
        if (last?.batch === lane.spare) last = undefined;
        batch = this.#batchFor(lane, last, rank);
      }
      const room = this.#delivery.limits.maxSamples - batch.samples;
      if (isFloat) {
        const bound = histogram === histograms ? Number.POSITIVE_INFINITY : (histogramTimesMs[histogram] as number);
        const end = runEnd(floatTimesMs, float, Math.min(floats, float + room), bound);
        batch.appendFloats(labels, columns, float, end);
        float = end;
        last = { batch, rank: rank.last };
      } else {
        const bound = float === floats ? Number.POSITIVE_INFINITY : (floatTimesMs[float] as number);
        const most = Math.min(histograms, histogram + Math.min(room, HISTOGRAMS_AT_ONCE));
        const inTime = runEnd(histogramTimesMs, histogram, most, bound);
        const { end, rank: reached } = rankedEnd(columns.histograms, histogram, inTime);
        batch.appendHistograms(labels, columns, histogram, end);
        histogram = end;
        last = { batch, rank: reached };
      }
    }
    if (last !== undefined && (last.rank > FLOAT_RANK.last || last.batch === lane.following)) lane.ends.set(hash, last);
    else lane.ends.delete(hash);
  }

  /** The batch for the next run of a series; undefined if something has to be sent first. */
  #batchFor(lane: Lane, last: SeriesRun | undefined, rank: CommitRank): WriteBatch | undefined {
    if (this.#isFull(lane.filling)) return undefined;
    const falls = last !== undefined && rank.first < last.rank;
    const follows = last?.batch === lane.following || (last?.batch === lane.filling && falls);
    if (!follows) return lane.filling;
    if (last?.batch === lane.following && falls) return undefined;
    const { following } = lane;
    return this.#isFull(following) || following.byteLength >= FOLLOWING_BYTES ? undefined : following;
  }

  #isFull(batch: WriteBatch): boolean {
    return batch.samples >= this.#delivery.limits.maxSamples || batch.byteLength >= this.#delivery.limits.maxBytes;
  }

  /**
   * Sends the rest of a window. The promise inside the result settles when the destination has acknowledged everything so far (the barrier), and
   * all samples of the window are counted.
   */
  async flush(window: DeliveryWindow): Promise<{ acknowledged: Promise<void> }> {
    for (const lane of this.#lanes) while (lane.filling.samples > 0) await this.#send(lane, window);
    const acknowledged = Promise.all(this.#lanes.map((lane) => lane.inFlight)).then(() => this.#conclude(window));
    acknowledged.catch(() => undefined);
    return { acknowledged };
  }

  async #conclude(window: DeliveryWindow): Promise<void> {
    try {
      await this.#delivery.conclude(window, this.#signal);
    } catch (error) {
      this.#onFailure(error);
      throw error;
    }
  }

  async #send(lane: Lane, window: DeliveryWindow): Promise<void> {
    await lane.inFlight;
    this.#signal.throwIfAborted();
    const batch = lane.filling;
    lane.filling = lane.following;
    lane.following = lane.spare;
    lane.spare = batch;
    for (const [hash, run] of lane.ends) if (run.batch === batch) lane.ends.delete(hash);
    lane.inFlight = this.#delivery.deliver(batch, window, this.#signal).finally(() => batch.clear());
    lane.inFlight.catch(this.#onFailure);
  }
}

/** The last run of a series that was added: its batch, and the rank of its end. */
interface SeriesRun {
  readonly batch: WriteBatch;
  readonly rank: number;
}

function isLarge(labels: LabelBytes, { histograms }: SampleColumns): boolean {
  return (
    labels.length > LARGE_BYTES || (histograms.length > 0 && histograms.some(({ length }) => length > LARGE_BYTES))
  );
}

/** The end of the run that starts at the histogram `from`: ranks must not fall, and bytes are bounded. `from` is always included. */
function rankedEnd(histograms: readonly Uint8Array[], from: number, to: number): { end: number; rank: number } {
  let rank = histogramCommitRank(histograms[from] as Uint8Array).last;
  let { length: bytes } = histograms[from] as Uint8Array;
  let end = from + 1;
  for (; end < to; end++) {
    const next = histogramCommitRank(histograms[end] as Uint8Array);
    bytes += (histograms[end] as Uint8Array).length;
    if (next.first < rank || bytes > HISTOGRAM_BYTES_AT_ONCE) break;
    rank = next.last;
  }
  return { end, rank };
}

function runEnd(timesMs: ArrayLike<number>, from: number, to: number, beforeMs: number): number {
  if (beforeMs === Number.POSITIVE_INFINITY) return to;
  let end = from;
  while (end < to && (timesMs[end] as number) < beforeMs) end++;
  return end;
}
