// Thanos as a source: the StoreAPI of a Store Gateway, Sidecar, Receive or Query, which sends chunks as they are stored.

import type { Endpoint } from '../../remote/http/endpoint.ts';
import type { ClientContext } from '../../remote/http/exchange.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import type { ReadQuery } from '../../remote/read-series.ts';
import { StoreClient } from '../../remote/store-client.ts';
import { WireError } from '../../wire/errors.ts';
import type { SeriesRequest } from '../../wire/messages.ts';
import { SeriesResponse } from '../../wire/store-api/series-response.ts';
import type { MigrationObserver } from '../report/observer.ts';
import { DownsampledRanges } from './downsampled-ranges.ts';
import type { SeriesSource, SourceOptions, SourceStream } from './series-source.ts';
import { StoreChecks } from './store-checks.ts';
import { type StoreResponse, StoreStream } from './store-stream.ts';

type StoreEndpoint = Endpoint & { readonly maxFrameBytes: number; readonly replicaLabels: readonly string[] };

interface ThanosStoreOptions {
  readonly observer: Pick<MigrationObserver, 'event'>;
  /** For messages that `maxFrameBytes` would allow, but not the memory for reading. */
  readonly maxMessageBytes: number;
}

/** How often a window without samples may fail because it is not known whether there are downsampled blocks. */
const TRIES_OF_DOWNSAMPLED = 3;

export class ThanosStoreSource implements SeriesSource {
  readonly rangeEnd = 'included';
  readonly #client: StoreClient;
  readonly #replicaLabels: readonly string[];
  readonly #downsampled: DownsampledRanges;
  readonly #checks: StoreChecks;
  readonly #observer: Pick<MigrationObserver, 'event'>;
  #hasReportedUnchecked = false;

  constructor(source: StoreEndpoint, client: ClientContext, { observer, maxMessageBytes }: ThanosStoreOptions) {
    this.#client = new StoreClient(source, client, Math.min(source.maxFrameBytes, maxMessageBytes));
    this.#replicaLabels = source.replicaLabels;
    this.#downsampled = new DownsampledRanges(observer);
    this.#checks = new StoreChecks({ client: this.#client, clock: client.clock, observer });
    this.#observer = observer;
  }

  get buffers() {
    return this.#client.buffers;
  }

  async open(query: ReadQuery, options: SourceOptions): Promise<SourceStream> {
    const { signal } = options;
    const known = await this.#checks.before(query, signal);
    const messages = await this.#client.series(this.#request(query, 'samples'), signal);
    return new StoreStream(messages, this.#replicaLabels, (response) =>
      this.#ended({ query, known }, response, options),
    );
  }

  close(): void {
    this.#downsampled.end();
    this.#client.close();
  }

  #request({ matchers, fromMs, toMs }: ReadQuery, wanted: SeriesRequest['wanted']): SeriesRequest {
    return { startMs: fromMs, endMs: toMs - 1, matchers, replicaLabels: this.#replicaLabels, wanted };
  }

  /** Where there are no samples, there may have been some. */
  async #ended(
    { query, known }: { readonly query: ReadQuery; readonly known: ReadonlySet<string> },
    { hasSeries, withoutSamples }: StoreResponse,
    options: SourceOptions,
  ): Promise<void> {
    await this.#checks.after(query, known, options.signal);
    if (withoutSamples !== undefined) this.#downsampled.add(withoutSamples);
    if (hasSeries || !(await this.#hasDownsampled(query, options))) return;
    this.#downsampled.add({ fromMs: query.fromMs, toMs: query.toMs });
  }

  /** A failure does not make the response invalid: it was complete, without samples. */
  async #hasDownsampled(query: ReadQuery, { attempt, signal }: SourceOptions): Promise<boolean> {
    try {
      return await this.#readsDownsampled(query, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RemoteError) {
        // Only series that are there exceed a limit.
        if (error.class === 'too-large') return true;
        if (error.class === 'aborted') throw error;
        if (error.class === 'transient' && attempt < TRIES_OF_DOWNSAMPLED) throw error;
      } else if (!(error instanceof WireError)) throw error;
      this.#reportUnchecked(query, error);
      return false;
    }
  }

  async #readsDownsampled(query: ReadQuery, signal: AbortSignal): Promise<boolean> {
    const messages = await this.#client.series(this.#request(query, 'downsampled'), signal);
    const response = new SeriesResponse();
    try {
      for (let message = await messages.next(); message !== undefined; message = await messages.next()) {
        if (response.read(message).kind === 'series') return true;
      }
      return false;
    } finally {
      messages.close();
    }
  }

  #reportUnchecked({ fromMs, toMs }: ReadQuery, { message: reason }: Error): void {
    if (this.#hasReportedUnchecked) return;
    this.#hasReportedUnchecked = true;
    const [from, to] = [fromMs, toMs].map((ms) => new Date(ms).toISOString());
    const message = `from ${from} to ${to}, the source has no samples, and may have downsampled blocks (${reason}); other such ranges are not reported`;
    this.#observer.event({ type: 'warning', code: 'downsampled-not-checked', message });
  }
}
