// A source with remote_read: streamed chunks, or plain samples.

import type { Endpoint } from '../../remote/http/endpoint.ts';
import type { ClientContext } from '../../remote/http/exchange.ts';
import { ReadClient } from '../../remote/read-client.ts';
import { openSeries, type ReadQuery } from '../../remote/read-series.ts';
import type { SeriesSource, SourceOptions, SourceStream } from './series-source.ts';

export class RemoteReadSource implements SeriesSource {
  readonly rangeEnd = 'unknown';
  readonly #client: ReadClient;
  readonly #maxFrameBytes: number;

  constructor(endpoint: Endpoint & { readonly maxFrameBytes: number }, client: ClientContext) {
    this.#client = new ReadClient(endpoint, client);
    this.#maxFrameBytes = endpoint.maxFrameBytes;
  }

  get buffers() {
    return this.#client.buffers;
  }

  open(query: ReadQuery, options: SourceOptions): Promise<SourceStream> {
    return openSeries(this.#client, query, { ...options, maxFrameBytes: this.#maxFrameBytes });
  }

  close(): void {
    this.#client.close();
  }
}
