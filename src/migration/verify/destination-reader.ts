// Reads the destination's samples for one part of a window, in the way that `destination.progress` names: remote_read, VictoriaMetrics' export, or
// the result of a PromQL range selector.

import type { Endpoint } from '../../remote/http/endpoint.ts';
import type { ClientContext } from '../../remote/http/exchange.ts';
import type { ResponseMemory, ResponsePart } from '../../remote/series-stream.ts';
import type { LabelBytes } from '../../wire/labels.ts';
import type { Matcher } from '../../wire/messages.ts';
import type { SeriesCursor } from '../../wire/responses/read-response.ts';
import type { MemoryBudget } from '../limits/memory-budget.ts';
import type { Reservation } from '../limits/reservation.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { DestinationView } from '../progress/destination-view.ts';
import type { TimeRange } from '../read/open-window.ts';
import type { MigrationObserver } from '../report/observer.ts';
import type { ArrivingSeries, ResponseKind } from './arriving-series.ts';
import type { Lens } from './float-comparison.ts';
import type { LabelBorders } from './label-borders.ts';
import type { PartOfNames } from './metric-names.ts';
import type { SeriesIndex } from './series-index.ts';

/** What to read. Half open: [fromMs, toMs). */
export interface DestinationRange {
  /** A read for each: the series that any of them selects. */
  readonly selectors: readonly (readonly Matcher[])[];
  readonly fromMs: number;
  readonly toMs: number;
  /** Where the range of the request has to end, so that the destination shows all that it has; at least `toMs`. */
  readonly untilMs: number;
  /** Whether to look again at series that differed. */
  readonly confirms: boolean;
}

/** What the destination has of a part. */
export interface DestinationPart extends ResponseKind {
  readonly index: SeriesIndex;
  /** What was compared on arrival, and is not in the index. */
  readonly arriving: ArrivingSeries | undefined;
  /** The part of the metrics that was read, where relabelings may merge series of several. */
  readonly names: PartOfNames | undefined;
  /** What each series has to be between, on both sides; undefined if the part is the whole response. */
  readonly borders?: LabelBorders | undefined;
  /** Holds the response, and what decoding it needs. Released when the part is compared. */
  readonly reservation: Reservation;
}

/** A complete response. */
export interface DestinationResponse extends ResponseKind {
  /** One for each selector, or one for all. */
  readonly cursors: readonly SeriesCursor[];
}

export interface DestinationReadOptions {
  readonly attempt: number;
  readonly signal: AbortSignal;
  /** Only what it does not take is in the response. A reader of responses that do not arrive decoded ignores it. */
  readonly arriving: ArrivingSeries | undefined;
}

/** A response while it arrives. */
export interface DestinationStream {
  /** Whether it can be read in parts. If not, `nextUntil` reads all of it. */
  readonly divides: boolean;
  /**
   * Reads the series before `until`, as SeriesStream.nextUntil.
   * @throws RemoteError, WireError, DoesNotFit; the signal's reason
   */
  nextUntil(until: LabelBytes | undefined, memory: ResponseMemory, signal: AbortSignal): Promise<ResponsePart>;
  /** How it was read. Known after the first part. */
  kind(): ResponseKind;
  close(): Promise<void>;
}

export interface DestinationReader {
  /** Whether samples arrive decoded, which takes several times the memory of the source's response. */
  readonly arrivesDecoded: boolean;

  /** Whether a series may be compared as soon as it arrives, so that it takes no memory. */
  readonly comparesOnArrival: boolean;

  /** A response had a series in several pieces: from now on, all of a response is kept before it is compared. */
  noteSeriesInPieces(): void;

  /**
   * One attempt at reading a range completely.
   * @throws RemoteError, WireError, DoesNotFit, SeriesInPieces; the signal's reason
   */
  read(
    range: DestinationRange,
    reservation: Reservation,
    options: DestinationReadOptions,
  ): Promise<DestinationResponse>;

  /**
   * Sends the request for a range that one selector describes. Undefined if responses cannot be read in parts.
   * @throws as `read`
   */
  open?(range: DestinationRange, options: { attempt: number; signal: AbortSignal }): Promise<DestinationStream>;

  /** Whether this range is read as SAMPLES, or decoded as it arrives: there is no other form to read it in. */
  readsPlain(range: TimeRange): boolean;

  /** Reads this range as SAMPLES from now on: its stream cannot be decoded. */
  readAsSamples(range: TimeRange): void;

  /** The setting by which the store removes samples on purpose, such as `-dedup.minScrapeInterval=15s`; undefined if none is known. */
  removingSetting(signal: AbortSignal): Promise<string | undefined>;

  /** Closes all connections, including those in use. */
  close(): void;
}

export interface DestinationReaderOptions {
  readonly plan: MigrationPlan;
  readonly endpoint: Endpoint;
  readonly client: ClientContext;
  readonly view: DestinationView;
  readonly budget: MemoryBudget;
  readonly random: () => number;
  readonly observer: Pick<MigrationObserver, 'event'>;
}

/** What nothing is known to change. */
export const EXACT: Lens = { victoriaMetrics: false, influxdb: false, promql: false, samples: false };
