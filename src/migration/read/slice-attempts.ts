// Counts failed attempts: at one slice, by kind, and since the last good response. Pure.

import type { ReadFailure } from './read-failure.ts';

/** A source that finds every request "too large" is broken: 17 halvings lead from 24 h to 1 s, and names split quickly. */
export const MAX_SPLITS_IN_A_ROW = 250;
/** This many consecutive splits caused only by 5xx, timeouts and cut responses mean an outage, not a size problem. The planner waits it out. */
export const MAX_SPLITS_IN_OUTAGE = 40;

export class SliceAttempts {
  failures = 0;
  readonly counts = {
    /** Transient failures with a response. */
    transientResponses: 0,
    ambiguous: 0,
    damaged: 0,
    /** How many times in a row the slice has failed with exactly this problem. */
    sameProblem: 0,
  };
  #problem = '';

  /** @returns whether the response was damaged or undecodable */
  count(failure: ReadFailure): boolean {
    const { counts } = this;
    this.failures++;
    if (failure.kind === 'transient' && failure.responded) counts.transientResponses++;
    if (failure.kind === 'ambiguous') counts.ambiguous++;
    if (failure.kind === 'damaged') counts.damaged++;
    const isBad = failure.kind === 'damaged' || failure.kind === 'undecodable';
    const problem = isBad ? failure.problem : failure.kind;
    counts.sameProblem = problem === this.#problem ? counts.sameProblem + 1 : 1;
    this.#problem = problem;
    return isBad;
  }
}

/** While windows are split, the pauses keep growing from one to the next, but stay below 4 s: a day takes many splits to reach a second. */
const MAX_SPLIT_PAUSE = 4;

/** Since the last good response. */
export class FailuresInARow {
  splits = 0;
  bad = 0;
  #pauses = 0;

  /** @returns the failed attempts after which a pause would be as long as the next one */
  pause({ failures }: SliceAttempts): number {
    return Math.max(failures, Math.min(++this.#pauses, MAX_SPLIT_PAUSE));
  }
}
