// The codes for samples that the destination rejects, and for requests and responses that are too large.

import type { ResponseCode } from './response-code.ts';

const OUT_OF_ORDER_SETTINGS =
  'Prometheus storage.tsdb.out_of_order_time_window, Mimir and Cortex out_of_order_time_window of the tenant, ' +
  'Thanos Receive --tsdb.out-of-order.time-window, M3 coldWritesEnabled of the namespace';
const POLICY = 'or continue without these samples: spec.rejectedSamples: Skip';

export const REJECTION_CODES = {
  // The destination rejects samples.
  'out-of-order': {
    arrival: 'part',
    meaning: 'the destination has a newer sample of the series and rejects older ones',
    cure: `widen the destination's out-of-order window (${OUT_OF_ORDER_SETTINGS}) beyond the age of the oldest data, or migrate into a destination that nothing else writes to; ${POLICY}`,
  },
  'too-old': {
    arrival: 'part',
    meaning: "the sample is older than the destination's window or retention",
    cure: `widen the destination's out-of-order window (${OUT_OF_ORDER_SETTINGS}) and its retention beyond the age of the oldest data; a Prometheus without such a window needs destination.ordering: InOrder and must have no newer samples (it must not scrape itself); ${POLICY}`,
  },
  'too-far-in-future': {
    arrival: 'part',
    meaning: 'the sample is further in the future than the destination accepts',
    cure: `set spec.timeRange.end to the current time or earlier, and compare the clocks of source and destination (Mimir and Cortex: creation_grace_period; M3: bufferFuture); ${POLICY}`,
  },
  'duplicate-timestamp': {
    arrival: 'part',
    meaning: 'the destination already has a different value of the series at that timestamp, and keeps it',
    cure: `find out what else writes these series to the destination (a second replica, an earlier migration of other data); ${POLICY}`,
  },
  'invalid-labels': {
    arrival: 'part',
    meaning: "the series' labels violate a rule or exceed a limit of the destination",
    cure: `raise the destination's label limits (Mimir and Cortex: max_label_names_per_series, max_length_label_name, max_length_label_value) or change the labels with spec.relabelings; ${POLICY}`,
  },
  'invalid-sample': {
    arrival: 'part',
    meaning: 'the destination considers the sample itself invalid',
    cure: `see the response for the cause (Mimir: max_native_histogram_buckets for histograms with too many buckets); ${POLICY}`,
  },
  'histograms-disabled': {
    arrival: 'part',
    meaning: 'the destination does not accept native histograms',
    cure: `enable native histograms: Prometheus before 3.9: --enable-feature=native-histograms, Mimir: native_histograms_ingestion_enabled, Cortex: enable_native_histograms, Thanos Receive: --tsdb.enable-native-histograms; ${POLICY}`,
  },
  'histograms-out-of-order': {
    arrival: 'part',
    meaning: 'the destination accepts native histograms only in order',
    cure: `use Prometheus 3.4 or newer, or start 3.0 to 3.3 with --enable-feature=ooo-native-histograms; Mimir: ooo_native_histograms_ingestion_enabled; ${POLICY}`,
  },
  'histograms-dropped': {
    arrival: 'part',
    meaning: 'the destination acknowledges native histograms but does not store them',
    cure: `enable native histograms (Cortex: enable_native_histograms, Mimir: native_histograms_ingestion_enabled; Promscale cannot store them); ${POLICY}`,
  },
  'ha-tracker': {
    arrival: 'part',
    meaning: 'the destination returned 202: its HA tracker follows another replica and drops the samples of this one',
    cure: `drop the replica label with spec.relabelings (Cortex and Mimir: __replica__, ha_replica_label); ${POLICY}`,
  },
  'accepted-only': {
    arrival: 'part',
    meaning: 'the destination returned 202, which confirms that it received the samples, not that it stores them',
    cure: `check the destination's log; if its HA tracker follows another replica, drop the replica label with spec.relabelings; ${POLICY}`,
  },
  'other-rejection': {
    arrival: 'part',
    meaning: 'the destination rejected samples for a reason that prom-migrator does not recognize',
    cure: `see the response; ${POLICY}`,
  },

  // Too much at once.
  'request-too-large': {
    arrival: 'no',
    smaller: 'always',
    meaning: 'the request is larger than the server, or a proxy in front of it, accepts',
    cure: 'requests are made smaller automatically; if even one series is too large, raise the limit (VictoriaMetrics -maxInsertRequestSize, Mimir and Cortex max_recv_msg_size, nginx client_max_body_size)',
  },
  'too-many-samples': {
    arrival: 'no',
    meaning: 'the query exceeds a limit of the source on samples or chunks',
    cure: 'shorter windows are requested automatically; if even one metric is too large, raise the limit (Prometheus --storage.remote.read-sample-limit, Mimir and Cortex max_fetched_chunks_per_query)',
  },
  'too-many-series': {
    arrival: 'no',
    meaning: 'the query exceeds a limit of the source on series',
    cure: 'metric names are requested in groups automatically; if even one metric has too many series, raise the limit (Mimir and Cortex max_fetched_series_per_query, Thanos --store.grpc.series-limit, M3 limits.perQuery.maxFetchedSeries, InfluxDB max-select-series)',
  },
  'response-too-large': {
    arrival: 'no',
    smaller: 'always',
    meaning: 'the query would return more than the server, or the limit of this process, allows',
    cure: 'shorter windows or fewer metric names are requested automatically; if even one metric is too large, raise the limit (Mimir and Cortex max_fetched_chunk_bytes_per_query, Cortex max_fetched_data_bytes_per_query) or spec.limits.memory',
  },
  'results-limited': {
    arrival: 'no',
    smaller: 'always',
    meaning: 'M3 truncated its response (M3-Results-Limited)',
    cure: "metric names are requested in groups automatically; if even one metric is truncated, raise the coordinator's limits (limits.perQuery.maxFetchedSeries) or set the header M3-Limit-Max-Series in spec.SIDE.headers",
  },
} as const satisfies Record<string, ResponseCode>;
