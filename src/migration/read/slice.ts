// What window-planner.ts and source-reader.ts say to each other: what to request next, and what follows from how it went.

import type { NamePartition } from '../series/name-partition.ts';
import type { TimeRange } from './open-window.ts';
import type { RequestMode } from './sample-mode.ts';

/** What one request asks for. */
export interface Slice extends TimeRange, RequestMode {
  /** The window that it is a part of, the same object for all its slices. */
  readonly window: TimeRange;
  readonly names: NamePartition;
  /** From 1; more after failures. */
  readonly attempt: number;
  /** An earlier run may have written some of it. */
  readonly uncertain: boolean;
}

export type Verdict =
  /** A stride over an empty stretch has run into samples: nothing of it may be written. */
  | { readonly kind: 'discard' }
  /** `remaining`: what part of the window is still to be read, from 0 to 1; an estimate, but 0 only at its end. */
  | { readonly kind: 'deliver'; readonly remaining: number };

export interface Split extends TimeRange {
  readonly by: 'time' | 'name';
}

export type Reaction =
  | { readonly kind: 'fail' }
  /** Nothing smaller can be asked for. */
  | { readonly kind: 'fail-too-large' }
  | {
      readonly kind: 'retry';
      /** Wait before the next request, as long as after so many failed attempts. */
      readonly pauseAttempt?: number;
      readonly split?: Split;
      /** The next request is for SAMPLES, for the first time. */
      readonly toSamples?: true;
    };
