// What was counted in ranges that do not count in the result yet: a range before them, or inside of them, waits for another look. Pure.

import type { VerificationCounts } from '../report/verification.ts';

interface CountedRange {
  readonly fromMs: number;
  readonly toMs: number;
  readonly counts: VerificationCounts;
}

export class CountedRanges {
  #ranges: CountedRange[] = [];

  add(range: CountedRange): void {
    this.#ranges.push(range);
  }

  /**
   * Takes what counts if everything before `judgedToMs` has been judged.
   * @returns the time before which everything counts: a range that waits may begin inside one that was counted
   */
  take(judgedToMs: number): { readonly throughMs: number; readonly counts: readonly VerificationCounts[] } {
    let throughMs = judgedToMs;
    for (let before = Number.NaN; before !== throughMs; ) {
      before = throughMs;
      for (const { fromMs, toMs } of this.#ranges) if (toMs > throughMs) throughMs = Math.min(throughMs, fromMs);
    }
    const counts = this.#ranges.filter(({ toMs }) => toMs <= throughMs).map((range) => range.counts);
    this.#ranges = this.#ranges.filter(({ toMs }) => toMs > throughMs);
    return { throughMs, counts };
  }
}
