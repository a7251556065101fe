// Reads the destination through a query API: through VictoriaMetrics' export where it is offered, otherwise as the result of range selectors.

import { formatSelector } from '../../api/selector.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { QueryClient, type QueryOptions } from '../../remote/query-client.ts';
import { exportedSamples, type QueriedSeries, rangeSamples } from '../../remote/sample-query.ts';
import type { Matcher } from '../../wire/messages.ts';
import type { Reservation } from '../limits/reservation.ts';
import { freshMatcher } from '../progress/progress-mark.ts';
import type { ArrivingSeries, ResponseKind } from './arriving-series.ts';
import {
  type DestinationRange,
  type DestinationReader,
  type DestinationReaderOptions,
  type DestinationReadOptions,
  type DestinationResponse,
  EXACT,
  isNotOffered,
} from './destination-reader.ts';
import { StoredSeries } from './stored-series.ts';

const EXPORTED: ResponseKind = { lens: { ...EXACT, victoriaMetrics: true }, countsRepeats: true };
const QUERIED: ResponseKind = { lens: { ...EXACT, promql: true }, countsRepeats: false };

interface Keeping {
  readonly arriving: ArrivingSeries | undefined;
  readonly grow: (bytes: number) => Promise<void>;
}

export class PromqlReader implements DestinationReader {
  readonly arrivesDecoded = true;
  readonly #client: QueryClient;
  readonly #random: () => number;
  readonly #maxBytes: number;
  #hasSentPieces = false;
  /** Undefined until it was tried. */
  #exports: boolean | undefined;

  constructor({ endpoint, client, budget, random }: DestinationReaderOptions) {
    this.#client = new QueryClient(endpoint, client);
    this.#random = random;
    this.#maxBytes = Math.floor(budget.total / 2);
  }

  async read(
    range: DestinationRange,
    memory: Reservation,
    { attempt, signal, arriving }: DestinationReadOptions,
  ): Promise<DestinationResponse> {
    const options = { attempt, signal, maxBytes: this.#maxBytes };
    const keep = { arriving, grow: (bytes: number) => memory.grow(bytes, signal) };
    // A request without a selector is refused, which says nothing about the server.
    if (range.selectors.length === 0) return { cursors: [], lens: EXACT, countsRepeats: false };
    if (this.#exports !== false) {
      try {
        const response = await this.#export(range, keep, options);
        this.#exports = true;
        return response;
      } catch (error) {
        if (!isNotOffered(error)) throw error;
        // A server that has exported before refuses for another reason.
        if (this.#exports === true) throw asTransient(error);
        this.#exports = false;
      }
    }
    const cursors: StoredSeries[] = [];
    for (const matchers of range.selectors) {
      const promql = rangeSelector(this.#selector(matchers), range);
      arriving?.begin(QUERIED);
      cursors.push(await kept(rangeSamples(this.#client, { promql, timeMs: range.untilMs }, options), range, keep));
    }
    return { cursors, ...QUERIED };
  }

  get comparesOnArrival(): boolean {
    return !this.#hasSentPieces;
  }

  noteSeriesInPieces(): void {
    this.#hasSentPieces = true;
  }

  readsPlain(): boolean {
    return true;
  }

  readAsSamples(): void {
    // What is stored here was decoded before, so this is not called for it.
  }

  async removingSetting(signal: AbortSignal): Promise<string | undefined> {
    if (this.#exports !== true) return undefined;
    const interval = await this.#client.deduplicationInterval(signal);
    return interval && `-dedup.minScrapeInterval=${interval}`;
  }

  close(): void {
    this.#client.close();
  }

  async #export(
    { selectors, fromMs, toMs, untilMs }: DestinationRange,
    keep: Keeping,
    options: QueryOptions,
  ): Promise<DestinationResponse> {
    const matches = selectors.map((matchers) => this.#selector(matchers));
    const series = exportedSamples(this.#client, { matches, fromMs, toMs: untilMs - 1 }, options);
    keep.arriving?.begin(EXPORTED);
    const cursor = await kept(series, { fromMs, toMs }, keep);
    return { cursors: [cursor], ...EXPORTED };
  }

  #selector(matchers: readonly Matcher[]): string {
    return formatSelector([...matchers, freshMatcher(this.#random)]);
  }
}

/**
 * Evaluated at `untilMs`, the selector covers [fromMs, untilMs) in every store, plus one millisecond at either end in some. The comparison takes
 * only what is inside.
 */
function rangeSelector(selector: string, { fromMs, untilMs }: DestinationRange): string {
  return `${selector}[${untilMs - fromMs + 1}ms]`;
}

/** Keeps what does not count on arrival. */
async function kept(
  series: AsyncGenerator<QueriedSeries, undefined>,
  { fromMs, toMs }: { fromMs: number; toMs: number },
  { arriving, grow }: Keeping,
): Promise<StoredSeries> {
  const store = new StoredSeries(grow);
  for await (const { labels, columns } of series) {
    // A range that reaches to now has more than is wanted.
    columns.trim(fromMs, toMs);
    if (columns.floats + columns.histograms.length === 0) continue;
    if (arriving?.take(labels, columns) !== true) await store.add(labels, columns);
  }
  return store;
}

/** The same request may succeed later. */
function asTransient({ message, status }: RemoteError): RemoteError {
  const what = message.replace(/^progress /, '');
  return new RemoteError({ class: 'transient', code: 'bad-response', side: 'progress', status, what });
}
