// What the views of a destination request from it.

import type { Matcher } from '../plan/migration-plan.ts';
import { PROGRESS_METRIC } from './progress-mark.ts';

/** Half open: [fromMs, toMs). */
export interface ReadRange {
  readonly matchers: readonly Matcher[];
  readonly fromMs: number;
  readonly toMs: number;
}

/** A read that requests more than is wanted: it covers [fromMs, untilMs), and only [fromMs, toMs) is kept. */
export interface ReachingRange extends ReadRange {
  readonly untilMs: number;
}

export interface ProgressSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly timeMs: number;
  readonly value: number;
}

/** The furthest sample of a series of the progress metric. */
export interface FurthestSample {
  readonly labels: Readonly<Record<string, string>>;
  /** Undefined if only the value is known. */
  readonly timeMs: number | undefined;
  readonly value: number;
}

/** All series except the progress series, which includes the probe. */
export const ANY_DATA: readonly Matcher[] = [
  { kind: '=~', name: '__name__', value: '.+' },
  { kind: '!=', name: '__name__', value: PROGRESS_METRIC },
];
