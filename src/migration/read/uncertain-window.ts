// The error of a window that could not be finished after some of it was handed on.

import type { TimeRange } from './open-window.ts';

/**
 * - `undecodable`: a response has arrived as it was sent, and cannot be decoded
 * - `broken`: a response broke off, or was damaged on the way
 * - `indivisible`: a response can only be written as a whole
 */
export type Uncertainty = 'undecodable' | 'broken' | 'indivisible';

/** Some of the window may have been written. It has to be read again, and compared with the destination. */
export class UncertainWindow extends Error {
  override readonly name = 'UncertainWindow';
  readonly window: TimeRange;
  readonly uncertainty: Uncertainty;
  override readonly cause: Error;

  constructor({ fromMs, toMs }: TimeRange, uncertainty: Uncertainty, cause: Error) {
    super(cause.message);
    this.window = { fromMs, toMs };
    this.uncertainty = uncertainty;
    this.cause = cause;
  }
}
