// Reads the destination through remote_read.

import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { ReadClient } from '../../remote/read-client.ts';
import { openSeries, readSeries } from '../../remote/read-series.ts';
import { WireError } from '../../wire/errors.ts';
import { SamplesCursor, type SeriesCursor } from '../../wire/responses/read-response.ts';
import type { Matcher } from '../../wire/messages.ts';
import type { MemoryBudget } from '../limits/memory-budget.ts';
import { Reservation } from '../limits/reservation.ts';
import type { TimeRange } from '../read/open-window.ts';
import { RangeEnd } from '../read/range-end.ts';
import type { ResponseKind } from './arriving-series.ts';
import {
  type DestinationRange,
  type DestinationReader,
  type DestinationReaderOptions,
  type DestinationReadOptions,
  type DestinationResponse,
  type DestinationStream,
  EXACT,
} from './destination-reader.ts';

export class RemoteReadReader implements DestinationReader {
  readonly arrivesDecoded = false;
  readonly comparesOnArrival = false;
  readonly #client: ReadClient;
  readonly #maxFrameBytes: number;
  readonly #budget: MemoryBudget;
  readonly #rangeEnd = new RangeEnd();
  /** Streams of this destination are unusable. */
  #samplesOnly = false;
  /** The last range whose stream could not be decoded. */
  #plainRange: TimeRange | undefined;

  constructor({ plan, endpoint, client, budget }: DestinationReaderOptions) {
    this.#client = new ReadClient(endpoint, client);
    this.#budget = budget;
    this.#maxFrameBytes = plan.source.maxFrameBytes;
  }

  async read(
    range: DestinationRange,
    memory: Reservation,
    { attempt, signal }: DestinationReadOptions,
  ): Promise<DestinationResponse> {
    const cursors: SeriesCursor[] = [];
    for (const matchers of range.selectors) {
      const stream = await this.#open(range, matchers, { attempt, signal });
      cursors.push((await stream.nextUntil(undefined, memory, signal)).cursor);
    }
    return { cursors, ...this.#kindOf(cursors.some((cursor) => cursor instanceof SamplesCursor)) };
  }

  async open(range: DestinationRange, options: { attempt: number; signal: AbortSignal }): Promise<DestinationStream> {
    const [matchers] = range.selectors;
    if (matchers === undefined) throw new RangeError('there is no selector');
    return this.#open(range, matchers, options);
  }

  async #open(
    range: DestinationRange,
    matchers: readonly Matcher[],
    { attempt, signal }: { attempt: number; signal: AbortSignal },
  ): Promise<DestinationStream> {
    const { fromMs, untilMs } = range;
    const samplesOnly = this.readsPlain(range);
    await this.#probeRangeEnd(untilMs, signal);
    const query = { matchers, fromMs, toMs: untilMs, lastMs: this.#rangeEnd.lastMs(untilMs), samplesOnly };
    const options = { attempt, signal, maxFrameBytes: this.#maxFrameBytes };
    const stream = await this.#reading(samplesOnly, () => openSeries(this.#client, query, options));
    const divides = stream.kind === 'stream';
    const whole = { partBytes: Number.POSITIVE_INFINITY, signal };
    return {
      divides,
      nextUntil: async (until, memory) => {
        const part = await this.#reading(samplesOnly, () =>
          divides ? stream.nextUntil(until, memory, signal) : stream.next(memory, whole),
        );
        this.#rangeEnd.note(part.cursor);
        return part;
      },
      kind: () => this.#kindOf(!divides),
      close: () => stream.close(),
    };
  }

  #kindOf(samples: boolean): ResponseKind {
    return { lens: { ...EXACT, samples, influxdb: this.#client.searchesRegexes }, countsRepeats: false };
  }

  /** @throws what `read` throws; if that is a stream that will never be usable, SAMPLES are read from now on, and it is a transient error */
  async #reading<T>(samplesOnly: boolean, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (isUnusableStream(error)) this.#samplesOnly = true;
      throw this.#samplesOnly && !samplesOnly ? asTransient(error) : error;
    }
  }
  readsPlain({ fromMs, toMs }: TimeRange): boolean {
    const range = this.#plainRange;
    return this.#samplesOnly || (range !== undefined && fromMs < range.toMs && toMs > range.fromMs);
  }

  readAsSamples({ fromMs, toMs }: TimeRange): void {
    this.#plainRange = { fromMs, toMs };
  }

  noteSeriesInPieces(): void {
    // Responses are kept as they arrived, in any case.
  }

  removingSetting(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  close(): void {
    this.#client.close();
  }

  /** See range-end.ts. If the probe fails, ranges are requested with the extra millisecond. */
  async #probeRangeEnd(untilMs: number, signal: AbortSignal): Promise<void> {
    const probe = this.#rangeEnd.probeBefore(untilMs);
    if (probe === undefined) return;
    const { matchers, timeMs } = probe;
    const query = { matchers, fromMs: timeMs, toMs: timeMs + 1, lastMs: timeMs, samplesOnly: this.#samplesOnly };
    const memory = new Reservation(this.#budget, this.#client.buffers);
    try {
      const options = { attempt: 1, signal, memory, maxFrameBytes: this.#maxFrameBytes };
      this.#rangeEnd.probed(probe, (await readSeries(this.#client, query, options)).cursor);
    } catch {
      signal.throwIfAborted();
      this.#rangeEnd.probed(probe, undefined);
    } finally {
      memory.release();
    }
  }
}

/** Whether the stream is unusable permanently, and not only damaged this time. */
function isUnusableStream(error: unknown): boolean {
  if (error instanceof WireError) return error.code === 'unknown-encoding';
  return error instanceof RemoteError && error.class === 'unsupported';
}

/** The same request, as SAMPLES, may succeed. */
function asTransient(error: unknown): RemoteError {
  const what = error instanceof Error ? error.message : String(error);
  return new RemoteError({ class: 'transient', code: 'bad-response', side: 'progress', status: 200, what });
}
