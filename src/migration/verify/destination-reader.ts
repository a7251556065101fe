// Reads the destination's samples for one part of a window, in the way that `destination.progress` names: remote_read, VictoriaMetrics' export, or
// the result of a PromQL range selector.

import type { Endpoint } from '../../remote/http/endpoint.ts';
import type { ClientContext } from '../../remote/http/exchange.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import type { Matcher } from '../../wire/messages.ts';
import type { SeriesCursor } from '../../wire/responses/read-response.ts';
import type { MemoryBudget } from '../limits/memory-budget.ts';
import type { Reservation } from '../limits/reservation.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { DestinationView } from '../progress/destination-view.ts';
import type { DestinationIndex } from './destination-index.ts';
import type { Lens } from './float-comparison.ts';

/** What to read. Half open: [fromMs, toMs). */
export interface DestinationRange {
  /** A read for each: the series that any of them selects. */
  readonly selectors: readonly (readonly Matcher[])[];
  readonly fromMs: number;
  readonly toMs: number;
  /** Where the range of the request has to end, so that the destination shows all that it has; at least `toMs`. */
  readonly untilMs: number;
}

/** What the destination has of a part. */
export interface DestinationPart {
  readonly index: DestinationIndex;
  readonly lens: Lens;
  /** Whether samples that are returned twice are stored twice. */
  readonly countsRepeats: boolean;
  /** Holds the response, and what decoding it needs. Released when the part is compared. */
  readonly reservation: Reservation;
}

/** A complete response. */
export interface DestinationResponse {
  /** One for each selector, or one for all. */
  readonly cursors: readonly SeriesCursor[];
  readonly lens: Lens;
  readonly countsRepeats: boolean;
}

export interface DestinationReader {
  /**
   * One attempt at reading a range completely.
   * @throws RemoteError, WireError, DoesNotFit; the signal's reason
   */
  read(
    range: DestinationRange,
    reservation: Reservation,
    options: { readonly attempt: number; readonly signal: AbortSignal },
  ): Promise<DestinationResponse>;

  /** A response could not be decoded: the next read of the range avoids what may have caused it, if that is possible. */
  undecodable(): void;

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
  /** For the labels of series. */
  readonly cacheBytes: number;
}

/** What nothing is known to change. */
export const EXACT: Lens = { victoriaMetrics: false, influxdb: false, promql: false, samples: false };

/** Whether the error means that the server has no such API, and not that this request failed. */
export function isNotOffered(error: unknown): error is RemoteError {
  return error instanceof RemoteError && error.code === 'export-not-offered';
}
