// Reads the destination through a query API: through one of VictoriaMetrics' exports where it is offered, otherwise as the result of range selectors.

import { formatSelector } from '../../api/selector.ts';
import { deduplicationInterval, showsStoredSamples } from '../../remote/deduplication.ts';
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
import { NativeChoice } from './native-choice.ts';
import { fitsNative, readNative } from './native-reader.ts';
import { StoredSeries } from './stored-series.ts';

const EXPORTED: ResponseKind = { lens: { ...EXACT, victoriaMetrics: true }, countsRepeats: true };
const QUERIED: ResponseKind = { lens: { ...EXACT, promql: true }, countsRepeats: false };

interface Keeping {
  readonly arriving: ArrivingSeries | undefined;
  readonly grow: (bytes: number) => Promise<void>;
  readonly shrink: (bytes: number) => void;
}

export class PromqlReader implements DestinationReader {
  readonly arrivesDecoded = true;
  readonly #client: QueryClient;
  readonly #random: () => number;
  readonly #maxBytes: number;
  #hasSentPieces = false;
  /** Whether the last response was a native export. */
  #isNative = false;
  /** Undefined until it was tried. */
  #exports: boolean | undefined;
  readonly #native = new NativeChoice();
  readonly #observer: DestinationReaderOptions['observer'];

  constructor({ endpoint, client, budget, random, observer }: DestinationReaderOptions) {
    this.#client = new QueryClient(endpoint, client);
    this.#random = random;
    this.#observer = observer;
    this.#maxBytes = Math.floor(budget.total / 2);
  }

  async read(
    range: DestinationRange,
    memory: Reservation,
    { attempt, signal, arriving }: DestinationReadOptions,
  ): Promise<DestinationResponse> {
    const options = { attempt, signal, maxBytes: this.#maxBytes };
    const grow = (bytes: number) => memory.grow(bytes, signal);
    const keep = { arriving, grow, shrink: (bytes: number) => memory.shrink(bytes) };
    // A request without a selector is refused, which says nothing about the server.
    if (range.selectors.length === 0) return { cursors: [], lens: EXACT, countsRepeats: false };
    if (await this.#choosesNative(range, signal)) {
      try {
        return await this.#exportNative(range, keep, options);
      } catch (error) {
        const reaction = this.#native.failed(error);
        if (reaction === 'read-again' || (reaction === 'fail' && isNotOffered(error)))
          throw asTransient(error as RemoteError);
        if (reaction === 'fail') throw error;
      }
    }
    if (this.#exports !== false) {
      try {
        const response = await this.#export(range, keep, options);
        this.#exports = true;
        const reason = this.#native.takeReason();
        if (reason !== undefined) this.#observer.event({ type: 'reads-json', reason });
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
    if (this.#isNative && !this.#native.holdsAll) this.#native.noteSeriesInPieces();
    else this.#hasSentPieces = true;
  }

  readsPlain(): boolean {
    return true;
  }

  readAsSamples(): void {
    // What is stored here was decoded before, so this is not called for it.
  }

  async removingSetting(signal: AbortSignal): Promise<string | undefined> {
    if (this.#exports !== true) return undefined;
    const interval = deduplicationInterval(await this.#client.flags(signal));
    return interval && `-dedup.minScrapeInterval=${interval}`;
  }

  close(): void {
    this.#client.close();
  }

  /** The native export shows all that is stored, so it is used only where the server shows all of it everywhere. */
  async #choosesNative({ confirms }: DestinationRange, signal: AbortSignal): Promise<boolean> {
    this.#isNative = false;
    if (confirms || !fitsNative(this.#maxBytes) || !this.#native.choose()) return false;
    if (this.#native.isUntried && !showsStoredSamples(await this.#client.flags(signal))) {
      this.#native.rule('its /flags do not show that it returns all samples that it stores');
      return false;
    }
    this.#isNative = true;
    return true;
  }

  async #exportNative(
    { selectors, fromMs, toMs, untilMs }: DestinationRange,
    keep: Keeping,
    options: QueryOptions,
  ): Promise<DestinationResponse> {
    const matches = selectors.map((matchers) => this.#selector(matchers));
    keep.arriving?.begin(EXPORTED);
    const keeping = { ...keep, holdsAll: this.#native.holdsAll };
    const response = await readNative(this.#client, { matches, fromMs, toMs, untilMs }, keeping, options);
    this.#native.succeeded(response);
    return { cursors: [response.store], ...EXPORTED };
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
