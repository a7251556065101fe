// What each part of the range had when it was compared, as a bounded number of stretches. When there are too many, neighbours are merged, so
// sums and borders stay exact. Pure.

import { halved } from './halved.ts';
import type { ComparedStretch } from './page/model.ts';

const MAX_STRETCHES = 480;
const MERGING = {
  max: MAX_STRETCHES,
  merge: merged,
  areAlike: (a: ComparedStretch, b: ComparedStretch) => kindOf(a) === kindOf(b),
};

export class ComparedStretches {
  #stretches: ComparedStretch[] = [];

  /** The next window, or a part of an earlier window that was compared again. Windows come in the order of time. */
  add(range: Omit<ComparedStretch, 'windows'>): void {
    const last = this.#stretches.at(-1);
    if (last === undefined || range.fromMs >= last.toMs) {
      this.#stretches.push({ ...range, windows: 1 });
      if (this.#stretches.length > MAX_STRETCHES) this.#stretches = halved(this.#stretches, MERGING);
      return;
    }
    const index = Math.max(
      0,
      this.#stretches.findLastIndex(({ fromMs }) => fromMs <= range.fromMs),
    );
    const stretch = this.#stretches[index] as ComparedStretch;
    const { fromMs, toMs } = stretch;
    this.#stretches[index] = { ...merged(stretch, { ...range, windows: 0 }), fromMs, toMs };
  }

  get all(): readonly ComparedStretch[] {
    return this.#stretches;
  }
}

function merged(a: ComparedStretch, b: ComparedStretch): ComparedStretch {
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

function kindOf({ samplesCompared, missing, different, extra }: ComparedStretch): string {
  if (missing + different > 0) return 'differs';
  if (extra > 0) return 'extra';
  return samplesCompared === 0 ? 'empty' : 'equal';
}
