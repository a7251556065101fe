// A part of a window as the writer gets it: the complete and checked response, or (if one second of data was still too large) the response
// for some of its metric names.

import type { SeriesCursor } from '../../wire/responses/read-response.ts';
import type { Reservation } from '../limits/reservation.ts';
import type { Outline } from './outline.ts';

export interface WindowPart {
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
  /** SAMPLES were read because the stream was unusable: some of them may differ from what the source has. */
  readonly insteadOfStream: boolean;
}
