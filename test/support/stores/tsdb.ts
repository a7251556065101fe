// Which samples the TSDB of Prometheus accepts: the same rules apply to Prometheus, Cortex, Mimir and Thanos Receive, which differ in how
// they handle the rest of a request after a rejected sample.

import type { Contents, StoredSeries } from './contents.ts';
import type { LabeledSamples, Labels, Sample } from './messages.ts';

export type Problem = 'out of order sample' | 'out of bounds' | 'too old sample' | 'duplicate sample for timestamp';

export interface TsdbRules {
  /** `out_of_order_time_window`; 0: in order only. */
  readonly outOfOrderWindowMs: number;
}

/** Half a block of two hours: samples older than this before the head's newest sample are not accepted in order. */
const appendableMs = 3_600_000;

/** @param headMaxMs the newest sample of the store when the request arrived */
function admit(
  sample: Sample,
  series: StoredSeries | undefined,
  headMaxMs: number,
  { outOfOrderWindowMs }: TsdbRules,
): 'in order' | 'out of order' | 'present' | { readonly problem: Problem } {
  const newest = series?.samples.at(-1);
  const inBounds = sample.timeMs >= headMaxMs - appendableMs;
  if (inBounds) {
    if (newest === undefined || sample.timeMs > newest.timeMs) return 'in order';
    if (sample.timeMs === newest.timeMs) {
      return isSame(sample, newest) ? 'present' : { problem: 'duplicate sample for timestamp' };
    }
  }
  if (outOfOrderWindowMs > 0) {
    if (sample.timeMs < headMaxMs - outOfOrderWindowMs) return { problem: 'too old sample' };
    // An out-of-order sample with an existing timestamp is dropped silently; the first value stays.
    return series?.samples.some(({ timeMs }) => timeMs === sample.timeMs) ? 'present' : 'out of order';
  }
  return { problem: inBounds ? 'out of order sample' : 'out of bounds' };
}

function isSame(a: Sample, b: Sample): boolean {
  if (a.histogram === undefined || b.histogram === undefined) return a.histogram === b.histogram && a.bits === b.bits;
  return Buffer.compare(a.histogram, b.histogram) === 0;
}

export interface RefusedSample {
  readonly labels: Labels;
  readonly sample: Sample;
  readonly problem: Problem;
}

/**
 * Checks a request against the current contents, and prepares its commit. Like in Prometheus, samples are checked twice: what is out of
 * order within the request passes the first check, and the commit drops it silently.
 */
export function prepare(
  series: readonly LabeledSamples[],
  contents: Contents,
  rules: TsdbRules,
): { readonly refused: readonly RefusedSample[]; readonly commit: () => void } {
  const headMaxMs = contents.maxTimeMs;
  const refused: RefusedSample[] = [];
  const taken: { readonly labels: Labels; readonly sample: Sample }[] = [];
  for (const { labels, samples } of series) {
    const stored = contents.find(labels);
    for (const sample of samples) {
      const admission = admit(sample, stored, headMaxMs, rules);
      if (typeof admission === 'object') refused.push({ labels, sample, ...admission });
      else taken.push({ labels, sample });
    }
  }
  const commit = () => {
    for (const { labels, sample } of taken) {
      const admission = admit(sample, contents.find(labels), headMaxMs, rules);
      if (admission === 'in order') contents.insert(labels, sample);
      else if (admission === 'out of order') contents.insert(labels, { ...sample, outOfOrder: true });
    }
  };
  return { refused, commit };
}

/** What Prometheus skips with a 204, and the others reject: no name, a duplicate label, invalid UTF-8. */
export function labelsAreValid(labels: Labels): boolean {
  const names = labels.map(([name]) => name);
  return (
    labels.some(([name, value]) => name === '__name__' && value !== '') &&
    new Set(names).size === names.length &&
    labels.every(([name, value]) => name !== '' && name.isWellFormed() && value.isWellFormed())
  );
}
