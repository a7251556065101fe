// Whether two native histograms count as equal. Pure.

import { CUSTOM_BUCKETS_SCHEMA } from '../../wire/chunks/chunk-histogram.ts';
import type { ExpectedChange } from '../report/verification.ts';
import { STALE_TEXT } from '../series/float-text.ts';
import { countsOf, fieldsOf, type HistogramFields, textOf } from '../series/histogram-contents.ts';
import type { Lens, Verdict } from './float-comparison.ts';

/** Compares two prometheus.Histogram messages of the same time. */
export function histogramVerdict(source: Uint8Array, destination: Uint8Array, lens: Lens): Verdict {
  if (Buffer.compare(source, destination) === 0) return 'equal';
  const before = fieldsOf(source);
  const after = fieldsOf(destination);
  if (textOf(before) === textOf(after)) return 'equal';
  if (lens.promql || lens.queriedSource === true) {
    // Both messages are whole: only one of them is made of what a query shows.
    const showsBuckets = !lens.promql;
    const isSame = isSameSummary(before, after) && !(showsBuckets && haveOtherBuckets(before, after));
    return isSame ? 'promql_histograms' : 'different';
  }
  const lacksBounds = before.customValues.length === 0 || after.customValues.length === 0;
  if (!lens.samples || !lacksBounds) return 'different';
  const bounds = { customValues: [] };
  const isSame = textOf({ ...before, ...bounds }) === textOf({ ...after, ...bounds });
  return isSame ? 'samples_histogram_bounds' : 'different';
}

/** Why the destination does not have a histogram of the source; undefined if there is no expected reason. */
export function missingHistogramReason(message: Uint8Array, lens: Lens): ExpectedChange | undefined {
  if (lens.victoriaMetrics) return 'victoriametrics_histograms';
  if (lens.influxdb) return 'influxdb_histograms';
  // The sum of a histogram that marks the end of its series is a stale marker.
  return lens.promql && fieldsOf(message).sum === STALE_TEXT ? 'promql_stale_markers' : undefined;
}

/** Why the source does not show a histogram of the destination; undefined if there is no expected reason. */
export function extraHistogramReason(message: Uint8Array, lens: Lens): ExpectedChange | undefined {
  return lens.queriedSource === true && fieldsOf(message).sum === STALE_TEXT ? 'promql_stale_markers' : undefined;
}

/** A PromQL result has float counts, and of the layout only what its buckets show. */
function isSameSummary(before: HistogramFields, after: HistogramFields): boolean {
  return Number(before.count) === Number(after.count) && numberOf(before.sum) === numberOf(after.sum);
}

/** Whether the buckets with a count differ. Those of different schemas are not compared. */
function haveOtherBuckets(before: HistogramFields, after: HistogramFields): boolean {
  if (before.schema !== after.schema) return false;
  if (Number(before.zeroCount) !== Number(after.zeroCount)) return true;
  const [a, b] = [shownBuckets(before), shownBuckets(after)];
  return a.size !== b.size || [...a].some(([bucket, count]) => b.get(bucket) !== count);
}

/** The count of each bucket that is not empty, by its sign and its index, or its upper bound if the histogram has custom ones. */
function shownBuckets({ negative, positive, isFloat, customValues, schema }: HistogramFields): Map<string, number> {
  const shown = new Map<string, number>();
  for (const [sign, buckets] of Object.entries({ negative, positive }))
    for (const [index, count] of countsOf(buckets, isFloat)) {
      const bound = schema === CUSTOM_BUCKETS_SCHEMA ? (customValues[index] ?? '+Inf') : index;
      shown.set(`${sign} ${bound}`, Number(count));
    }
  return shown;
}

function numberOf(text: string): number | 'NaN' {
  return text === STALE_TEXT || text.startsWith('NaN') ? 'NaN' : Number(text.replace('Inf', 'Infinity'));
}
