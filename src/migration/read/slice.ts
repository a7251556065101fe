// The slice to request next, and what follows from its outcome.

import type { NamePartition } from '../series/name-partition.ts';
import type { TimeRange } from './open-window.ts';
import type { RequestMode } from './sample-mode.ts';

/** The content of one request. */
export interface Slice extends TimeRange, RequestMode {
  /** The window that contains it; the same object for all its slices. */
  readonly window: TimeRange;
  readonly names: NamePartition;
  /** From 1; increases after failures. */
  readonly attempt: number;
  /** An earlier run may have written some of it. */
  readonly uncertain: boolean;
  /** Its response may be handed on in parts. What may have to be discarded or compared is held until all of it has arrived. */
  readonly divisible: boolean;
}

export type Verdict =
  /** A stride over an empty stretch has found samples: nothing of it may be written. */
  | { readonly kind: 'discard' }
  /** `remaining`: the fraction of the window still to be read, from 0 to 1. An estimate, but 0 only at its end. */
  | { readonly kind: 'deliver'; readonly remaining: number };

export interface Split extends TimeRange {
  readonly by: 'time' | 'name';
}

export type Reaction =
  | { readonly kind: 'fail' }
  /** The request can't be made smaller. */
  | { readonly kind: 'fail-too-large' }
  | {
      readonly kind: 'retry';
      /** Wait before the next request as long as after this many failed attempts. */
      readonly pauseAttempt?: number;
      readonly split?: Split;
      /** The next request is the first one for SAMPLES. */
      readonly toSamples?: true;
    };
