// How many samples each part of the range has, and which parts have none, as a bounded number of stretches. When there are too many,
// neighbours are merged, so sums and borders stay exact. Pure.

import type { RunRecord, Stretch } from './page/model.ts';

const MAX_STRETCHES = 480;
const MAX_GAPS = 10;

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
    if (this.#stretches.length > MAX_STRETCHES) this.#stretches = halved(this.#stretches);
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

/** Every two neighbours as one. A stretch without samples stays apart from one with samples as long as enough others can be merged. */
function halved(stretches: readonly Stretch[]): Stretch[] {
  const kept = mergedPairs(stretches, (a, b) => (a.samplesRead === 0) === (b.samplesRead === 0));
  return kept.length <= MAX_STRETCHES * 0.75 ? kept : mergedPairs(kept, () => true);
}

function mergedPairs(stretches: readonly Stretch[], mayMerge: (a: Stretch, b: Stretch) => boolean): Stretch[] {
  const result: Stretch[] = [];
  let isWhole = true;
  for (const stretch of stretches) {
    const last = result.at(-1);
    if (!isWhole && last !== undefined && mayMerge(last, stretch)) {
      result[result.length - 1] = merged(last, stretch);
      isWhole = true;
    } else {
      result.push(stretch);
      isWhole = false;
    }
  }
  return result;
}

function longest(gaps: readonly Stretch[], another: Stretch | undefined): Stretch[] {
  if (another === undefined) return [...gaps];
  const all = [...gaps, another].sort((a, b) => b.toMs - b.fromMs - (a.toMs - a.fromMs) || a.fromMs - b.fromMs);
  return all.slice(0, MAX_GAPS);
}
