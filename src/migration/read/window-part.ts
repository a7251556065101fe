// What the reader hands to the writer: a window's response, complete and checked, or (when one second of data was still too much) the
// response for some of its metric names.

import type { SeriesCursor } from '../../wire/responses/read-response.ts';
import type { Reservation } from '../limits/reservation.ts';
import type { Outline } from './outline.ts';

export interface WindowPart {
  /** The window that this is a part of; half open, in milliseconds. */
  readonly window: { readonly fromMs: number; readonly toMs: number };
  /** What this part covers of it. */
  readonly fromMs: number;
  readonly toMs: number;
  /** One a selector. */
  readonly cursors: readonly SeriesCursor[];
  readonly outline: Outline;
  readonly receivedBytes: number;
  /** Given back as soon as everything is encoded. */
  readonly reservation: Reservation;
  /** With this part the window is whole. */
  readonly last: boolean;
  /** What part of the window comes after this one, from 0 to 1: an estimate, with all portions of names taken for equally large. */
  readonly remaining: number;
  /** When the window's first request was sent, by the clock that never jumps. */
  readonly requestedAtMs: number;
  readonly samplesOnly: boolean;
  /** SAMPLES were read because the stream could not be used: some of them may differ from what the source has. */
  readonly insteadOfStream: boolean;
}
