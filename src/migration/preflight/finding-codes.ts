// The findings of `plan`, with their grades. Printed into docs/guides/plan.md.

import { LIMIT_CODES } from './limit-codes.ts';

export type Grade = 'blocks' | 'warns' | 'informs';

interface FindingText {
  readonly grade: Grade;
  readonly meaning: string;
  readonly cure: string;
}

export const FINDING_CODES = {
  'side-refuses': {
    grade: 'blocks',
    meaning: 'a side refuses requests: credentials, path, tenant; the finding has the error code',
    cure: 'see the code in errors.md',
  },
  'empty-range': {
    grade: 'blocks',
    meaning: 'the time range ends before it starts',
    cure: 'set spec.timeRange.start to an earlier time, or correct spec.timeRange.end and spec.timeRange.lag',
  },
  'memory-too-small': {
    grade: 'blocks',
    meaning: 'spec.limits.memory leaves no room for reading next to the writes in flight',
    cure: 'raise spec.limits.memory, or lower spec.limits.inFlightWrites',
  },
  'receiver-off': {
    grade: 'blocks',
    meaning: 'the destination is a Prometheus that does not accept remote write',
    cure: 'start it with --web.enable-remote-write-receiver (before 2.33: --enable-feature=remote-write-receiver)',
  },
  'behind-newer-data': {
    grade: 'blocks',
    meaning: 'the destination is a Prometheus with newer samples, and rejects samples as old as these',
    cure: 'set storage.tsdb.out_of_order_time_window in the prometheus.yml of the destination, or copy into an empty server that scrapes nothing',
  },
  'window-soon-too-small': {
    grade: 'warns',
    meaning:
      'the out-of-order window of the destination reaches the oldest sample now, but not until the end of the copy',
    cure: 'add the duration of the copy to storage.tsdb.out_of_order_time_window',
  },
  'destination-scrapes': {
    grade: 'blocks',
    meaning:
      'the destination is a Prometheus without an out-of-order window that scrapes: a sample of the present makes everything older than an hour out of bounds',
    cure: 'remove scrape_configs from its prometheus.yml until the copy has finished, or set storage.tsdb.out_of_order_time_window',
  },
  'any-needs-window': {
    grade: 'blocks',
    meaning: 'spec.destination.ordering is Any, and the destination is a Prometheus without an out-of-order window',
    cure: 'set spec.destination.ordering: InOrder, or storage.tsdb.out_of_order_time_window in its prometheus.yml',
  },
  'stretches-need-window': {
    grade: 'blocks',
    meaning:
      'stretches are copied side by side or newest first, and the destination is a Prometheus without an out-of-order window',
    cure: 'set spec.execution.parallelism: 1 and order: OldestFirst, or storage.tsdb.out_of_order_time_window in its prometheus.yml',
  },
  'destination-retention': {
    grade: 'blocks',
    meaning:
      'the retention of the destination ends after the start of the range: it drops older samples without an error',
    cure: 'raise the retention: --storage.tsdb.retention.time of Prometheus, -retentionPeriod of VictoriaMetrics',
  },
  'histograms-refused': {
    grade: 'blocks',
    meaning: 'the source has native histograms, and the destination does not accept them',
    cure: 'enable them (Prometheus before 3.9: --enable-feature=native-histograms), or exclude these series with spec.selectors',
  },
  'histograms-changed': {
    grade: 'warns',
    meaning: 'the source has native histograms, which the destination drops or stores as something else',
    cure: 'exclude them with spec.selectors, or choose another destination',
  },
  'newer-series-data': {
    grade: 'warns',
    meaning: 'the destination has newer samples of the selected series, and spec.destination.ordering is InOrder',
    cure: 'make sure that it accepts out-of-order samples of that age (Mimir and Cortex: out_of_order_time_window; Thanos: --tsdb.out-of-order.time-window)',
  },
  'destination-has-data': {
    grade: 'warns',
    meaning: 'the destination already has samples of the selected series in the range, and no mark of this migration',
    cure: 'copy a range or series that it does not have; equal samples are no problem where a timestamp is stored once, VictoriaMetrics needs -dedup.minScrapeInterval=1ms',
  },
  'copy-has-begun': {
    grade: 'informs',
    meaning: 'the destination has a mark of this migration: a run resumes there',
    cure: 'none needed; the estimate is that of the whole range',
  },
  'source-retention': {
    grade: 'warns',
    meaning: 'the range starts before the retention of the source: that part is empty, or is deleted soon',
    cure: 'raise the retention of the source until the copy has finished, or set spec.timeRange.start to a later time',
  },
  'source-starts-later': {
    grade: 'informs',
    meaning: 'the source has no samples at the beginning of the range',
    cure: 'none needed; an empty part of the range takes no time',
  },
  'nothing-selected': {
    grade: 'warns',
    meaning: 'no sample was found in any of the probed windows',
    cure: 'check spec.selectors, the tenant, spec.timeRange, and whether the source still has data of that age',
  },
  'selector-matches-nothing': {
    grade: 'warns',
    meaning: 'a selector matched no series in any of the probed windows',
    cure: 'check its spelling in spec.selectors',
  },
  'everything-dropped': {
    grade: 'warns',
    meaning: 'spec.relabelings drops every series that was found',
    cure: 'check the rules with action keep and drop',
  },
  'invalid-labels': {
    grade: 'warns',
    meaning: 'series have labels that no store accepts: they are counted as rejected',
    cure: 'fix the labels with spec.relabelings, or set spec.rejectedSamples: Skip',
  },
  'no-resume-point': {
    grade: 'warns',
    meaning: 'spec.destination.progress.protocol has the value None: an interrupted copy starts from the beginning',
    cure: 'use RemoteRead or PromQL wherever the destination can be read',
  },
  'progress-elsewhere': {
    grade: 'warns',
    meaning: 'spec.destination.url and spec.destination.progress.url lead to different servers',
    cure: 'correct spec.destination.progress.url, unless that server reads the data of the other',
  },
  'clock-differs': {
    grade: 'warns',
    meaning: 'the clock of a side differs from that of this machine by more than half a minute',
    cure: 'synchronize the clocks: an open end of the range, lag and signatures depend on them',
  },
  'any-is-faster': {
    grade: 'informs',
    meaning: 'the destination accepts samples in any order, and spec.destination.ordering is InOrder',
    cure: 'set spec.destination.ordering: Any: windows are then written side by side',
  },
  'probe-too-large': {
    grade: 'warns',
    meaning:
      'even a short window could not be read within spec.limits.memory, or a limit of the source: the estimate lacks it',
    cure: 'raise spec.limits.memory, or the limit of the source',
  },
  ...LIMIT_CODES,
} as const satisfies Record<string, FindingText>;

export type FindingCode = keyof typeof FINDING_CODES;

/** The table of docs/guides/plan.md. */
export function findingTable(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
  const rows = Object.entries<FindingText>(FINDING_CODES).map(
    ([code, { grade, meaning, cure }]) => `| \`${code}\` | ${grade} | ${cell(meaning)} | ${cell(cure)} |`,
  );
  return ['| code | grade | meaning | cure |', '|---|---|---|---|', ...rows].join('\n');
}
