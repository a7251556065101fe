// Counts the failed attempts at one slice, by kind. Pure.

import type { ReadFailure } from './read-failure.ts';

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
