// What is known of the histograms of each series, from window to window: whether their buckets are exponential or custom. And how often it was not
// known.

import type { LayoutKind } from './histogram-layout.ts';
import type { EncodedHistograms } from './range-histogram.ts';

type Metric = Readonly<Record<string, string>>;

/** A series without a proof has few bounds, and most are exponential. */
const MAX_SERIES = 10_000;

export interface Assumption {
  readonly histograms: number;
  /** The labels of the first series. */
  readonly metric: Metric;
}

export class HistogramKinds {
  /** The one that was used last is the last one. */
  readonly #kinds = new Map<string, LayoutKind>();
  #assumed: Assumption | undefined;

  of(metric: Metric): LayoutKind | undefined {
    const key = JSON.stringify(metric);
    const kind = this.#kinds.get(key);
    if (kind === undefined) return undefined;
    this.#kinds.delete(key);
    this.#kinds.set(key, kind);
    return kind;
  }

  learn(metric: Metric, { proven, isWorthKnowing, assumed }: Omit<EncodedHistograms, 'messages'>): void {
    if (proven !== undefined && isWorthKnowing) this.#keep(JSON.stringify(metric), proven);
    if (assumed === 0) return;
    const before = this.#assumed ?? { histograms: 0, metric };
    this.#assumed = { ...before, histograms: before.histograms + assumed };
  }

  /** What was assumed since the last call. */
  takeAssumed(): Assumption | undefined {
    const assumed = this.#assumed;
    this.#assumed = undefined;
    return assumed;
  }

  #keep(key: string, kind: LayoutKind): void {
    this.#kinds.delete(key);
    this.#kinds.set(key, kind);
    if (this.#kinds.size <= MAX_SERIES) return;
    const [oldest] = this.#kinds.keys();
    if (oldest !== undefined) this.#kinds.delete(oldest);
  }
}
