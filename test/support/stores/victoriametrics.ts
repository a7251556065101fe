// A single-node VictoriaMetrics: acknowledges everything, stores duplicates, has no remote_read, drops NaN, and hides new samples for a
// moment.

import { staleBits } from '../../migration/support/remote-messages.ts';
import { Contents, within } from './contents.ts';
import type { Behaviour } from './fake-store.ts';
import type { Sample } from './messages.ts';
import { numberOf } from './promql.ts';

export interface VictoriaMetricsOptions {
  /** How long the samples of a new series stay hidden unless /internal/force_flush is called, by the store's clock; 0 by default. */
  readonly hiddenForMs?: number;
  /**
   * Simulates its own flusher, which has just taken all new samples and writes them to a part for this long: meanwhile the index has the
   * series, and neither a query nor the export shows the samples, although /internal/force_flush has returned.
   */
  readonly flushingForMs?: number;
  /** Whether /internal/force_flush is available; true by default. */
  readonly flushes?: boolean;
  /** Older samples are dropped with a 204, like by `-retentionPeriod`. */
  readonly oldestMs?: number;
}

export function victoriametrics(options: VictoriaMetricsOptions = {}): Behaviour {
  const { hiddenForMs = 0, flushingForMs, flushes = true, oldestMs = Number.NEGATIVE_INFINITY } = options;
  return {
    name: 'VictoriaMetrics',
    paths: { write: '/api/v1/write', query: '', export: '/api/v1/export' },
    rangeEnds: 'left-open',
    headers: { 'x-server-hostname': 'victoria-metrics' },
    open: (_tenant, now) => {
      const contents = new Contents();
      return {
        contents,
        write: (series) => {
          for (const { labels, samples } of series) {
            const known = contents.find(labels);
            const hidden = known === undefined ? now() + hiddenForMs : known.samples[0]?.visibleAtMs;
            const visibleAtMs = flushingForMs === undefined ? hidden : now() + flushingForMs;
            for (const sample of samples) {
              // The real one converts native histograms to separate series, which no test reads.
              if (sample.timeMs < oldestMs || sample.histogram !== undefined || isOrdinaryNan(sample)) continue;
              contents.insert(labels, {
                ...asDecimal(sample),
                ...(visibleAtMs !== undefined && { visibleAtMs }),
                ...(flushingForMs !== undefined && { beingFlushed: true }),
              });
            }
          }
          return { status: 204 };
        },
        select: (matchers, fromMs, toMs) => {
          const inside = within(fromMs, toMs);
          return contents.select(
            matchers,
            (sample) => inside(sample) && now() >= (sample.visibleAtMs ?? Number.NEGATIVE_INFINITY),
          );
        },
        index: (matchers, fromMs, toMs) => contents.select(matchers, within(dayOf(fromMs), dayOf(toMs) + DAY_MS - 1)),
        ...(flushes && {
          flush: () => contents.reveal(({ beingFlushed }) => beingFlushed === undefined),
        }),
      };
    },
  };
}

const DAY_MS = 86_400_000;

/** The index contains a series per day. */
function dayOf(timeMs: number): number {
  return timeMs - (timeMs % DAY_MS);
}

/** Dropped with a 204. */
function isOrdinaryNan({ bits }: Sample): boolean {
  return bits !== staleBits && Number.isNaN(numberOf(bits));
}

/** Values are decimals of some 12 digits; a stale marker keeps its bits, −0 becomes 0. */
function asDecimal(sample: Sample): Sample {
  const value = numberOf(sample.bits);
  if (sample.bits === staleBits || Math.abs(value) === Number.POSITIVE_INFINITY) return sample;
  const decimal = new Float64Array([Number(value.toPrecision(13)) + 0]);
  return { ...sample, bits: new BigUint64Array(decimal.buffer)[0]! };
}
