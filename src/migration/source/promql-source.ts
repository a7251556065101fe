// Any store with a query API as a source. An instant query of a range selector returns samples as they are stored, but no stale markers, and not
// which NaN a NaN is.

import { formatSelector } from '../../api/selector.ts';
import { HistogramKinds } from '../../remote/histogram-kinds.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { hintOf } from '../../remote/meaning/response-codes.ts';
import { QueryClient, type QueryOptions } from '../../remote/query-client.ts';
import type { ReadQuery } from '../../remote/read-series.ts';
import { rangeSamples } from '../../remote/sample-query.ts';
import { kept } from '../decoded/export-reader.ts';
import { AssumedHistograms } from './assumed-histograms.ts';
import type { DecodedSourceOptions } from './decoded-source.ts';
import { DecodedStream } from './decoded-stream.ts';
import { ReceivedBytes } from './received-bytes.ts';
import type { SeriesSource, SourceOptions, SourceStream } from './series-source.ts';

/** Selects no series. */
const NOTHING = '{__name__="prom_migrator_selects_nothing"}';

/** How often a server may fail to answer whether it has an export. */
const TRIES_OF_EXPORT = 6;

export class PromqlSource implements SeriesSource {
  readonly rangeEnd = 'included';
  readonly isQueried = true;
  readonly #client: QueryClient;
  readonly #maxBytes: number;
  readonly #received = new ReceivedBytes();
  readonly #kinds = new HistogramKinds();
  readonly #assumptions: AssumedHistograms;
  #isChecked = false;

  constructor({ endpoint, client, maxBytes, observer }: DecodedSourceOptions) {
    this.#assumptions = new AssumedHistograms(observer);
    this.#client = new QueryClient(endpoint, this.#received.counting(client));
    this.#maxBytes = maxBytes;
  }

  get buffers() {
    return this.#client.buffers;
  }

  async open(
    { matchers, fromMs, toMs }: ReadQuery,
    { attempt, signal: opening }: SourceOptions,
  ): Promise<SourceStream> {
    if (!this.#isChecked) {
      await this.#refuseVictoriaMetrics({ attempt, signal: opening, maxBytes: this.#maxBytes });
      this.#isChecked = true;
    }
    // Prometheus 3 excludes the beginning of the selected range, older versions include it.
    const promql = `${formatSelector(matchers)}[${toMs - fromMs}ms]`;
    return new DecodedStream(async (keep, signal) => {
      const memory = { grow: keep.grow, shrink: keep.shrink };
      const options = { attempt, signal, maxBytes: this.#maxBytes, memory };
      const kinds = this.#kinds;
      await kept(rangeSamples(this.#client, { promql, timeMs: toMs - 1, kinds }, options), { fromMs, toMs }, keep);
      this.#assumptions.add(kinds.takeAssumed());
      return { receivedBytes: this.#received.take() };
    });
  }

  /** Its query API shows stale markers as ordinary NaN: they would be copied as something else. */
  async #refuseVictoriaMetrics(options: QueryOptions): Promise<void> {
    try {
      const response = await this.#client.exportResponse([NOTHING], { fromMs: 0, toMs: 1 }, options);
      response.discard();
    } catch (error) {
      options.signal.throwIfAborted();
      if (!(error instanceof RemoteError)) throw error;
      // A server that fails says nothing about what it is. One that never answers this request otherwise is no VictoriaMetrics.
      if (error.class === 'transient' && options.attempt < TRIES_OF_EXPORT) throw error;
      if (error.class !== 'too-large') return;
    }
    const code = 'source-is-victoriametrics';
    const what = 'has /api/v1/export, so it is a VictoriaMetrics: its query API shows stale markers as ordinary NaN';
    throw new RemoteError({ class: 'refused', code, side: 'source', what, hint: hintOf(code, 'source') });
  }

  close(): void {
    this.#assumptions.end();
    this.#client.close();
  }
}
