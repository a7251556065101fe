// Fills requests with the samples of series. What must not share a request with earlier samples of its series goes into the next one.

import { type CommitRank, commonRank, FLOAT_RANK, rankOfHistogram } from '../../wire/requests/commit-rank.ts';
import type { LabelBytes } from '../../wire/labels.ts';
import type { SampleColumns } from '../../wire/sample-columns.ts';
import { WriteBatch } from '../../wire/requests/write-batch.ts';
import type { DeliveryWindow } from './attempt.ts';
import type { Delivery } from './delivery.ts';

/** Enough for a full request in the least compressible form. Memory is taken only for what is written. */
export const FIRST_CAPACITY_BYTES = 1280 * 1024;
/** A histogram can take kilobytes, so the batch's length is checked again after this many histograms or bytes. */
const HISTOGRAMS_AT_ONCE = 64;
const HISTOGRAM_BYTES_AT_ONCE = 128 * 1024;
/** A series with labels, or a histogram, of more bytes than this is sent in a request of its own. */
const LARGE_BYTES = 64 * 1024;
/** The bound of what waits for the request after the next one. It is small, so that the memory for a request covers it. */
const FOLLOWING_BYTES = 256 * 1024;

/** Sends requests: one at a time (lanes.ts), or several (write-pool.ts). */
export interface Dispatch {
  /**
   * Sends a batch as soon as it may be sent.
   * @param continues whether its first series began in the batch before
   * @returns an empty batch
   */
  send(batch: WriteBatch, window: DeliveryWindow, continues: boolean): Promise<WriteBatch>;
  /** Whether a series that fits into one request begins a new one rather than filling up the last. */
  readonly keepsSeriesWhole: boolean;
  /** Settles when everything sent so far has been acknowledged. */
  acknowledged(): Promise<unknown>;
}

/** The last run of a series that was added: its batch, and the rank of its end. */
interface SeriesRun {
  readonly batch: WriteBatch;
  readonly rank: number;
}

export type RequestLimits = Pick<Delivery['limits'], 'maxSamples' | 'maxBytes'>;

export class Lane {
  readonly #limits: RequestLimits;
  readonly #dispatch: Dispatch;
  #filling = new WriteBatch(FIRST_CAPACITY_BYTES);
  /** Samples that must not share a request with earlier samples of their series in `#filling` (commit-rank.ts). Sent next. */
  #following = new WriteBatch(FIRST_CAPACITY_BYTES);
  /** Whether `#filling` begins with the rest of a series. */
  #continues = false;
  /** Where series end, by hash: those in `#following`, and those in `#filling` that end with a histogram. */
  readonly #ends = new Map<number, SeriesRun>();

  constructor(limits: RequestLimits, dispatch: Dispatch) {
    this.#limits = limits;
    this.#dispatch = dispatch;
  }

  /** As `Lanes.add`. */
  add(hash: number, labels: LabelBytes, columns: SampleColumns, window: DeliveryWindow): Promise<void> | undefined {
    if (isLarge(labels, columns)) return this.#addAlone(hash, labels, columns, window);
    const filling = this.#filling;
    const plain = columns.histogramCount === 0 && !this.#ends.has(hash);
    const fits = filling.samples + columns.floats <= this.#limits.maxSamples && !this.#isFull(filling);
    if (plain && !fits && this.#dispatch.keepsSeriesWhole && columns.floats <= this.#limits.maxSamples)
      return this.#addWhole(labels, columns, window);
    if (!plain || !fits) return this.#addInRuns(hash, labels, columns, window);
    filling.appendFloats(labels, columns, 0, columns.floats);
    return undefined;
  }

  async #addWhole(labels: LabelBytes, columns: SampleColumns, window: DeliveryWindow): Promise<void> {
    await this.sendRest(window);
    this.#filling.appendFloats(labels, columns, 0, columns.floats);
  }

