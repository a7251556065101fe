// A source whose protocol is loaded with its first request: most runs read by remote_read and need no other.

import type { Buffers } from '../../remote/http/buffers.ts';
import type { ReadQuery } from '../../remote/read-series.ts';
import type { SeriesSource, SourceOptions, SourceStream } from './series-source.ts';

export class DeferredSource implements SeriesSource {
  readonly buffers: Buffers;
  readonly rangeEnd: SeriesSource['rangeEnd'];
  readonly isQueried: boolean;
  readonly #load: () => Promise<SeriesSource>;
  #source: Promise<SeriesSource> | undefined;
  #isClosed = false;

  constructor(
    { buffers, rangeEnd, isQueried = false }: Pick<SeriesSource, 'buffers' | 'rangeEnd' | 'isQueried'>,
    load: () => Promise<SeriesSource>,
  ) {
    this.buffers = buffers;
    this.rangeEnd = rangeEnd;
    this.isQueried = isQueried;
    this.#load = load;
  }

  async open(query: ReadQuery, options: SourceOptions): Promise<SourceStream> {
    this.#source ??= this.#load();
    // A protocol that could not be loaded is loaded again by the next attempt.
    const source = await this.#source.catch((error: unknown) => {
      this.#source = undefined;
      throw error;
    });
    // It may have been closed while it was loaded.
    if (this.#isClosed) source.close();
    return source.open(query, options);
  }

  close(): void {
    this.#isClosed = true;
    this.#source?.then(
      (source) => source.close(),
      () => undefined,
    );
  }
}
