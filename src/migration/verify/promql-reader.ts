// Reads the destination through a query API: through one of VictoriaMetrics' exports where it is offered, otherwise as the result of range selectors.

import { formatSelector } from '../../api/selector.ts';
import { deduplicationInterval } from '../../remote/deduplication.ts';
import { QueryClient } from '../../remote/query-client.ts';
import { rangeSamples } from '../../remote/sample-query.ts';
import type { Matcher } from '../../wire/messages.ts';
import { ExportReader, kept } from '../decoded/export-reader.ts';
import type { Reservation } from '../limits/reservation.ts';
import { freshMatcher } from '../progress/progress-mark.ts';
import type { ResponseKind } from './arriving-series.ts';
import {
  type DestinationRange,
  type DestinationReader,
  type DestinationReaderOptions,
  type DestinationReadOptions,
  type DestinationResponse,
  EXACT,
} from './destination-reader.ts';
import type { StoredSeries } from '../decoded/stored-series.ts';

const EXPORTED: ResponseKind = { lens: { ...EXACT, victoriaMetrics: true }, countsRepeats: true };
const QUERIED: ResponseKind = { lens: { ...EXACT, promql: true }, countsRepeats: false };

export class PromqlReader implements DestinationReader {
  readonly arrivesDecoded = true;
  readonly #client: QueryClient;
  readonly #random: () => number;
  readonly #maxBytes: number;
  readonly #exports: ExportReader;
  #hasSentPieces = false;

  constructor({ endpoint, client, budget, random, observer }: DestinationReaderOptions) {
    this.#client = new QueryClient(endpoint, client);
    this.#random = random;
    this.#maxBytes = Math.floor(budget.total / 2);
    this.#exports = new ExportReader({ client: this.#client, maxBytes: this.#maxBytes, observer });
  }

  async read(
    range: DestinationRange,
    memory: Reservation,
    { attempt, signal, arriving }: DestinationReadOptions,
  ): Promise<DestinationResponse> {
    const grow = (bytes: number) => memory.grow(bytes, signal);
    const keep = { arriving, grow, shrink: (bytes: number) => memory.shrink(bytes) };
    // A request without a selector is refused, which says nothing about the server.
    if (range.selectors.length === 0) return { cursors: [], lens: EXACT, countsRepeats: false };
    const { fromMs, toMs, untilMs, confirms } = range;
    const matches = range.selectors.map((matchers) => this.#selector(matchers));
    const exporting = { ...keep, asQueried: confirms, begin: () => arriving?.begin(EXPORTED) };
    const exported = await this.#exports.read({ matches, fromMs, toMs, untilMs }, exporting, { attempt, signal });
    if (exported !== undefined) return { cursors: [exported], ...EXPORTED };
    const options = { attempt, signal, maxBytes: this.#maxBytes, memory: { grow, shrink: keep.shrink } };
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
    if (!this.#exports.noteSeriesInPieces()) this.#hasSentPieces = true;
  }

  readsPlain(): boolean {
    return true;
  }

  readAsSamples(): void {
    // What is stored here was decoded before, so this is not called for it.
  }

  async removingSetting(signal: AbortSignal): Promise<string | undefined> {
    if (this.#exports.isOffered !== true) return undefined;
    const interval = deduplicationInterval(await this.#client.flags(signal));
    return interval && `-dedup.minScrapeInterval=${interval}`;
  }

  close(): void {
    this.#client.close();
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
