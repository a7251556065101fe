// The findings of `plan` that concern limits of the sides, what they add or hide, and samples that were written to find out.

/** A part of FINDING_CODES. */
export const LIMIT_CODES = {
  'labels-exceed-limit': {
    grade: 'blocks',
    meaning:
      'series have more labels, or longer ones, than the destination accepts: it refuses them, or drops them without an error; only warns if the limit is a default that the destination does not show',
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
  'source-deduplicates': {
    grade: 'informs',
    meaning: 'the source shows one sample of a series in each interval of its deduplication, and only these are copied',
    cure: 'none needed, unless the samples are still wanted: then read the source with a smaller -dedup.minScrapeInterval',
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
} as const;
