// Reads the destination through a query API: through VictoriaMetrics' export where it is offered, otherwise as the result of range selectors.

import { formatSelector } from '../../api/selector.ts';
import { QueryClient, type QueryOptions } from '../../remote/query-client.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { exportedSamples, LABELS_OF_JSON, type QueriedSeries, rangeSamples } from '../../remote/sample-query.ts';
import type { Matcher } from '../../wire/messages.ts';
import { labelKey } from '../../wire/label-hash.ts';
import type { LabelBytes } from '../../wire/labels.ts';
import type { Reservation } from '../limits/reservation.ts';
import { LabelCache } from '../series/label-cache.ts';
import { freshMatcher } from '../progress/progress-mark.ts';
import {
  type DestinationRange,
  type DestinationReader,
  type DestinationReaderOptions,
  type DestinationResponse,
  EXACT,
  isNotOffered,
} from './destination-reader.ts';
import { StoredSeries } from './stored-series.ts';

const MAX_CACHED_BYTES = 16 * 1024;
const ENTRY_OVERHEAD_BYTES = 300;

export class PromqlReader implements DestinationReader {
  readonly #client: QueryClient;
  readonly #random: () => number;
  readonly #maxBytes: number;
  /** By their JSON in the export: parsing it takes longer than parsing the samples. */
  readonly #labels: LabelCache<LabelBytes>;
  /** Undefined until it was tried. */
  #exports: boolean | undefined;

  constructor({ endpoint, client, budget, random, cacheBytes }: DestinationReaderOptions) {
    this.#client = new QueryClient(endpoint, client);
    this.#random = random;
    this.#maxBytes = Math.floor(budget.total / 2);
    this.#labels = new LabelCache(cacheBytes);
  }

  async read(
    range: DestinationRange,
    memory: Reservation,
    { attempt, signal }: { attempt: number; signal: AbortSignal },
  ): Promise<DestinationResponse> {
    const options = { attempt, signal, maxBytes: this.#maxBytes };
    const grow = (bytes: number) => memory.grow(bytes, signal);
    // A request without a selector is refused, which says nothing about the server.
    if (range.selectors.length === 0) return { cursors: [], lens: EXACT, countsRepeats: false };
    if (this.#exports !== false) {
      try {
        const response = await this.#export(range, grow, options);
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
      cursors.push(await stored(rangeSamples(this.#client, { promql, timeMs: range.untilMs }, options), range, grow));
    }
    return { cursors, lens: { ...EXACT, promql: true }, countsRepeats: false };
  }

  undecodable(): void {
    // What is stored here was decoded before, so this is not called for it.
  }

  close(): void {
    this.#client.close();
  }

  async #export(
    { selectors, fromMs, untilMs }: DestinationRange,
    grow: (bytes: number) => Promise<void>,
    options: QueryOptions,
  ): Promise<DestinationResponse> {
    const matches = selectors.map((matchers) => this.#selector(matchers));
    const series = exportedSamples(
      this.#client,
      { matches, fromMs, toMs: untilMs - 1 },
      (json) => this.#labelsOf(json),
      options,
    );
    const cursor = await stored(series, { fromMs, toMs: untilMs }, grow);
    return { cursors: [cursor], lens: { ...EXACT, victoriaMetrics: true }, countsRepeats: true };
  }

  #labelsOf(json: Buffer): LabelBytes | undefined {
    if (json.length > MAX_CACHED_BYTES) return LABELS_OF_JSON(json);
    const key = labelKey(json);
    const known = this.#labels.get(key);
    if (known !== undefined) return known;
    const labels = LABELS_OF_JSON(json);
    if (labels !== undefined) this.#labels.set(key, labels, key.length + ENTRY_OVERHEAD_BYTES + labels.length);
    return labels;
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

async function stored(
  series: AsyncGenerator<QueriedSeries, undefined>,
  { fromMs, toMs }: { fromMs: number; toMs: number },
  grow: (bytes: number) => Promise<void>,
): Promise<StoredSeries> {
  const store = new StoredSeries(grow);
  for await (const { labels, columns } of series) {
    // A range that reaches to now has more than is wanted.
    columns.trim(fromMs, toMs);
    if (columns.floats + columns.histograms.length > 0) await store.add(labels, columns);
  }
  return store;
}

/** The same request may succeed later. */
function asTransient({ message, status }: RemoteError): RemoteError {
  const what = message.replace(/^progress /, '');
  return new RemoteError({ class: 'transient', code: 'bad-answer', side: 'progress', status, what });
}
