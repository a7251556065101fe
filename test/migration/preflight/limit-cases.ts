// Findings that follow from limits that a side shows, and from what it adds or hides.

import type { LabelShape } from '../../../src/migration/preflight/label-shape.ts';
import type { ServerReport } from '../../../src/remote/server-report.ts';
import { dayMs, epochMs, hourMs } from '../support/plan.ts';
import {
  type Case,
  cortex,
  eachWindow,
  ESTIMATE,
  into,
  limitsOf,
  planOf,
  PROMETHEUS,
  UNKNOWN,
  VICTORIAMETRICS,
} from './observed.ts';

const SHAPE: LabelShape = {
  ...{ mostLabels: 31, longestName: 40, longestValue: 3000, examples: [] },
  common: { cluster: 'eu', __replica__: 'r1' },
};

const named = (series: number) => new Map([['requests', { series, samples: 1 }]]);
const from = (source: ServerReport) => ({ servers: { source, destination: PROMETHEUS, progress: PROMETHEUS } });
const external = { cluster: 'eu' };

export const LIMIT_CASES: readonly Case[] = [
  { name: 'a tenant whose limits fit', seen: { ...into(cortex({ labelNames: 31 })), shape: SHAPE }, codes: [] },
  {
    name: 'too many labels',
    seen: { ...into(cortex({ labelNames: 30 })), shape: SHAPE },
    codes: ['labels-exceed-limit'],
    says: /at most 30 labels in a series.*31 labels.*the labelNames/,
  },
  {
    name: 'names and values of labels that are too long',
    seen: { ...into(cortex({ labelNameLength: 39, labelValueLength: 2048 })), shape: SHAPE },
    codes: ['labels-exceed-limit', 'labels-exceed-limit'],
  },
  {
    name: 'a limit that is only known as a default',
    seen: {
      ...into({ ...VICTORIAMETRICS, limits: { labelNames: { value: 30, setting: '-x', isDefault: true } } }),
      plan: planOf({ destination: { ordering: 'Any' } }),
      shape: SHAPE,
    },
    codes: ['labels-exceed-limit'],
    says: /warns.*30 labels in a series, by default/,
  },
  {
    name: 'more series than the limit',
    seen: { ...into(cortex({ series: 4999 })), estimate: ESTIMATE },
    codes: ['series-exceed-limit'],
    says: /warns.*about 5\.0k in the range/,
  },
  {
    name: 'more series in one window than the limit',
    seen: { ...into(cortex({ series: 4 })), estimate: ESTIMATE },
    codes: ['series-exceed-limit'],
    says: /blocks.*5 in a single window/,
  },
  {
    name: 'more series of a metric than the limit',
    seen: { ...into(cortex({ seriesPerMetric: 10 })), windows: eachWindow({ names: named(11) }) },
    codes: ['series-exceed-limit'],
    says: /series of requests/,
  },
  {
    name: 'new series an hour and a day',
    seen: {
      ...into({ ...VICTORIAMETRICS, limits: limitsOf({ newSeriesPerHour: 4, newSeriesPerDay: 10 }) }),
      plan: planOf({ destination: { ordering: 'Any' } }),
      estimate: ESTIMATE,
    },
    codes: ['series-exceed-limit', 'series-exceed-limit'],
  },
  {
    name: 'a burst that is smaller than a request',
    seen: into(cortex({ samplesPerBurst: 500 })),
    codes: ['burst-too-small'],
    says: /500 samples at once.*1000 samples/,
  },
  {
    name: 'an ingestion rate that is lower than that of the source',
    seen: { ...into(cortex({ samplesPerSecond: 1000 })), estimate: ESTIMATE },
    codes: ['rate-limits-duration'],
    says: /1h for 3\.6M samples/,
  },
  {
    name: 'an ingestion rate above the limit of the user',
    seen: {
      ...into(cortex({ samplesPerSecond: 1000 })),
      plan: planOf({ limits: { samplesPerSecond: 900 } }),
      estimate: ESTIMATE,
    },
    codes: [],
  },
  { name: 'a limit of the age', seen: into(cortex({ age: 14 * dayMs })), codes: ['age-exceeds-limit'], says: /14d/ },
  {
    name: 'Azure Monitor',
    seen: into({ ...UNKNOWN, product: 'Azure Monitor' }),
    codes: ['age-exceeds-limit'],
    says: /last 20m/,
  },
  {
    name: 'an out-of-order window that is too short',
    seen: into(cortex({ outOfOrder: hourMs })),
    codes: ['needs-out-of-order-window'],
    says: /warns.*an out-of-order window of 1h.*20d/,
  },
  {
    name: 'newer samples and no out-of-order window',
    seen: { ...into(cortex({ outOfOrder: 0 })), destination: { hasMark: false, presentAtMs: [], hasNewer: true } },
    codes: ['needs-out-of-order-window'],
    says: /blocks.*no out-of-order window/,
  },
  {
    name: 'a range that ends in the future',
    seen: { ...into(cortex({ future: 600_000 })), nowMs: epochMs + 9 * dayMs },
    codes: ['samples-in-future'],
  },
  {
    name: 'replicas and an HA tracker',
    seen: {
      ...into(cortex({}, { haTracker: { clusterLabel: 'cluster', replicaLabel: '__replica__' } })),
      shape: SHAPE,
    },
    codes: ['ha-tracker'],
    says: /replica "r1"/,
  },
  {
    name: 'an HA tracker and series without its labels',
    seen: {
      ...into(cortex({}, { haTracker: { clusterLabel: 'cluster', replicaLabel: '__replica__' } })),
      shape: { ...SHAPE, common: external },
    },
    codes: [],
  },
  {
    name: 'deduplication',
    seen: {
      ...into({ ...VICTORIAMETRICS, limits: limitsOf({ deduplication: 30_000 }) }),
      plan: planOf({ destination: { ordering: 'Any' } }),
    },
    codes: ['destination-deduplicates'],
  },
  {
    name: 'deduplication of equal timestamps only',
    seen: {
      ...into({ ...VICTORIAMETRICS, limits: limitsOf({ deduplication: 1 }) }),
      plan: planOf({ destination: { ordering: 'Any' } }),
    },
    codes: [],
  },
  {
    name: 'small blocks',
    seen: into({ ...PROMETHEUS, minBlockMs: hourMs / 2 }),
    codes: ['window-exceeds-block'],
    says: /at most 15m, not 30m/,
  },
  {
    name: 'limits that no API shows',
    seen: into({ ...UNKNOWN, product: 'Thanos' }),
    codes: ['limits-not-shown'],
    says: /--tsdb\.out-of-order\.time-window/,
  },
  {
    name: 'Cortex without native histograms',
    seen: { ...into(cortex({}, { acceptsHistograms: false })), windows: eachWindow({ histograms: 1 }) },
    codes: ['histograms-refused'],
    says: /enable_native_histograms/,
  },
  {
    name: 'a destination whose queries do not reach back',
    seen: into(cortex({ lookback: 10 * dayMs })),
    codes: ['progress-hidden'],
  },
  {
    name: 'a destination that adds labels to what is read',
    seen: into({ ...PROMETHEUS, externalLabels: external }),
    codes: ['progress-adds-labels'],
  },
  {
    name: 'a destination that adds labels, read by PromQL',
    seen: { ...into({ ...PROMETHEUS, externalLabels: external }), plan: planOf({ protocol: 'PromQL' }) },
    codes: [],
  },
  {
    name: 'a source whose queries do not reach back',
    seen: from(cortex({ lookback: 10 * dayMs })),
    codes: ['source-hides-old-samples'],
  },
  {
    name: 'a source with short queries',
    seen: from(cortex({ queryLength: 600_000 })),
    codes: ['query-length-limit'],
  },
  {
    name: 'a metric with more series than a query may return',
    seen: { ...from(cortex({ seriesPerQuery: 10 })), windows: eachWindow({ names: named(11) }) },
    codes: ['query-series-limit'],
  },
  {
    name: 'a window with more series than a query may return',
    seen: {
      ...from(cortex({ seriesPerQuery: 10 })),
      tooLarge: [{ fromMs: epochMs, toMs: epochMs + 1000, reason: 'the query hit the limit' }],
    },
    codes: ['probe-too-large', 'query-series-limit'],
  },
  {
    name: 'chunks storage and a selector without a name',
    seen: from(cortex({}, { isChunksStorage: true })),
    codes: ['selectors-need-names'],
    says: /spec\.selectors\[0\]/,
  },
  {
    name: 'chunks storage and a selector with a name',
    seen: {
      ...from(cortex({}, { isChunksStorage: true })),
      plan: planOf({ selectors: [[{ kind: '=', name: '__name__', value: 'up' }]] }),
    },
    codes: [],
  },
  {
    name: 'a source that deduplicates',
    seen: from({ ...VICTORIAMETRICS, limits: limitsOf({ deduplication: 30_000 }) }),
    codes: ['source-deduplicates'],
  },
  {
    name: 'frames that are too large',
    seen: from({ ...PROMETHEUS, frameBytes: 2 ** 27 }),
    codes: ['frames-exceed-limit'],
  },
  {
    name: 'external labels of the source',
    seen: from({ ...PROMETHEUS, externalLabels: external }),
    codes: ['source-adds-labels'],
    says: /cluster="eu"/,
  },
  {
    name: 'external labels that conflict',
    seen: {
      ...from({ ...PROMETHEUS, externalLabels: external }),
      plan: planOf({ externalLabels: { cluster: 'us' } }),
      shape: { ...SHAPE, common: external },
    },
    codes: ['external-label-conflict', 'source-adds-labels'],
  },
];
