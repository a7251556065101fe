// Any store with a query API as a source. An instant query of a range selector returns samples as they are stored, but no stale markers, and not
// which NaN a NaN is.

import { formatSelector } from '../../api/selector.ts';
import { QueryClient } from '../../remote/query-client.ts';
import type { ReadQuery } from '../../remote/read-series.ts';
import { rangeSamples } from '../../remote/sample-query.ts';
import type { Matcher } from '../../wire/messages.ts';
import { kept } from '../decoded/export-reader.ts';
import { DecodedStream } from './decoded-stream.ts';
import { ReceivedBytes } from './received-bytes.ts';
import type { SeriesSource, SourceOptions, SourceStream } from './series-source.ts';
import type { DecodedSourceOptions } from './victoriametrics-source.ts';

export class PromqlSource implements SeriesSource {
  readonly rangeEnd = 'included';
  readonly #client: QueryClient;
  readonly #maxBytes: number;
  readonly #received = new ReceivedBytes();

  constructor({ endpoint, client, maxBytes }: DecodedSourceOptions) {
    this.#client = new QueryClient(endpoint, this.#received.counting(client));
    this.#maxBytes = maxBytes;
  }

  get buffers() {
    return this.#client.buffers;
  }

  async open({ matchers, fromMs, toMs }: ReadQuery, { attempt }: SourceOptions): Promise<SourceStream> {
    // Prometheus 3 excludes the beginning of the selected range, older versions include it.
    const promql = `${formatSelector(nonEmpty(matchers))}[${toMs - fromMs}ms]`;
    return new DecodedStream(async (keep, signal) => {
      const options = { attempt, signal, maxBytes: this.#maxBytes };
      await kept(rangeSamples(this.#client, { promql, timeMs: toMs - 1 }, options), { fromMs, toMs }, keep);
      return this.#received.take();
    });
  }

  close(): void {
    this.#client.close();
  }
}

/** PromQL refuses a selector whose matchers would all match an empty value; remote_read does not. */
function nonEmpty(matchers: readonly Matcher[]): readonly Matcher[] {
  if (matchers.some(({ kind, value }) => kind === '=' && value !== '')) return matchers;
  return [...matchers, { kind: '=~', name: '__name__', value: '.+' }];
}
