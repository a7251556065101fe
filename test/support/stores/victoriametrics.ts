// VictoriaMetrics, a single node: acknowledges everything, stores repeats twice, has no remote_read, and hides what it took for a moment.

import { staleBits } from '../../migration/support/remote-messages.ts';
import { Contents, within } from './contents.ts';
import type { Behaviour } from './fake-store.ts';
import type { Sample } from './messages.ts';
import { numberOf } from './promql.ts';

export interface VictoriaMetricsOptions {
  /** How long the samples of a new series stay hidden unless /internal/force_flush is called, in the store's clock; 0 by default. */
  readonly hiddenForMs?: number;
  /** Whether /internal/force_flush may be called; true by default. */
  readonly flushes?: boolean;
  /** What is older is dropped behind a 204, as by `-retentionPeriod`. */
  readonly oldestMs?: number;
}

export function victoriametrics(options: VictoriaMetricsOptions = {}): Behaviour {
  const { hiddenForMs = 0, flushes = true, oldestMs = Number.NEGATIVE_INFINITY } = options;
  return {
    name: 'VictoriaMetrics',
    paths: { write: '/api/v1/write', query: '', export: '/api/v1/export' },
    rangeEnds: 'left-open',
    open: (_tenant, now) => {
      const contents = new Contents();
      return {
        contents,
        write: (series) => {
          for (const { labels, samples } of series) {
            const known = contents.find(labels);
            const visibleAtMs = known === undefined ? now() + hiddenForMs : known.samples[0]?.visibleAtMs;
            for (const sample of samples) {
              // Native histograms become series of their own in the real one; nothing here reads those.
              if (sample.timeMs < oldestMs || sample.histogram !== undefined) continue;
              contents.insert(labels, { ...asDecimal(sample), ...(visibleAtMs !== undefined && { visibleAtMs }) });
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
        ...(flushes && {
          flush: () => contents.reveal(),
        }),
      };
    },
  };
}

const ordinaryNan = 0x7ff8_0000_0000_0001n;

/** Values are decimals of some 12 digits; a stale marker keeps its bits, any other NaN is the ordinary one, −0 is 0. */
function asDecimal(sample: Sample): Sample {
  const value = numberOf(sample.bits);
  if (sample.bits === staleBits || Math.abs(value) === Number.POSITIVE_INFINITY) return sample;
  if (Number.isNaN(value)) return { ...sample, bits: ordinaryNan };
  const decimal = new Float64Array([Number(value.toPrecision(13)) + 0]);
  return { ...sample, bits: new BigUint64Array(decimal.buffer)[0]! };
}
