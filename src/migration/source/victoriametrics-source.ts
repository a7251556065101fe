// VictoriaMetrics as a source: it has no remote_read, but exports what it has stored, with stale markers and the values as they are stored.

import { formatSelector } from '../../api/selector.ts';
import { deduplicationInterval, durationMs, endOfInterval } from '../../remote/deduplication.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { hintOf } from '../../remote/meaning/response-codes.ts';
import { QueryClient } from '../../remote/query-client.ts';
import type { ReadQuery } from '../../remote/read-series.ts';
import { HeldSeries } from '../decoded/held-series.ts';
import { ExportReader } from '../decoded/export-reader.ts';
import { freshMatcher } from '../progress/progress-mark.ts';
import type { DecodedSourceOptions } from './decoded-source.ts';
import { DecodedStream } from './decoded-stream.ts';
import { ReceivedBytes } from './received-bytes.ts';
import type { SeriesSource, SourceOptions, SourceStream } from './series-source.ts';

export class VictoriaMetricsSource implements SeriesSource {
  readonly rangeEnd = 'included';
  readonly #client: QueryClient;
  readonly #exports: ExportReader;
  readonly #random: () => number;
  readonly #longestMs: number;
  readonly #received = new ReceivedBytes();
  /** Of its deduplication; 1 if that is off or not known. */
  #intervalMs: number | undefined;

  constructor({ endpoint, client, maxBytes, longestMs, random, observer }: DecodedSourceOptions) {
    this.#longestMs = longestMs;
    this.#client = new QueryClient(endpoint, this.#received.counting(client));
    this.#exports = new ExportReader({ client: this.#client, maxBytes, observer });
    this.#random = random;
  }

  get buffers() {
    return this.#client.buffers;
  }

  async open(
    { matchers, fromMs, toMs }: ReadQuery,
    { attempt, signal: opening }: SourceOptions,
  ): Promise<SourceStream> {
    this.#intervalMs ??= await this.#deduplicationMs(opening);
    const untilMs = endOfInterval(toMs, this.#intervalMs ?? 1);
    const matches = [formatSelector([...matchers, freshMatcher(this.#random)])];
    const isOneName = matchers.some(({ kind, name }) => kind === '=' && name === '__name__');
    const held = { longestMs: this.#longestMs, oneName: isOneName ? formatSelector(matchers) : undefined };
    return new DecodedStream(async (keep, signal) => {
      const range = { matches, fromMs, toMs, untilMs };
      try {
        const keeping = { ...keep, asQueried: false, isRequired: true, held } as const;
        const series = await this.#exports.read(range, keeping, { attempt, signal });
        return { receivedBytes: this.#received.take(), ...(series instanceof HeldSeries && { held: series }) };
      } catch (error) {
        if (error instanceof RemoteError && error.code === 'export-not-offered') throw hasNoExport(error);
        throw error;
      }
    });
  }

  /** @returns undefined if the flags cannot be read this time */
  async #deduplicationMs(signal: AbortSignal): Promise<number | undefined> {
    const flags = await this.#client.flags(signal);
    if (flags === undefined) return undefined;
    const interval = deduplicationInterval(flags);
    return (interval === undefined ? undefined : durationMs(interval)) ?? 1;
  }

  close(): void {
    this.#client.close();
  }
}

function hasNoExport({ message, status }: RemoteError): RemoteError {
  const code = 'source-without-export';
  const what = message.replace(/^source /, '');
  return new RemoteError({ class: 'refused', code, side: 'source', what, status, hint: hintOf(code, 'source') });
}
