// What each part of the range had when it was compared, as a bounded number of spans. When there are too many, neighbours are merged, so
// sums and borders stay exact. Pure.

import { halved } from './halved.ts';
import type { ComparedSpan } from './page/model.ts';

const MAX_SPANS = 480;
const MERGING = {
  max: MAX_SPANS,
  merge: merged,
  mayMerge: () => true,
  areAlike: (a: ComparedSpan, b: ComparedSpan) => kindOf(a) === kindOf(b),
};

export class ComparedSpans {
  #spans: ComparedSpan[] = [];

  /** The next window, or a part of an earlier window that was compared again. Windows come in the order of time. */
  add(range: Omit<ComparedSpan, 'windows'>): void {
    const last = this.#spans.at(-1);
    if (last === undefined || range.fromMs >= last.toMs) {
      this.#spans.push({ ...range, windows: 1 });
      if (this.#spans.length > MAX_SPANS) this.#spans = halved(this.#spans, MERGING);
      return;
    }
    const index = Math.max(
      0,
      this.#spans.findLastIndex(({ fromMs }) => fromMs <= range.fromMs),
    );
    const span = this.#spans[index] as ComparedSpan;
    const { fromMs, toMs } = span;
    this.#spans[index] = { ...merged(span, { ...range, windows: 0 }), fromMs, toMs };
  }

  get all(): readonly ComparedSpan[] {
    return this.#spans;
  }
}

function merged(a: ComparedSpan, b: ComparedSpan): ComparedSpan {
  return {
    fromMs: a.fromMs,
    toMs: b.toMs,
    windows: a.windows + b.windows,
    samplesCompared: a.samplesCompared + b.samplesCompared,
    missing: a.missing + b.missing,
    different: a.different + b.different,
    extra: a.extra + b.extra,
  };
}

function kindOf({ samplesCompared, missing, different, extra }: ComparedSpan): string {
  if (missing + different > 0) return 'differs';
  if (extra > 0) return 'extra';
  return samplesCompared === 0 ? 'empty' : 'equal';
}
