// How many samples each part of the range has, and which parts have none, as a bounded number of spans. When there are too many,
// neighbours are merged, so sums and borders stay exact. Pure.

import { halved } from './halved.ts';
import type { RunRecord, Span } from './page/model.ts';

const MAX_SPANS = 480;
const MAX_GAPS = 10;
const MERGING = {
  max: MAX_SPANS,
  merge: merged,
  areAlike: (a: Span, b: Span) => (a.samplesRead === 0) === (b.samplesRead === 0),
};

export class Spans {
  #spans: Span[] = [];
  #gaps: Span[] = [];
  #gap: Span | undefined;
  #gapCount = 0;
  #gapMs = 0;

  /** The next finished window. Windows finish in the order of time. */
  add(window: Omit<Span, 'windows'>): void {
    const span = { ...window, windows: 1 };
    this.#spans.push(span);
    if (this.#spans.length > MAX_SPANS) this.#spans = halved(this.#spans, MERGING);
    if (window.samplesRead > 0) {
      this.#closeGap();
      return;
    }
    this.#gapMs += window.toMs - window.fromMs;
    if (this.#gap?.toMs === window.fromMs) this.#gap = merged(this.#gap, span);
    else {
      this.#closeGap();
      this.#gapCount++;
      this.#gap = span;
    }
  }

  get all(): readonly Span[] {
    return this.#spans;
  }

  get gaps(): RunRecord['gaps'] {
    return { count: this.#gapCount, totalMs: this.#gapMs, longest: longest(this.#gaps, this.#gap) };
  }

  #closeGap(): void {
    this.#gaps = longest(this.#gaps, this.#gap);
    this.#gap = undefined;
  }
}

function merged(a: Span, b: Span): Span {
  return {
    fromMs: Math.min(a.fromMs, b.fromMs),
    toMs: Math.max(a.toMs, b.toMs),
    windows: a.windows + b.windows,
    samplesRead: a.samplesRead + b.samplesRead,
    samplesWritten: a.samplesWritten + b.samplesWritten,
  };
}

function longest(gaps: readonly Span[], another: Span | undefined): Span[] {
  if (another === undefined) return [...gaps];
  const all = [...gaps, another].sort((a, b) => b.toMs - b.fromMs - (a.toMs - a.fromMs) || a.fromMs - b.fromMs);
  return all.slice(0, MAX_GAPS);
}
