// Every metric that prom-migrator exposes, as data: the instruments and docs/metrics.md are made from it, and a test keeps both equal.
// Names follow Prometheus' conventions. No metric is called prom_migrator_progress, because that is the series that a migration writes into
// its destination.

export interface MetricDefinition {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds, for histograms. */
  readonly buckets?: readonly number[];
}

const REQUEST_BUCKETS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300] as const;
const WINDOW_BUCKETS = [0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000] as const;

export const METRICS = {
  samplesRead: {
    name: 'prom_migrator_samples_read_total',
    type: 'counter',
    help: 'Samples that the source returned in the range: the sum of written, filtered, already present, conflicting and rejected samples.',
    labels: ['migration'],
  },
  samplesWritten: {
    name: 'prom_migrator_samples_written_total',
    type: 'counter',
    help: 'Samples that the destination acknowledged.',
    labels: ['migration'],
  },
  samplesFiltered: {
    name: 'prom_migrator_samples_filtered_total',
    type: 'counter',
    help: 'Samples of series that a relabel rule dropped.',
    labels: ['migration'],
  },
  samplesAlreadyPresent: {
    name: 'prom_migrator_samples_already_present_total',
    type: 'counter',
    help: 'Samples that were already in the destination after an interruption and were not written again.',
    labels: ['migration'],
  },
  samplesConflicting: {
    name: 'prom_migrator_samples_conflicting_total',
    type: 'counter',
    help: 'Samples that were left out because another sample of the same series and time was kept.',
    labels: ['migration'],
  },
  samplesRejected: {
    name: 'prom_migrator_samples_rejected_total',
    type: 'counter',
    help: 'Samples that the destination rejected permanently.',
    labels: ['migration', 'reason'],
  },
  samplesReadPlain: {
    name: 'prom_migrator_samples_read_plain_total',
    type: 'counter',
    help: 'Samples that were read as plain samples (SAMPLES) because the stream could not be used.',
    labels: ['migration'],
  },
  samplesAlteredAtMost: {
    name: 'prom_migrator_samples_altered_at_most_total',
    type: 'counter',
    help: 'Upper bound of the plain samples that differ from the source: 0 instead of −0, histograms without bounds of custom buckets.',
    labels: ['migration'],
  },
  samplesCompared: {
    name: 'prom_migrator_samples_compared_total',
    type: 'counter',
    help: 'Samples of the source that a verification has compared with the destination.',
    labels: ['migration'],
  },
  samplesRepaired: {
    name: 'prom_migrator_samples_repaired_total',
    type: 'counter',
    help: 'Samples that a verification found missing in the destination and has written.',
    labels: ['migration'],
  },
  verificationDifferences: {
    name: 'prom_migrator_verification_differences',
    type: 'gauge',
    help: 'Samples that the current or last verification found different, by kind: missing, different, repeated or extra. Extra samples do not fail a verification.',
    labels: ['migration', 'kind'],
  },
  verificationExpectedChanges: {
    name: 'prom_migrator_verification_expected_changes',
    type: 'gauge',
    help: 'Samples in which the current or last verification found a change that a store or protocol is known to make, by reason.',
    labels: ['migration', 'reason'],
  },
  verifiedThrough: {
    name: 'prom_migrator_verified_through_timestamp_seconds',
    type: 'gauge',
    help: 'Everything in the range before this time has been compared.',
    labels: ['migration'],
  },
  windows: {
    name: 'prom_migrator_windows_total',
    type: 'counter',
    help: 'Windows finished and marked in the destination.',
    labels: ['migration'],
  },
  windowSplits: {
    name: 'prom_migrator_window_splits_total',
    type: 'counter',
    help: 'Windows that were too large and were split, by time or by metric name.',
    labels: ['migration', 'by'],
  },
  windowDuration: {
    name: 'prom_migrator_window_duration_seconds',
    type: 'histogram',
    help: 'Time from the first request of a window to its mark in the destination.',
    labels: ['migration'],
    buckets: WINDOW_BUCKETS,
  },
  windowLength: {
    name: 'prom_migrator_window_length_seconds',
    type: 'gauge',
    help: 'How much time of the range is currently requested at once.',
    labels: ['migration'],
  },
  windowSeries: {
    name: 'prom_migrator_window_series',
    type: 'gauge',
    help: 'Series in the last finished window.',
    labels: ['migration'],
  },
  watermark: {
    name: 'prom_migrator_watermark_timestamp_seconds',
    type: 'gauge',
    help: 'Everything in the range before this time is in the destination and marked there.',
    labels: ['migration'],
  },
  rangeStart: {
    name: 'prom_migrator_range_start_timestamp_seconds',
    type: 'gauge',
    help: 'Start of the range, inclusive.',
    labels: ['migration'],
  },
  rangeEnd: {
    name: 'prom_migrator_range_end_timestamp_seconds',
    type: 'gauge',
    help: 'End of the range, exclusive.',
    labels: ['migration'],
  },
  completed: {
    name: 'prom_migrator_completed_ratio',
    type: 'gauge',
    help: 'Completed part of the work, from 0 to 1: everything before the watermark, and what is acknowledged in the windows in flight. With verification, copying and comparing count half each.',
    labels: ['migration'],
  },
  stretches: {
    name: 'prom_migrator_stretches',
    type: 'gauge',
    help: 'Stretches of the range, which are copied independently. Absent if the range is not divided.',
    labels: ['migration'],
  },
  stretchesFinished: {
    name: 'prom_migrator_stretches_finished',
    type: 'gauge',
    help: 'Stretches that are completely in the destination, by this run or an earlier one.',
    labels: ['migration'],
  },
  stretchesRunning: {
    name: 'prom_migrator_stretches_running',
    type: 'gauge',
    help: 'Stretches under way.',
    labels: ['migration'],
  },
  phase: {
    name: 'prom_migrator_phase',
    type: 'gauge',
    help: '1 for the current phase of the migration, 0 for the others.',
    labels: ['migration', 'phase'],
  },
  inFlightBytes: {
    name: 'prom_migrator_in_flight_bytes',
    type: 'gauge',
    help: 'Bytes held between source and destination.',
    labels: ['migration'],
  },
  memoryBudget: {
    name: 'prom_migrator_memory_budget_bytes',
    type: 'gauge',
    help: 'Upper limit of the bytes in flight.',
    labels: ['migration'],
  },
  inFlightWrites: {
    name: 'prom_migrator_in_flight_writes',
    type: 'gauge',
    help: 'Write requests that wait for a response.',
    labels: ['migration'],
  },
  destinationLimit: {
    name: 'prom_migrator_destination_limit_samples_per_second',
    type: 'gauge',
    help: "The rate to which the destination's own rate limit holds the migration back. Absent while it does not hold back all stretches that run, and with execution.mode Job.",
    labels: ['migration'],
  },
  requests: {
    name: 'prom_migrator_http_requests_total',
    type: 'counter',
    help: 'Requests by side and HTTP status, or by error code if there was no response.',
    labels: ['migration', 'side', 'code'],
  },
  requestDuration: {
    name: 'prom_migrator_http_request_duration_seconds',
    type: 'histogram',
    help: 'Duration of a request, up to the last byte of the response.',
    labels: ['migration', 'side'],
    buckets: REQUEST_BUCKETS,
  },
  sentBytes: {
    name: 'prom_migrator_http_sent_bytes_total',
    type: 'counter',
    help: 'Bytes of request bodies, compressed as sent.',
    labels: ['migration', 'side'],
  },
  receivedBytes: {
    name: 'prom_migrator_http_received_bytes_total',
    type: 'counter',
    help: 'Bytes of response bodies, compressed as received.',
    labels: ['migration', 'side'],
  },
  retries: {
    name: 'prom_migrator_retries_total',
    type: 'counter',
    help: 'Requests that are retried, by side and reason of the failure.',
    labels: ['migration', 'side', 'reason'],
  },
  warnings: {
    name: 'prom_migrator_warnings_total',
    type: 'counter',
    help: 'Warnings by code.',
    labels: ['migration', 'code'],
  },
  buildInfo: {
    name: 'prom_migrator_build_info',
    type: 'gauge',
    help: 'Always 1; the labels carry the versions of prom-migrator and Node.js.',
    labels: ['version', 'node_version'],
  },
  processCpu: {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    help: 'CPU time of the process, user and system.',
    labels: [],
  },
  processMemory: {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Resident memory of the process.',
    labels: [],
  },
  processStart: {
    name: 'process_start_time_seconds',
    type: 'gauge',
    help: 'Start time of the process, in seconds since 1970.',
    labels: [],
  },
  heapUsed: {
    name: 'nodejs_heap_used_bytes',
    type: 'gauge',
    help: 'Used part of the JavaScript heap.',
    labels: [],
  },
  externalMemory: {
    name: 'nodejs_external_memory_bytes',
    type: 'gauge',
    help: 'Memory of buffers outside the JavaScript heap.',
    labels: [],
  },
  eventLoopUtilization: {
    name: 'nodejs_eventloop_utilization_ratio',
    type: 'gauge',
    help: 'Share of the time since the last scrape in which the event loop was busy, from 0 to 1.',
    labels: [],
  },
} as const satisfies Record<string, MetricDefinition>;

/** The catalogue as the Markdown table of docs/metrics.md. */
export function metricsTable(): string {
  const definitions: readonly MetricDefinition[] = Object.values(METRICS);
  const rows = definitions.map(
    ({ name, type, labels, help }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
  );
  return ['| metric | type | labels | meaning |', '|---|---|---|---|', ...rows].join('\n');
}
