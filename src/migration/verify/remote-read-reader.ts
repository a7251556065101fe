// Reads the destination through remote_read.

import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { ReadClient } from '../../remote/read-client.ts';
import { readSeries } from '../../remote/read-series.ts';
import { WireError } from '../../wire/errors.ts';
import { SamplesCursor, type SeriesCursor } from '../../wire/responses/read-response.ts';
import type { Reservation } from '../limits/reservation.ts';
import type { TimeRange } from '../read/open-window.ts';
import { RangeEnd } from '../read/range-end.ts';
import {
  type DestinationRange,
  type DestinationReader,
  type DestinationReaderOptions,
  type DestinationReadOptions,
  type DestinationResponse,
  EXACT,
} from './destination-reader.ts';

export class RemoteReadReader implements DestinationReader {
  readonly arrivesDecoded = false;
  readonly comparesOnArrival = false;
  readonly #client: ReadClient;
  readonly #maxFrameBytes: number;
  readonly #rangeEnd = new RangeEnd();
  /** Streams of this destination are unusable. */
  #samplesOnly = false;
  /** The last range whose stream could not be decoded. */
  #plainRange: TimeRange | undefined;

  constructor({ plan, endpoint, client }: DestinationReaderOptions) {
    this.#client = new ReadClient(endpoint, client);
    this.#maxFrameBytes = plan.source.maxFrameBytes;
  }

  async read(
    range: DestinationRange,
    memory: Reservation,
    options: DestinationReadOptions,
  ): Promise<DestinationResponse> {
    const { selectors, fromMs, untilMs } = range;
    const cursors: SeriesCursor[] = [];
    const samplesOnly = this.readsPlain(range);
    await this.#probeRangeEnd(untilMs, memory, options.signal);
    const { attempt, signal } = options;
    const read = { attempt, signal, memory, maxFrameBytes: this.#maxFrameBytes };
    for (const matchers of selectors) {
      const query = { matchers, fromMs, toMs: untilMs, lastMs: this.#rangeEnd.lastMs(untilMs), samplesOnly };
      try {
        const response = await readSeries(this.#client, query, read);
        cursors.push(response.cursor);
      } catch (error) {
        if (isUnusableStream(error)) this.#samplesOnly = true;
        throw this.#samplesOnly && !samplesOnly ? asTransient(error) : error;
      }
    }
    for (const cursor of cursors) this.#rangeEnd.note(cursor);
    const samples = cursors.some((cursor) => cursor instanceof SamplesCursor);
    const lens = { ...EXACT, samples, influxdb: this.#client.searchesRegexes };
    return { cursors, lens, countsRepeats: false };
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
  async #probeRangeEnd(untilMs: number, memory: Reservation, signal: AbortSignal): Promise<void> {
    const probe = this.#rangeEnd.probeBefore(untilMs);
    if (probe === undefined) return;
    const { matchers, timeMs } = probe;
    const query = { matchers, fromMs: timeMs, toMs: timeMs + 1, lastMs: timeMs, samplesOnly: this.#samplesOnly };
    try {
      const options = { attempt: 1, signal, memory, maxFrameBytes: this.#maxFrameBytes };
      this.#rangeEnd.probed(probe, (await readSeries(this.#client, query, options)).cursor);
    } catch {
      signal.throwIfAborted();
      this.#rangeEnd.probed(probe, undefined);
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
