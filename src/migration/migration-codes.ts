// The catalogue of the codes that the engine itself gives an error or a warning; those of servers' answers are remote/answer-codes.ts.
// Printed into docs/errors.md; a test holds both equal to what the engine throws and tells.

export interface MigrationCode {
  readonly meaning: string;
  readonly cure: string;
}

/** Codes of a MigrationError that are not a server's answer. */
export const migrationCodes = {
  unreachable: {
    meaning:
      'one side gave no answer at all before the start-up deadline had passed; the message ends with the last failure',
    cure: 'see the code of the failure in the log; --startup-deadline sets how long it is tried, none for ever',
  },
  'samples-rejected': {
    meaning: 'the destination refuses samples, and spec.rejectedSamples is Fail; the message holds its first answer',
    cure: 'see the code of the rejection in the hint and below; or set spec.rejectedSamples: Skip to go on without them, counted by reason',
  },
  'mark-rejected': {
    meaning: 'the destination took the samples but not the progress mark beside them',
    cure: 'as for the samples: its out-of-order window or retention; spec.destination.progress.labels if it wants labels that the mark has not',
  },
  'mark-not-found': {
    meaning:
      'the destination answered that it took the first progress mark, but does not show it: it dropped it in silence, or another place is read than written',
    cure: "raise the destination's retention beyond the age of the data (VictoriaMetrics -retentionPeriod), or correct spec.destination.progress.url and its tenant",
  },
  'read-back-too-large': {
    meaning:
      'the smallest part of the destination that can be read back, one series or the marks of a millisecond, is still more than an eighth of spec.limits.memory or than the destination allows',
    cure: "raise spec.limits.memory, or the destination's own limit on a query",
  },
  'window-too-large': {
    meaning: 'the smallest window that can be asked for is still more than the source or spec.limits.memory allows',
    cure: "raise spec.limits.memory, or the source's own limit",
  },
  'memory-too-small': {
    meaning: 'spec.limits.memory leaves no room for reading beside the writes in flight',
    cure: 'raise spec.limits.memory or lower spec.limits.inFlightWrites',
  },
  'empty-range': {
    meaning:
      'the range ends before it starts: spec.timeRange.end is open and spec.timeRange.start is not far enough in the past',
    cure: 'set spec.timeRange.start to an earlier time, or spec.timeRange.end and spec.timeRange.lag to what you mean',
  },
  'bad-answer-truncated': {
    meaning: "the source's response ends inside a value, although it seemed whole, again and again",
    cure: 'look into the log of the source and of the proxies before it',
  },
  'bad-answer-corrupt': {
    meaning:
      "the source's response has a wrong checksum, length or chunk, again and again: ten times before any good response, or the same bytes even as SAMPLES",
    cure: 'look for what changes bodies on the way; if it stays, the block of the source is damaged: promtool tsdb analyze',
  },
  'bad-answer-invalid-labels': {
    meaning:
      'a series in the answer has labels that no store takes: one name with two values, or text that is not UTF-8',
    cure: 'look for the series in the store; the message shows its labels',
  },
  'bad-answer-too-large': {
    meaning: "a piece of the source's answer declares more bytes than are accepted",
    cure: 'raise spec.source.maxFrameBytes or spec.limits.memory if the source is to be believed',
  },
  'bad-answer-unknown-encoding': {
    meaning: 'the source sends chunks of an encoding that this version does not know, for SAMPLES too',
    cure: 'use a newer version of prom-migrator',
  },
  'bad-answer-server-error-text': {
    meaning: 'the source broke off its answer and wrote an error text after it',
    cure: "see the text; look into the source's log",
  },
  accounting: {
    meaning: 'a window has samples that were read but not accounted for: a defect of prom-migrator',
    cure: 'please report it; the window was not marked and will be copied again by the next run',
  },
  internal: {
    meaning: 'an unexpected error: a defect of prom-migrator',
    cure: 'please report it with the output of --log-level debug',
  },
} as const satisfies Record<string, MigrationCode>;

/** Codes of warnings: the migration goes on. */
export const warningCodes = {
  'at-least-once': {
    meaning: 'destination.progress.protocol is None: no resume point is kept',
    cure: 'use RemoteRead or PromQL wherever the destination can be read',
  },
  'nothing-found': {
    meaning: 'the migration has finished and the source gave no sample at all',
    cure: 'check spec.selectors, the tenant, and whether the source still keeps data of that age',
  },
  'samples-instead-of-stream': {
    meaning:
      "the source's stream can't be used for this window: a chunk of an encoding newer than this version, a chunk that was damaged in the same way three times although its frame's checksum was right, or a stream whose end can't be seen. It is read as plain samples (SAMPLES) instead, which is slower, turns −0 into 0, and from some versions of Prometheus leaves out bounds of histogram buckets (3.5) or whole native histograms (2.40 to 2.43)",
    cure: "see the reason in the message: for an unknown encoding use a newer version of prom-migrator; for a damaged chunk check the source's block (promtool tsdb analyze); for a stream without an end make the proxy use HTTP/1.1 on both sides. samplesReadPlain in the result counts what was read this way",
  },
  'possibly-altered': {
    meaning:
      'samples that were read as SAMPLES may differ from what the source has: a value or a sum of 0 may have been −0, and a histogram with custom buckets came without their bounds. The number is an upper bound: a plain response does not tell 0 from −0',
    cure: 'if it matters, remove the reason for samples-instead-of-stream and copy the range again into an empty destination; samplesAlteredAtMost in the result is the sum',
  },
  'start-timestamps': {
    meaning: 'the source has start timestamps, which remote write 1.0 cannot carry',
    cure: 'nothing to do: the samples themselves are complete',
  },
  'not-stored': {
    meaning:
      'the destination is InfluxDB and has acknowledged samples that it cannot store: NaN, stale markers, native histograms, in newer releases infinite values too; how many is said at the end of the run',
    cure: 'nothing to do: InfluxDB has no place for them; they count as written',
  },
  'mark-refused': {
    meaning:
      'with spec.rejectedSamples: Skip, the destination refuses the progress mark like the samples that are skipped',
    cure: 'nothing to do; a later run begins at an earlier mark and skips the same samples again',
  },
  'accepted-not-read-back': {
    meaning:
      'the destination answered 202 and cannot be read: it may have dropped samples that count as written, as an HA tracker does that follows another replica',
    cure: 'make the destination readable (spec.destination.progress), and drop the replica label with spec.relabelings',
  },
  'rejected-not-read-back': {
    meaning:
      'what is in the destination of the samples that it refused could not be read back: samplesRejected is an upper bound',
    cure: 'see the message; compare both sides if the numbers matter',
  },
  'histograms-not-checked': {
    meaning:
      'whether the destination stores the native histograms that it acknowledged could not be checked; Cortex, Mimir and Promscale drop them without an error when they are switched off',
    cure: 'see the message; look for one of them in the destination',
  },
} as const satisfies Record<string, MigrationCode>;