  /** Sends the rest of a window. */
  async sendRest(window: DeliveryWindow): Promise<void> {
    while (this.#filling.samples > 0) await this.#send(window);
  }

  /** Nothing else is encoded until it has arrived, so that only one request of this size is held at a time, instead of one per lane. */
  async #addAlone(hash: number, labels: LabelBytes, columns: SampleColumns, window: DeliveryWindow): Promise<void> {
    await this.#addInRuns(hash, labels, columns, window);
    await this.sendRest(window);
    await this.#dispatch.acknowledged();
  }

  async #addInRuns(hash: number, labels: LabelBytes, columns: SampleColumns, window: DeliveryWindow): Promise<void> {
    const { floats, floatTimesMs, histogramCount: histograms } = columns;
    let float = 0;
    let histogram = 0;
    let last = this.#ends.get(hash);
    // A receiver appends the floats of a message before its histograms, so each run of one kind gets its own message, in order of time.
    while (float < floats || histogram < histograms) {
      const histogramTimesMs = columns.timesOfHistograms;
      const isFloat =
        histogram === histograms ||
        (float < floats && (floatTimesMs[float] as number) < (histogramTimesMs[histogram] as number));
      const rank = isFloat ? FLOAT_RANK : rankOfHistogram(columns, histogram);
      let batch = this.#batchFor(last, rank);
      while (batch === undefined) {
        const sent = this.#filling;
        await this.#send(window);
        this.#continues ||= float + histogram > 0;
        if (last?.batch === sent) last = undefined;
        batch = this.#batchFor(last, rank);
      }
      const room = this.#limits.maxSamples - batch.samples;
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
        const { end, rank: reached } = rankedEnd(columns, histogram, inTime);
        batch.appendHistograms(labels, columns, histogram, end);
        histogram = end;
        last = { batch, rank: reached };
      }
    }
    if (last !== undefined && (last.rank > FLOAT_RANK.last || last.batch === this.#following))
      this.#ends.set(hash, last);
    else this.#ends.delete(hash);
  }

  /** The batch for the next run of a series; undefined if something has to be sent first. */
  #batchFor(last: SeriesRun | undefined, rank: CommitRank): WriteBatch | undefined {
    if (this.#isFull(this.#filling)) return undefined;
    const falls = last !== undefined && rank.first < last.rank;
    const follows = last?.batch === this.#following || (last?.batch === this.#filling && falls);
    if (!follows) return this.#filling;
    if (last?.batch === this.#following && falls) return undefined;
    const following = this.#following;
    return this.#isFull(following) || following.byteLength >= FOLLOWING_BYTES ? undefined : following;
  }

  #isFull(batch: WriteBatch): boolean {
    return batch.samples >= this.#limits.maxSamples || batch.byteLength >= this.#limits.maxBytes;
  }

  async #send(window: DeliveryWindow): Promise<void> {
    const batch = this.#filling;
    const empty = await this.#dispatch.send(batch, window, this.#continues);
    this.#continues = false;
    this.#filling = this.#following;
    this.#following = empty;
    for (const [hash, run] of this.#ends) if (run.batch === batch) this.#ends.delete(hash);
  }
}

function isLarge(labels: LabelBytes, columns: SampleColumns): boolean {
  if (labels.length > LARGE_BYTES) return true;
  // The kernel leaves larger ones to JavaScript.
  if (columns.histogramCount === columns.packedHistograms) return false;
  return columns.histograms.some(({ length }) => length > LARGE_BYTES);
}

/** The end of the run that starts at the histogram `from`: ranks must not fall, and bytes are bounded. `from` is always included. */
function rankedEnd(columns: SampleColumns, from: number, to: number): { end: number; rank: number } {
  const common = commonRank(columns);
  let rank = (common ?? rankOfHistogram(columns, from)).last;
  let bytes = columns.histogramBytes(from);
  let end = from + 1;
  for (; end < to; end++) {
    const next = common ?? rankOfHistogram(columns, end);
    bytes += columns.histogramBytes(end);
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
