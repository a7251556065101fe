// A part of a window as the writer gets it: the complete and checked response, or (if the shortest window was still too large) the response
// for some of its metric names.

import type { Endpoint } from '../../remote/http/endpoint.ts';
import type { LabelBytes } from '../../wire/labels.ts';
import type { SeriesCursor } from '../../wire/responses/read-response.ts';
import type { Reservation } from '../limits/reservation.ts';
import type { Outline } from './outline.ts';
import type { Slice } from './slice.ts';

/** Something that holds memory until it is released. */
export interface Held {
  readonly reservation: Reservation;
}

/** The source's response for a slice. */
export type SourcePart = Pick<
  WindowPart,
  'cursors' | 'outline' | 'fromMs' | 'toMs' | 'samplesOnly' | 'isQueried' | 'nextLabels'
>;

/** Reads the other side of each slice. A slice counts only when both sides have arrived completely. */
export interface Companion<C extends Held> {
  /** For the waits between attempts. */
  readonly endpoint: Endpoint;
  /** All memory that it may hold. */
  readonly budgetBytes: number;
  /** Whether the source's response must be known. If not, both sides are read at once. */
  readonly needsSource: boolean;
  /**
   * One attempt.
   * @param source what the source has of the slice, if `needsSource`
   * @throws RemoteError, WireError, DoesNotFit; the signal's reason. Nothing is held then
   */
  read(slice: Slice, source: SourcePart | undefined, signal: AbortSignal): Promise<C>;
  /** Sends the request for a slice of which the source may send several parts. Undefined: the source's responses are not handed on in parts. */
  open?(slice: Slice, signal: AbortSignal): CompanionParts<C>;
}

/** The companion's response for a slice, while it is read in parts. */
export interface CompanionParts<C extends Held> {
  /**
   * Reads what belongs to the source's next part.
   * @throws as Companion.read; Indivisible. Then nothing more can be read
   */
  next(source: SourcePart): Promise<C>;
  /** Ends the request, and releases what was read ahead. */
  close(): Promise<void>;
}

/** Gives back everything that a part holds. */
export function releasePart({ reservation, companion }: Pick<WindowPart<Held>, 'reservation' | 'companion'>): void {
  reservation.release();
  companion?.reservation.release();
}

export interface WindowPart<C extends Held = never> {
  /** The window that contains this part; half open, in milliseconds. */
  readonly window: { readonly fromMs: number; readonly toMs: number };
  /** The stretch of the window that this part covers. */
  readonly fromMs: number;
  readonly toMs: number;
  /** One per selector. */
  readonly cursors: readonly SeriesCursor[];
  readonly outline: Outline;
  readonly receivedBytes: number;
  /** Released as soon as everything is encoded. */
  readonly reservation: Reservation;
  /** This part completes the window. */
  readonly last: boolean;
  /** The fraction of the window after this part, from 0 to 1. An estimate that assumes equally large portions of names. */
  readonly remaining: number;
  /** When the window's first request was sent, on the monotonic clock. */
  readonly requestedAtMs: number;
  readonly samplesOnly: boolean;
  /** As of SeriesSource. */
  readonly isQueried?: boolean;
  /** The labels of the source's series with which the next part of the response begins; undefined if it ends here. */
  readonly nextLabels?: LabelBytes | undefined;
  /** What the companion has read. */
  readonly companion?: C;
  /** SAMPLES were read because the stream was unusable: some of them may differ from what the source has. */
  readonly insteadOfStream: boolean;
}
