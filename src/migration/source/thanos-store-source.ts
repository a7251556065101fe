// Thanos as a source: the StoreAPI of a Store Gateway, Sidecar, Receive or Query, which sends chunks as they are stored.

import type { ClientContext } from '../../remote/http/exchange.ts';
import type { ReadQuery } from '../../remote/read-series.ts';
import { StoreClient } from '../../remote/store-client.ts';
import type { SeriesRequest } from '../../wire/messages.ts';
import { SeriesResponse } from '../../wire/store-api/series-response.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { MigrationObserver } from '../report/observer.ts';
import { DownsampledRanges } from './downsampled-ranges.ts';
import type { SeriesSource, SourceOptions, SourceStream } from './series-source.ts';
import { type StoreResponse, StoreStream } from './store-stream.ts';

export class ThanosStoreSource implements SeriesSource {
  readonly rangeEnd = 'included';
  readonly #client: StoreClient;
  readonly #replicaLabels: readonly string[];
  readonly #downsampled: DownsampledRanges;

  constructor(source: MigrationPlan['source'], client: ClientContext, observer: Pick<MigrationObserver, 'event'>) {
    this.#client = new StoreClient(source, client, source.maxFrameBytes);
    this.#replicaLabels = source.replicaLabels;
    this.#downsampled = new DownsampledRanges(observer);
  }

  get buffers() {
    return this.#client.buffers;
  }

  async open(query: ReadQuery, { signal }: SourceOptions): Promise<SourceStream> {
    const messages = await this.#client.series(this.#request(query, 'samples'), signal);
    return new StoreStream(messages, this.#replicaLabels, (response) => this.#ended(query, response, signal));
  }

  close(): void {
    this.#downsampled.end();
    this.#client.close();
  }

  #request({ matchers, fromMs, toMs }: ReadQuery, wanted: SeriesRequest['wanted']): SeriesRequest {
    return { startMs: fromMs, endMs: toMs - 1, matchers, replicaLabels: this.#replicaLabels, wanted };
  }

  /** Where there are no samples, there may have been some. */
  async #ended(query: ReadQuery, { hasSeries, withoutSamples }: StoreResponse, signal: AbortSignal): Promise<void> {
    if (withoutSamples !== undefined) this.#downsampled.add(withoutSamples);
    if (hasSeries || !(await this.#hasDownsampled(query, signal))) return;
    this.#downsampled.add({ fromMs: query.fromMs, toMs: query.toMs });
  }

  async #hasDownsampled(query: ReadQuery, signal: AbortSignal): Promise<boolean> {
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
}
