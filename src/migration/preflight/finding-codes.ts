// The findings of `plan`, with their grades. Printed into docs/guides/plan.md.

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
  'labels-exceed-limit': {
    grade: 'blocks',
    meaning:
      'series have more labels, or longer ones, than the destination accepts: it refuses them, or drops them without an error',
    cure: 'raise the limit, or remove or shorten labels with spec.relabelings',
  },
  'series-exceed-limit': {
    grade: 'warns',
    meaning: 'the range has more series than the destination accepts; blocks if a single probed window has more',
    cure: 'raise the limit, or copy fewer series at once with spec.selectors',
  },
  'burst-too-small': {
    grade: 'warns',
    meaning:
      'a request may have more samples than the destination accepts at once: such requests are refused until they are made smaller',
    cure: 'set spec.limits.samplesPerWrite to the limit or less',
  },
  'rate-limits-duration': {
    grade: 'informs',
    meaning: 'the ingestion rate that the destination allows makes the copy longer than its estimate',
    cure: 'none needed: the rate is followed; raise the limit for a faster copy',
  },
  'age-exceeds-limit': {
    grade: 'blocks',
    meaning: 'the destination refuses or drops samples as old as the oldest one, whatever else it has',
    cure: 'raise the limit beyond the age of the oldest sample and the duration of the copy, or set spec.timeRange.start to a later time',
  },
  'samples-in-future': {
    grade: 'warns',
    meaning: 'the range ends further in the future than the destination accepts samples',
    cure: 'set spec.timeRange.end to the present or earlier',
  },
  'needs-out-of-order-window': {
    grade: 'warns',
    meaning:
      'the out-of-order window of the tenant does not reach the oldest sample: it is accepted only while the tenant has nothing newer; blocks if the selected series have newer samples there',
    cure: 'set out_of_order_time_window of the tenant beyond the age of the oldest sample and the duration of the copy',
  },
  'ha-tracker': {
    grade: 'warns',
    meaning:
      'the destination has an HA tracker, and the series have its labels: samples of a replica that it does not follow are dropped',
    cure: 'drop the replica label with spec.relabelings (action: labeldrop)',
  },
  'destination-deduplicates': {
    grade: 'warns',
    meaning: 'the destination keeps one sample of a series in each interval of its deduplication',
    cure: 'set -dedup.minScrapeInterval=1ms, which only removes equal timestamps',
  },
  'window-exceeds-block': {
    grade: 'warns',
    meaning: 'windows are longer than a Prometheus with such small blocks accepts samples behind its newest one',
    cure: 'set spec.window.max to half of --storage.tsdb.min-block-duration',
  },
  'limits-not-shown': {
    grade: 'informs',
    meaning: 'the destination has limits that it does not show',
    cure: 'compare them with the page of the system, or run plan --probe-write',
  },
  'probe-too-old': {
    grade: 'blocks',
    meaning: 'the destination refuses a sample that is as old as the oldest one (--probe-write)',
    cure: 'widen its out-of-order window or retention beyond the age of the oldest sample and the duration of the copy, or set spec.timeRange.start to a later time',
  },
  'probe-refused': {
    grade: 'blocks',
    meaning:
      'the destination refuses a sample for another reason (--probe-write): rights of the tenant, a limit of labels or series; the finding has the error code',
    cure: 'see the code in errors.md',
  },
  'probe-dropped': {
    grade: 'blocks',
    meaning:
      'the destination returns 202 for a sample and does not store it (--probe-write): its HA tracker follows another replica',
    cure: 'drop the replica label with spec.relabelings (action: labeldrop)',
  },
  'probe-not-shown': {
    grade: 'blocks',
    meaning:
      'the destination accepts a sample and does not show it (--probe-write): its retention is too short, or spec.destination.progress leads to another store',
    cure: 'raise the retention beyond the age of the oldest sample, and check url and tenant of spec.destination.progress',
  },
  'probe-written': {
    grade: 'informs',
    meaning: 'samples were written into the destination, where they stay (--probe-write)',
    cure: 'none needed; a copy and a verification ignore them; the guide of plan says how to delete them',
  },
  'progress-hidden': {
    grade: 'blocks',
    meaning:
      'queries of the destination do not reach back to the oldest sample: marks and written samples would look missing',
    cure: 'raise the limit for queries of the tenant until the copy has finished',
  },
  'progress-adds-labels': {
    grade: 'warns',
    meaning:
      'the destination is a Prometheus with external labels, which remote_read adds to everything that is read back',
    cure: 'set spec.destination.progress.protocol: PromQL',
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
  'source-hides-old-samples': {
    grade: 'warns',
    meaning:
      'queries of the source do not reach back to the start of the range: that part looks empty, without an error',
    cure: 'raise the limit for queries of the tenant, or set spec.timeRange.start to a later time',
  },
  'query-length-limit': {
    grade: 'warns',
    meaning: 'windows are longer than a query of the source may be',
    cure: 'set spec.window.max to the limit or less',
  },
  'query-series-limit': {
    grade: 'warns',
    meaning:
      'a probed window has more series than a query of the source may return: metric names are requested in groups, but a single metric with more ends the migration; blocks if one was found',
    cure: 'raise the limit of the tenant, or divide the metric with several spec.selectors',
  },
  'selectors-need-names': {
    grade: 'blocks',
    meaning: 'the source only accepts queries that name a metric, and a selector names none',
    cure: 'give every entry of spec.selectors a metric name',
  },
  'frames-exceed-limit': {
    grade: 'warns',
    meaning: 'the source may send larger frames than spec.source.maxFrameBytes allows',
    cure: 'raise spec.source.maxFrameBytes',
  },
  'source-adds-labels': {
    grade: 'informs',
    meaning: 'the source adds its external labels to every series',
    cure: 'none needed; to leave them out, use spec.relabelings (action: labeldrop)',
  },
  'external-label-conflict': {
    grade: 'warns',
    meaning: 'series already have a label of spec.externalLabels with another value, which they keep',
    cure: 'overwrite it with spec.relabelings (action: replace), or remove it from spec.externalLabels',
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
