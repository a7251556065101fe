// The responses of receivers to a write whose samples they reject, and their classification: rows of classify-response.test.ts.

import type { Row } from './responses-to-writes.ts';

export const rejectedSamples: readonly Row[] = [
  // Duplicates.
  ['Prometheus', 400, 'duplicate sample for timestamp', 'rejected duplicate-timestamp duplicate_timestamp'],
  [
    'Prometheus 3',
    400,
    'duplicate sample for timestamp 1700000000000; overrides not allowed: existing 1, new value 2',
    'rejected duplicate-timestamp duplicate_timestamp',
  ],
  [
    'Cortex chunks',
    400,
    'user=1: sample with repeated timestamp but different value; last value: 1, incoming value: 2',
    'rejected duplicate-timestamp duplicate_timestamp',
  ],
  [
    'Mimir',
    400,
    'send data to ingesters: failed pushing to ingester: user=1: the sample has been rejected because another sample with the same timestamp, but a different value, has already been ingested (err-mimir-sample-duplicate-timestamp). The affected sample has timestamp 2023-01-01T00:00:00Z and is from series up',
    'rejected duplicate-timestamp duplicate_timestamp',
  ],
  [
    'Thanos Receive',
    409,
    'store locally for endpoint : add 1 samples: duplicate sample for timestamp',
    'rejected duplicate-timestamp duplicate_timestamp',
  ],
  ['a gateway', 422, 'duplicate sample for timestamp', 'rejected duplicate-timestamp duplicate_timestamp'],

  // Out of order.
  ['Prometheus', 400, 'out of order sample\n', 'rejected out-of-order out_of_order'],
  [
    'Cortex chunks',
    400,
    'sample timestamp out of order; last timestamp: 1.2, incoming timestamp: 1.1 for series {}',
    'rejected out-of-order out_of_order',
  ],
  [
    'Cortex blocks',
    400,
    'user=1: err: out of order sample. timestamp=2023-01-01T00:00:00Z, series={__name__="up"}',
    'rejected out-of-order out_of_order',
  ],
  [
    'Mimir',
    400,
    'the sample has been rejected because another sample with a more recent timestamp has already been ingested and out-of-order samples are not allowed (err-mimir-sample-out-of-order)',
    'rejected out-of-order out_of_order',
  ],
  [
    'Thanos Receive',
    409,
    'store locally for endpoint : add 12 samples: out of order sample',
    'rejected out-of-order out_of_order',
  ],
  [
    'Prometheus 3.0 to 3.3',
    500,
    'out-of-order native histogram ingestion is disabled',
    'rejected histograms-out-of-order out_of_order',
  ],

  // Too old.
  ['Prometheus', 400, 'out of bounds', 'rejected too-old too_old'],
  ['Prometheus 2.50 and newer', 400, 'too old sample', 'rejected too-old too_old'],
  ['Prometheus before 2.50', 500, 'too old sample\n', 'rejected too-old too_old'],
  [
    'Cortex',
    400,
    'user=1: err: out of bounds. timestamp=2020-01-01T00:00:00Z, series={__name__="up"}',
    'rejected too-old too_old',
  ],
  ['Cortex', 400, 'timestamp too old: 1600000000 metric: "up"', 'rejected too-old too_old'],
  [
    'Mimir',
    400,
    'the sample has been rejected because its timestamp is too old (err-mimir-sample-timestamp-too-old). The affected sample has timestamp x and is from series up, out-of-order window 1h',
    'rejected too-old too_old',
  ],
  [
    'Mimir',
    400,
    'received a sample whose timestamp is too far in the past, timestamp: 1 series: up (err-mimir-too-far-in-past)',
    'rejected too-old too_old',
  ],
  ['Thanos Receive', 409, 'add 3 samples: out of bounds', 'rejected too-old too_old'],
  [
    'M3',
    400,
    '{"status":"error","error":"bad_request_errors: count=3, last=datapoint too far in past: off_by=1h, timestamp=x"}',
    'rejected too-old too_old',
  ],
  ['InfluxDB', 400, '{"error":"partial write: points beyond retention policy dropped=7"}', 'rejected too-old too_old'],

  // Samples in the future, which Prometheus also calls out of bounds.
  [
    'Prometheus 2.54 and newer',
    400,
    'out of bounds (timestamp is too far in the future)',
    'rejected too-far-in-future too_far_in_future',
  ],
  [
    'Prometheus',
    400,
    'timestamp is too far in the future: out of bounds',
    'rejected too-far-in-future too_far_in_future',
  ],
  ['Cortex', 400, 'timestamp too new: 1900000000 metric: "up"', 'rejected too-far-in-future too_far_in_future'],
  [
    'Mimir',
    400,
    'received a sample whose timestamp is too far in the future, timestamp: 1 series: up (err-mimir-too-far-in-future). To adjust',
    'rejected too-far-in-future too_far_in_future',
  ],
  [
    'M3',
    400,
    'bad_request_errors: count=1, last=datapoint too far in future: off_by=1h',
    'rejected too-far-in-future too_far_in_future',
  ],

  // Labels.
  ['Cortex', 400, 'label name too long: "x" metric "up"', 'rejected invalid-labels invalid_labels'],
  [
    'Cortex',
    400,
    'series has too many labels (actual: 31, limit: 30) series: up',
    'rejected invalid-labels invalid_labels',
  ],
  [
    'Mimir',
    400,
    "received a series whose label value length exceeds the limit, label: 'a' (err-mimir-label-value-too-long)",
    'rejected invalid-labels invalid_labels',
  ],
  [
    'Mimir',
    400,
    'received a series whose number of labels exceeds the limit (err-mimir-max-label-names-per-series)',
    'rejected invalid-labels invalid_labels',
  ],
  [
    'Mimir',
    400,
    'received a series with an invalid metric name: (err-mimir-metric-name-invalid)',
    'rejected invalid-labels invalid_labels',
  ],
  [
    'Mimir',
    400,
    'received series has no metric name (err-mimir-missing-metric-name)',
    'rejected invalid-labels invalid_labels',
  ],
  ['Thanos Receive', 409, 'external labels conflict', 'rejected invalid-labels invalid_labels'],
  ['M3', 400, 'bad_request_errors: count=1, last=too many tags', 'rejected invalid-labels invalid_labels'],

  // Samples.
  ['Prometheus', 500, 'native histograms are disabled\n', 'rejected histograms-disabled histograms_disabled'],
  ['Prometheus', 400, 'native histograms are disabled\n', 'rejected histograms-disabled histograms_disabled'],
  [
    'Prometheus 3.7 and newer',
    400,
    "3 observations found in buckets, but the Count field is 4: histogram's observation count should equal the number of observations found in the buckets (in absence of NaN)",
    'rejected invalid-sample invalid_sample',
  ],
  [
    'Prometheus before 3.7',
    500,
    'positive side: span number 2 with offset -1: histogram has a span whose offset is negative',
    'rejected invalid-sample invalid_sample',
  ],
  [
    'Mimir',
    400,
    'received a native histogram sample with too many buckets (err-mimir-max-native-histogram-buckets)',
    'rejected invalid-sample invalid_sample',
  ],
  [
    'InfluxDB',
    400,
    '{"error":"partial write: field type conflict: input field \\"value\\" is type float, already exists as type integer dropped=1"}',
    'rejected invalid-sample invalid_sample',
  ],

  // A 400 without a known reason is bisected down to its sample.
  ['AMP, which may say nothing', 400, '', 'rejected other-rejection other'],
  ['anything', 400, 'something else', 'rejected other-rejection other'],
  ['anything', 409, 'conflict', 'rejected other-rejection other'],
];
