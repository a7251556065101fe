// How many samples each part of the range has, and which parts have none, as a bounded number of spans. When there are too many, neighbours
// are merged, so sums and borders stay exact. Windows of several stretches finish in any order. Pure.

import { Gaps } from './gaps.ts';
import { halved } from './halved.ts';
import { merged } from './merged-span.ts';
import type { RunRecord, Span } from './page/model.ts';

const MAX_SPANS = 480;
const MERGING = {
  max: MAX_SPANS,
  merge: merged,
  // Between two that do not touch there may be a stretch that is not copied yet.
  mayMerge: (a: Span, b: Span) => a.toMs === b.fromMs,
  areAlike: (a: Span, b: Span) => (a.samplesRead === 0) === (b.samplesRead === 0),
};

export class Spans {
  /** In the order of time. Few more than the maximum only while more stretches than that are under way. */
  #spans: Span[] = [];
  readonly #gaps = new Gaps();

  /** A finished window. No two windows overlap. */
  add(window: Omit<Span, 'windows'>): void {
    const span = { ...window, windows: 1 };
    this.#gaps.add(span);
    const index = this.#spans.findLastIndex(({ fromMs }) => fromMs <= span.fromMs) + 1;
    this.#spans.splice(index, 0, span);
    if (this.#spans.length > MAX_SPANS) this.#spans = halved(this.#spans, MERGING);
  }

  get all(): readonly Span[] {
    return this.#spans;
  }

  get gaps(): RunRecord['gaps'] {
    return this.#gaps.all;
  }
}
