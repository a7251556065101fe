// How many samples each part of the range has, and which parts have none, as a bounded number of stretches. When there are too many,
// neighbours are merged, so sums and borders stay exact. Pure.

import { halved } from './halved.ts';
import type { RunRecord, Stretch } from './page/model.ts';

const MAX_STRETCHES = 480;
const MAX_GAPS = 10;
const MERGING = {
  max: MAX_STRETCHES,
  merge: merged,
  areAlike: (a: Stretch, b: Stretch) => (a.samplesRead === 0) === (b.samplesRead === 0),
};

export class Stretches {
  #stretches: Stretch[] = [];
  #gaps: Stretch[] = [];
  #gap: Stretch | undefined;
  #gapCount = 0;
  #gapMs = 0;

  /** The next finished window. Windows finish in the order of time. */
  add(window: Omit<Stretch, 'windows'>): void {
    const stretch = { ...window, windows: 1 };
    this.#stretches.push(stretch);
    if (this.#stretches.length > MAX_STRETCHES) this.#stretches = halved(this.#stretches, MERGING);
    if (window.samplesRead > 0) {
      this.#closeGap();
      return;
    }
    this.#gapMs += window.toMs - window.fromMs;
    if (this.#gap?.toMs === window.fromMs) this.#gap = merged(this.#gap, stretch);
    else {
      this.#closeGap();
      this.#gapCount++;
      this.#gap = stretch;
    }
  }

  get all(): readonly Stretch[] {
    return this.#stretches;
  }

  get gaps(): RunRecord['gaps'] {
    return { count: this.#gapCount, totalMs: this.#gapMs, longest: longest(this.#gaps, this.#gap) };
  }

  #closeGap(): void {
    this.#gaps = longest(this.#gaps, this.#gap);
    this.#gap = undefined;
  }
}

function merged(a: Stretch, b: Stretch): Stretch {
  return {
    fromMs: Math.min(a.fromMs, b.fromMs),
    toMs: Math.max(a.toMs, b.toMs),
    windows: a.windows + b.windows,
    samplesRead: a.samplesRead + b.samplesRead,
    samplesWritten: a.samplesWritten + b.samplesWritten,
  };
}

function longest(gaps: readonly Stretch[], another: Stretch | undefined): Stretch[] {
  if (another === undefined) return [...gaps];
  const all = [...gaps, another].sort((a, b) => b.toMs - b.fromMs - (a.toMs - a.fromMs) || a.fromMs - b.fromMs);
  return all.slice(0, MAX_GAPS);
}
