// Ranges of which a Thanos has only downsampled blocks. Each looks like a range without samples, so it is reported. Pure but for the reports.

import type { MigrationObserver } from '../report/observer.ts';

interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

export class DownsampledRanges {
  readonly #observer: Pick<MigrationObserver, 'event'>;
  /** Neighbouring windows joined. */
  #found: Range[] = [];
  /** What the last report of a range said, by its beginning. */
  #reported: Range[] = [];

  constructor(observer: Pick<MigrationObserver, 'event'>) {
    this.#observer = observer;
  }

  /** A year has thousands of windows: a range is reported when it is found, and whenever it has doubled. */
  add(range: Range): void {
    const joined = join(this.#found, range);
    this.#found = joined.ranges;
    const { whole } = joined;
    const known = Math.max(0, ...this.#reported.filter((one) => isInside(one, whole)).map(lengthOf));
    if (lengthOf(whole) >= 2 * known) this.#report(whole);
  }

  /** Reports what has grown since. */
  end(): void {
    for (const range of this.#found) {
      const isKnown = this.#reported.some(({ fromMs, toMs }) => fromMs === range.fromMs && toMs === range.toMs);
      if (!isKnown) this.#report(range);
    }
  }

  #report(range: Range): void {
    this.#reported = [...this.#reported.filter((one) => !isInside(one, range)), range];
    const [from, to] = [range.fromMs, range.toMs].map((ms) => new Date(ms).toISOString());
    const message = `from ${from} to ${to}, the source has only downsampled blocks: there are no samples to copy, only their aggregates`;
    this.#observer.event({ type: 'warning', code: 'only-downsampled', message });
  }
}

/** Adds a range, joined with those that it touches. */
function join(ranges: readonly Range[], range: Range): { readonly ranges: Range[]; readonly whole: Range } {
  const touches = ({ fromMs, toMs }: Range) => fromMs <= range.toMs && range.fromMs <= toMs;
  const joined = [range, ...ranges.filter(touches)];
  const whole = {
    fromMs: Math.min(...joined.map(({ fromMs }) => fromMs)),
    toMs: Math.max(...joined.map(({ toMs }) => toMs)),
  };
  return { ranges: [...ranges.filter((one) => !touches(one)), whole], whole };
}

function isInside(inner: Range, outer: Range): boolean {
  return outer.fromMs <= inner.fromMs && inner.toMs <= outer.toMs;
}

function lengthOf({ fromMs, toMs }: Range): number {
  return toMs - fromMs;
}
