// Reads the destination through remote_read (`progress.protocol: RemoteRead`).

import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { ReadClient } from '../../remote/read-client.ts';
import { WireError } from '../../wire/errors.ts';
import { canonicalLabels, decodeLabels } from '../../wire/labels.ts';
import { SampleColumns } from '../../wire/sample-columns.ts';
import type { SeriesCursor } from '../../wire/responses/read-response.ts';
import { MemoryBudget } from '../limits/memory-budget.ts';
import { Reservation } from '../limits/reservation.ts';
import { hasNoSeries, type ReadQuery, readSeries } from '../../remote/read-series.ts';
import { addTimes, type PresentTimes } from './present-times.ts';
import type { FurthestSample, ProgressSample, ReachingRange, ReadRange } from './read-range.ts';
import { ReadableView } from './readable-view.ts';
import type { ViewOptions } from './view-options.ts';

export class RemoteReadView extends ReadableView {
  protected readonly hidesStaleMarkers = false;
  readonly convertsHistograms = false;
  readonly dropsNan = false;
  readonly #client: ReadClient;
  // Separate from the source's budget: a window that holds part of that one and waits for more could wait for a reader that does the same.
  readonly #markBudget: MemoryBudget;
  readonly #budget: MemoryBudget;
  #lastRead: Promise<void> = Promise.resolve();
  /** Streams of this destination are unusable. */
  #samplesOnly = false;

  constructor(options: ViewOptions) {
    super(options);
    this.#client = new ReadClient(options.endpoint, options.hooks);
    this.#markBudget = new MemoryBudget(options.maxResponseBytes);
    this.#budget = new MemoryBudget(options.maxResponseBytes);
  }

  /** Every store that is read by remote_read shows immediately what it has acknowledged. */
  show(): Promise<number> {
    return Promise.resolve(0);
  }

  isUntouched(): Promise<boolean> {
    return Promise.resolve(false);
  }

  close(): void {
    this.#client.close();
  }

  protected readProgress({ matchers, fromMs, toMs }: ReadRange, signal: AbortSignal): Promise<ProgressSample[]> {
    const query = { matchers, fromMs, toMs, samplesOnly: true };
    return this.#read(query, this.#markBudget, signal, async (cursor, decoding) => {
      const found: ProgressSample[] = [];
      const columns = new SampleColumns();
      while (cursor.next()) {
        await decoding(cursor.decodedBytes);
        columns.clear();
        cursor.decode(fromMs, toMs, columns);
        const labels = Object.fromEntries(decodeLabels(cursor.labels));
        const values = new Float64Array(columns.floatBits.buffer, columns.floatBits.byteOffset, columns.floats);
        for (let i = 0; i < columns.floats; i++) {
          found.push({ labels, timeMs: columns.floatTimesMs[i] as number, value: values[i] as number });
        }
      }
      return found;
    });
  }

  /** Of millions of marks, only the latest of each series is kept. */
  protected readFurthest({ matchers, fromMs, toMs }: ReadRange, signal: AbortSignal): Promise<FurthestSample[]> {
    const query = { matchers, fromMs, toMs, samplesOnly: false };
    return this.#read(query, this.#markBudget, signal, async (cursor, decoding) => {
      const found: FurthestSample[] = [];
      const columns = new SampleColumns();
      while (cursor.next()) {
        await decoding(cursor.decodedBytes);
        columns.clear();
        cursor.decode(fromMs, toMs, columns);
        const times = columns.floatTimesMs.subarray(0, columns.floats);
        const timeMs = times.reduce((latestMs, oneMs) => Math.max(latestMs, oneMs), Number.NEGATIVE_INFINITY);
        if (times.length === 0) continue;
        const values = new Float64Array(columns.floatBits.buffer, columns.floatBits.byteOffset, columns.floats);
        const labels = Object.fromEntries(decodeLabels(cursor.labels));
        found.push({ labels, timeMs, value: values[times.lastIndexOf(timeMs)] as number });
      }
      return found;
    });
  }

  /** One read at a time: two reads that each hold a part of the budget would wait for each other. */
  protected readTimes(range: ReachingRange, present: PresentTimes, signal: AbortSignal): Promise<void> {
    const done = this.#lastRead.then(() => this.#readTimes(range, present, signal));
    this.#lastRead = done.catch(() => undefined);
    return done;
  }

  protected hasSeries({ matchers, fromMs, toMs }: ReadRange, signal: AbortSignal): Promise<boolean> {
    const query = { matchers, fromMs, toMs, samplesOnly: false };
    return this.retried(signal, async (attempt) => !(await hasNoSeries(this.#client, query, { attempt, signal })));
  }

  #readTimes(
    { matchers, fromMs, toMs, untilMs }: ReachingRange,
    present: PresentTimes,
    signal: AbortSignal,
  ): Promise<void> {
    const query = { matchers, fromMs, toMs: untilMs, samplesOnly: false };
    return this.#read(query, this.#budget, signal, async (cursor, decoding) => {
      const columns = new SampleColumns();
      while (cursor.next()) {
        const times = present.of(canonicalLabels(cursor.labels));
        if (times === undefined) continue;
        await decoding(cursor.decodedBytes);
        columns.clear();
        cursor.decode(fromMs, toMs, columns);
        addTimes(times, columns.floatTimesMs.subarray(0, columns.floats), fromMs, toMs);
        addTimes(times, columns.histogramTimesMs, fromMs, toMs);
      }
    });
  }

  /** @param use is called again, from the beginning, when the response is damaged */
  async #read<T>(
    query: ReadQuery,
    budget: MemoryBudget,
    signal: AbortSignal,
    use: (cursor: SeriesCursor, decoding: (bytes: number) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    const { maxFrameBytes } = this.options.plan.source;
    const reservation = new Reservation(budget, this.#client.buffers);
    const readOnce = async (attempt: number): Promise<T> => {
      reservation.release();
      const samplesOnly = query.samplesOnly || this.#samplesOnly;
      try {
        const options = { attempt, signal, memory: reservation, maxFrameBytes };
        const { cursor } = await readSeries(this.#client, { ...query, samplesOnly }, options);
        // Decoded data can be many times as large as a chunk of equal values.
        return await use(cursor, (bytes) => reservation.grow(bytes, signal));
      } catch (error) {
        if (samplesOnly || !isUnusableStream(error)) throw error;
        this.#samplesOnly = true;
        return readOnce(attempt);
      }
    };
    try {
      return await this.retried(signal, readOnce);
    } finally {
      reservation.release();
    }
  }
}

/** Whether the stream is unusable permanently, and not only damaged this time. */
function isUnusableStream(error: unknown): boolean {
  if (error instanceof WireError) return error.code === 'unknown-encoding';
  return error instanceof RemoteError && error.class === 'unsupported';
}
