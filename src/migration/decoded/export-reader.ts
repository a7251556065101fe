// Reads series through VictoriaMetrics' exports: the native one where it shows the same samples as the other and costs less, otherwise JSON.

import { showsStoredSamples } from '../../remote/deduplication.ts';
import { DoesNotFit } from '../../remote/does-not-fit.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import type { QueryClient, QueryOptions } from '../../remote/query-client.ts';
import { exportedSamples, type QueriedSeries } from '../../remote/sample-query.ts';
import { WireError } from '../../wire/errors.ts';
import { decompressesFrames } from '../../wire/native-export/zstd-frames.ts';
import type { SeriesCursor } from '../../wire/responses/read-response.ts';
import type { MigrationObserver } from '../report/observer.ts';
import { NativeChoice } from './native-choice.ts';
import { HeldDoesNotFit, readHeld } from './held-reader.ts';
import type { HeldSeries } from './held-series.ts';
import { fitsNative, type NativeRange, readNative } from './native-reader.ts';
import type { Keeping } from './series-taker.ts';
import { StoredSeries } from './stored-series.ts';

export interface ExportReaderOptions {
  readonly client: QueryClient;
  /** Of one line, or of one block with its neighbours. */
  readonly maxBytes: number;
  readonly observer: Pick<MigrationObserver, 'event'>;
}

export interface ExportKeeping extends Keeping {
  readonly asQueried: boolean;
  readonly begin?: () => void;
  readonly isRequired?: true;
  /** Keep blocks as they arrive. Nothing is offered on arrival then. */
  readonly held?: Held;
}

export interface Held {
  /** The longest range that can be requested. */
  readonly longestMs: number;
  /** The selector, if it selects a single metric name: there are no fewer names to read. */
  readonly oneName: string | undefined;
}

const MAX_TOO_LARGE = 1000;
/** A window grows to its full length in fewer steps. */
const MAX_SHORT_RANGES = 16;

export class ExportReader {
  readonly #options: ExportReaderOptions;
  readonly #native = new NativeChoice();
  /** Selectors of one metric name whose blocks do not fit into memory. */
  readonly #tooLarge = new Set<string>();
  /** How many ranges in a row were much shorter than they could be. */
  #shortRanges = 0;
  /** Whether the last response was a native export. */
  #isNative = false;
  /** The export as JSON; undefined until it was tried. */
  #offered: boolean | undefined;

  constructor(options: ExportReaderOptions) {
    this.#options = options;
  }

  /** Whether the server has an export as JSON; undefined until it was tried. */
  get isOffered(): boolean | undefined {
    return this.#offered;
  }

