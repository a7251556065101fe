// The contents of a fake store for one tenant: series by label set, samples in time order, value bits and histogram messages unchanged.

import type { Matcher } from '../../../src/migration/plan/migration-plan.ts';
import { keyOf, selects } from '../../migration/support/remote-messages.ts';
import type { LabeledSamples, Labels, Sample } from './messages.ts';

export interface StoredSample extends Sample {
  /** Arrived after a newer one of its series. */
  readonly outOfOrder?: boolean;
  /** Hidden until then, by the store's clock. */
  readonly visibleAtMs?: number;
  /** Taken by the store's own flusher: a flush on demand does not show it earlier. */
  readonly beingFlushed?: true;
}

export interface StoredSeries {
  readonly labels: Labels;
  /** By time; samples with the same time in the order of arrival. */
  readonly samples: StoredSample[];
}

export class Contents {
  readonly #series = new Map<string, StoredSeries>();
  /** The newest sample of any series. */
  maxTimeMs = Number.NEGATIVE_INFINITY;
  /** The oldest sample of any series that arrived in order. */
  inOrderMinMs = Number.POSITIVE_INFINITY;

  get seriesCount(): number {
    return this.#series.size;
  }

  all(): Iterable<StoredSeries> {
    return this.#series.values();
  }

  find(labels: Labels): StoredSeries | undefined {
    return this.#series.get(keyOf(labels));
  }

  insert(labels: Labels, sample: StoredSample): void {
    const key = keyOf(labels);
    let series = this.#series.get(key);
    if (series === undefined) {
      series = { labels: sortedLabels(labels), samples: [] };
      this.#series.set(key, series);
    }
    const { samples } = series;
    let at = samples.length;
    while (at > 0 && samples[at - 1]!.timeMs > sample.timeMs) at--;
    samples.splice(at, 0, sample);
    this.maxTimeMs = Math.max(this.maxTimeMs, sample.timeMs);
    if (sample.outOfOrder !== true) this.inOrderMinMs = Math.min(this.inOrderMinMs, sample.timeMs);
  }

  /** Replaces the sample with this time, like a store in which the last write wins. */
  upsert(labels: Labels, sample: StoredSample): void {
    const samples = this.find(labels)?.samples ?? [];
    const at = samples.findIndex(({ timeMs }) => timeMs === sample.timeMs);
    if (at < 0) this.insert(labels, sample);
    else samples[at] = sample;
  }

  /** Makes samples visible that may be shown now. */
  reveal(mayShow: (sample: StoredSample) => boolean): void {
    for (const { samples } of this.#series.values()) {
      for (const [i, stored] of samples.entries()) {
        const { visibleAtMs: _, ...sample } = stored;
        if (mayShow(stored)) samples[i] = sample;
      }
    }
  }

  /** The samples that match `shown`, of the series that match the matchers; series without samples are omitted. */
  select(matchers: readonly Matcher[], shown: (sample: StoredSample) => boolean): LabeledSamples[] {
    const found: LabeledSamples[] = [];
    for (const { labels, samples } of this.#series.values()) {
      if (!selects(matchers, labels)) continue;
      const inside = samples.filter(shown);
      if (inside.length > 0) found.push({ labels, samples: inside });
    }
    return found;
  }
}

export function sortedLabels(labels: Labels): Labels {
  return [...labels].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The closed range of milliseconds of a remote_read, as most stores interpret it. */
export function within(fromMs: number, toMs: number): (sample: Sample) => boolean {
  return ({ timeMs }) => timeMs >= fromMs && timeMs <= toMs;
}