  /**
   * One attempt at reading a range completely.
   * @param asQueried only with what a query would see
   * @param begin called before each response
   * @param held see ExportKeeping
   * @param isRequired whether there is no other way to read: RemoteError `export-not-offered` is thrown, each time
   * @returns the series that were not taken on arrival; undefined if the server has no export
   * @throws RemoteError, WireError, DoesNotFit; what the taker throws; the signal's reason
   */
  async read(
    range: NativeRange,
    { asQueried, begin, isRequired, held, ...keep }: ExportKeeping,
    { attempt, signal }: Pick<QueryOptions, 'attempt' | 'signal'>,
  ): Promise<SeriesCursor | undefined> {
    const { client, maxBytes, observer } = this.#options;
    const options = { attempt, signal, maxBytes };
    if (await this.#choosesNative(asQueried, held, signal)) {
      try {
        begin?.();
        const series =
          held === undefined
            ? await this.#arriving(range, keep, options)
            : await this.#held(range, keep, held, options);
        if (series !== undefined) return series;
      } catch (error) {
        const reaction = error instanceof DoesNotFit && held !== undefined ? 'fail' : this.#native.failed(error);
        if (reaction === 'read-again' || (reaction === 'fail' && isNotOffered(error)))
          throw asTransient(error as RemoteError);
        if (reaction === 'fail') throw error;
      }
    }
    if (this.#offered === false) return undefined;
    try {
      const { matches, fromMs, toMs, untilMs } = range;
      const memory = { grow: keep.grow, shrink: keep.shrink };
      const series = exportedSamples(client, { matches, fromMs, toMs: untilMs - 1 }, { ...options, memory });
      begin?.();
      const store = await kept(series, { fromMs, toMs }, keep);
      this.#offered = true;
      const reason = this.#native.takeReason();
      if (reason !== undefined) observer.event({ type: 'reads-json', reason });
      return store;
    } catch (error) {
      if (!isNotOffered(error) || isRequired) throw error;
      // A server that has exported before refuses for another reason.
      if (this.#offered === true || this.#native.isUsable) throw asTransient(error);
      this.#offered = false;
      return undefined;
    }
  }

  /**
   * A series that was taken on arrival came again in the same response.
   * @returns whether the next response of this kind will hold it
   */
  noteSeriesInPieces(): boolean {
    if (!this.#isNative || this.#native.holdsAll) return false;
    this.#native.noteSeriesInPieces();
    return true;
  }

  async #arriving(range: NativeRange, keep: Keeping, options: QueryOptions): Promise<StoredSeries> {
    const { client } = this.#options;
    const response = await readNative(client, range, { ...keep, holdsAll: this.#native.holdsAll }, options);
    this.#native.succeeded(response);
    return response.store;
  }

  /** @returns undefined if JSON has to be read instead; nothing is kept then */
  async #held(
    range: NativeRange,
    { grow, shrink }: Keeping,
    { longestMs, oneName }: Held,
    options: QueryOptions,
  ): Promise<HeldSeries | undefined> {
    let heldBytes = 0;
    const isShort = range.toMs - range.fromMs < longestMs / 2;
    this.#shortRanges = isShort ? this.#shortRanges + 1 : 0;
    // Windows stay short where one metric name decides how long they are.
    const staysShort = this.#tooLarge.size > 0 || this.#shortRanges > MAX_SHORT_RANGES;
    const keeping = {
      longestMs: staysShort ? 0 : longestMs,
      grow: async (bytes: number) => {
        await grow(bytes);
        heldBytes += bytes;
      },
      shrink: (bytes: number) => {
        shrink(bytes);
        heldBytes -= bytes;
      },
      onDamage: (error: WireError) => void this.#native.failed(error),
    };
    try {
      const series = await readHeld(this.#options.client, range, keeping, options);
      this.#native.succeeded(series.experience);
      return series;
    } catch (error) {
      if (!this.#isReadAsJson(error, oneName)) throw error;
      shrink(heldBytes);
      return undefined;
    }
  }

  /** Neither less time nor fewer names would help. */
  #isReadAsJson(error: unknown, oneName: string | undefined): boolean {
    if (error instanceof WireError && error.code === 'unknown-encoding') this.#native.failed(error);
    else if (!(error instanceof HeldDoesNotFit)) return false;
    else if (oneName === undefined) return this.#native.didNotFit(error);
    else {
      if (this.#tooLarge.size >= MAX_TOO_LARGE) this.#tooLarge.clear();
      this.#tooLarge.add(oneName);
    }
    return true;
  }

  /** The native export shows all that is stored, so it is used only where the server shows all of it everywhere. */
  async #choosesNative(asQueried: boolean, held: Held | undefined, signal: AbortSignal): Promise<boolean> {
    const { client, maxBytes } = this.#options;
    this.#isNative = false;
    if (held?.oneName !== undefined && this.#tooLarge.has(held.oneName)) return false;
    if (asQueried || !fitsNative(maxBytes) || !this.#native.choose()) return false;
    if (this.#native.isUntried && !decompressesFrames()) {
      this.#native.rule(`Node ${process.versions.node} cannot decompress it: Node 26 or newer can`);
      return false;
    }
    if (this.#native.isUntried && !showsStoredSamples(await client.flags(signal))) {
      this.#native.rule('its /flags do not show that it returns all samples that it stores');
      return false;
    }
    this.#isNative = true;
    return true;
  }
}

/** Keeps the samples in [fromMs, toMs) that are not taken on arrival. */
export async function kept(
  series: AsyncGenerator<QueriedSeries, undefined>,
  { fromMs, toMs }: { fromMs: number; toMs: number },
  { arriving, grow, store = new StoredSeries(grow) }: Keeping,
): Promise<StoredSeries> {
  for await (const { labels, columns } of series) {
    // A range that reaches to now has more than is wanted.
    columns.trim(fromMs, toMs);
    if (columns.floats + columns.histograms.length === 0) continue;
    if (arriving?.take(labels, columns) !== true) await store.add(labels, columns);
  }
  return store;
}

/** Whether the error means that the server has no such API, and not that this request failed. */
function isNotOffered(error: unknown): error is RemoteError {
  return error instanceof RemoteError && error.code === 'export-not-offered';
}

/** The same request may succeed later. */
function asTransient({ message, status, side }: RemoteError): RemoteError {
  const what = message.replace(/^(?:progress|source|destination) /, '');
  return new RemoteError({ class: 'transient', code: 'bad-response', side, status, what });
}
