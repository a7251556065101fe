// The catalogue of the error and warning codes of the engine itself; remote/meaning/response-codes.ts has those of servers' responses.
// Printed into docs/errors.md. The types keep both equal to what the engine throws and reports.

import type { RemoteCode } from '../../remote/meaning/response-codes.ts';
import type { WireErrorCode } from '../../wire/errors.ts';

interface CodeText {
  readonly meaning: string;
  readonly cure: string;
}

/** Bytes from the source that could not be read, one code for each kind of WireError. */
const BAD_RESPONSE_CODES = {
  'bad-response-truncated': {
    meaning: "the source's response repeatedly ended inside a value, although it seemed complete",
    cure: 'check the logs of the source and of the proxies in front of it',
  },
  'bad-response-corrupt': {
    meaning:
      "the source's response repeatedly had a wrong checksum, length or chunk: ten times in a row before the first good response, or in the same way again and again, even as plain samples (SAMPLES)",
    cure: 'find out what changes response bodies on the way; if it persists, the block of the source is damaged: promtool tsdb analyze',
  },
  'bad-response-invalid-labels': {
    meaning:
      'a series in the response has labels that no store accepts: one name with two values, or text that is not UTF-8',
    cure: 'find the series in the store; the message shows its labels',
  },
  'bad-response-too-large': {
    meaning: "a part of the source's response declares more bytes than prom-migrator accepts",
    cure: 'raise spec.source.maxFrameBytes or spec.limits.memory if you trust the source',
  },
  'bad-response-unknown-encoding': {
    meaning:
      'the source sends chunks in an encoding that this version does not support, even when SAMPLES are requested',
    cure: 'use a newer version of prom-migrator',
  },
  'bad-response-server-error-text': {
    meaning: 'the source cut off its response and appended an error message',
    cure: "see the message; check the source's log",
  },
} as const satisfies Record<`bad-response-${WireErrorCode}`, CodeText>;

/** Codes of a MigrationError that are not a server's response. */
export const MIGRATION_CODES = {
  unreachable: {
    meaning: 'one side did not respond before the startup deadline; the message ends with the last failure',
    cure: 'see the code of the failure in the log; --startup-deadline sets how long to retry; `none` retries forever',
  },
  'destination-not-readable': {
    meaning: 'a verification was requested, with the value None in spec.destination.progress.protocol',
    cure: "set spec.destination.progress.protocol to RemoteRead or PromQL, and spec.destination.progress.url to the destination's read endpoint",
  },
  'destination-undecodable': {
    meaning:
      "during a verification, the destination's response could not be decoded, several times in a row for the same window",
    cure: 'find out what changes response bodies on the way; if it persists, the data in the destination is damaged',
  },
  'nothing-compared': {
    meaning:
      'during a verification the source returned no samples, although the destination has samples of this migration',
    cure: 'check spec.selectors, the tenant, and whether the source still has data of that age',
  },
  'differences-found': {
    meaning:
      'the verification found samples that are missing, different or repeated in the destination; the message has the counts',
    cure: 'see the first differences in the result, or all of them with `prom-migrator verify --differences FILE`; `verify --repair` writes what is missing',
  },
  'differences-not-written': {
    meaning: 'the file or pipe of `verify --differences` cannot be written any more; the message has the reason',
    cure: 'name a file on a disk with enough space; the reader of a pipe has to run until the verification has ended',
  },
  'samples-rejected': {
    meaning:
      'the destination rejects samples, and spec.rejectedSamples is Fail; the message contains its first response',
    cure: 'see the code of the rejection in the hint and below; or set spec.rejectedSamples: Skip to continue without these samples, which are counted by reason',
  },
  'mark-rejected': {
    meaning: 'the destination accepted the samples but rejected the progress mark that was written with them',
    cure: 'widen its out-of-order window or its retention, as for rejected samples; set spec.destination.progress.labels if it requires labels that the mark lacks',
  },
  'mark-not-found': {
    meaning:
      'the destination acknowledged the first progress mark but does not return it: it dropped the mark silently, or prom-migrator reads from a different store than it writes to',
    cure: "extend the destination's retention beyond the age of the data (VictoriaMetrics -retentionPeriod), or correct spec.destination.progress.url and its tenant",
  },
  'read-back-too-large': {
    meaning:
      'the smallest part of the destination that can be read back (one series, or the marks of one millisecond) exceeds an eighth of spec.limits.memory or a limit of the destination',
    cure: "raise spec.limits.memory, or the destination's own query limit",
  },
  'window-too-large': {
    meaning:
      'the smallest possible window still exceeds spec.limits.memory, or a limit of the source (in a verification, of either side)',
    cure: "raise spec.limits.memory, or the server's own limit",
  },
  'memory-too-small': {
    meaning:
      'spec.limits.memory, or the part of it that a stretch has, leaves no room for reading next to the writes in flight',
    cure: 'raise spec.limits.memory, or lower spec.limits.inFlightWrites or spec.execution.parallelism',
  },
  'empty-range': {
    meaning:
      'the range ends before it starts: spec.timeRange.end is open and spec.timeRange.start is not far enough in the past',
    cure: 'set spec.timeRange.start to an earlier time, or correct spec.timeRange.end and spec.timeRange.lag',
  },
  'too-many-stretches': {
    meaning: 'spec.execution.stretch divides the range into more than 4096 stretches',
    cure: 'raise spec.execution.stretch, or remove it to let it be chosen',
  },
  'preflight-blocked': {
    meaning:
      'spec.preflight is Enforce, and the look at both sides before the copy has found something that blocks it; nothing was written (exit code 5)',
    cure: 'see the message, and the findings in guides/plan.md',
  },
  'preflight-not-judged': {
    meaning:
      'spec.preflight is Enforce, and before the startup deadline a side could not be looked at; nothing was written',
    cure: 'see the code in the message; --startup-deadline sets how long to retry; spec.preflight: Warn copies without the look',
  },
  ...BAD_RESPONSE_CODES,
  accounting: {
    meaning: 'a window has samples that were read but not accounted for: a bug in prom-migrator',
    cure: 'please report it; the window was not marked, and the next run will copy it again',
  },
  internal: {
    meaning: 'an unexpected error: a bug in prom-migrator',
    cure: 'please report it with the output of --log-level debug',
  },
} as const satisfies Record<string, CodeText>;

/** The codes of the engine itself. */
export type EngineCode = keyof typeof MIGRATION_CODES;

/** The codes of a MigrationError: stable, kebab-case, listed in docs/errors.md. */
export type MigrationCode = EngineCode | RemoteCode;

/** Codes of warnings: the migration continues. */
export const WARNING_CODES = {
  'at-least-once': {
    meaning: 'destination.progress.protocol has the value None: no resume point is kept',
    cure: 'use RemoteRead or PromQL wherever the destination can be read',
  },
  'preflight-finding': {
    meaning:
      'spec.preflight is Enforce, and the look at both sides before the copy has found something that does not block it',
    cure: 'see the message, and the findings in guides/plan.md',
  },
  'preflight-retried': {
    meaning:
      'spec.preflight is Enforce, and a side could not be looked at: nothing is written before that has succeeded',
    cure: 'see the code in the message; --startup-deadline sets how long to retry',
  },
  'nothing-found': {
    meaning: 'the migration finished, but the source returned no samples',
    cure: 'check spec.selectors, the tenant, and whether the source still has data of that age',
  },
  'parallelism-limited': {
    meaning:
      'fewer stretches run at once than spec.execution.parallelism says: they share spec.limits.memory and spec.limits.inFlightWrites, and each needs about 16Mi and one write in flight',
    cure: 'raise the limit in the message, or lower spec.execution.parallelism',
  },
  'verification-not-resumable': {
    meaning:
      'the destination does not accept the marks of a verification: it accepts no samples of that age, or writing is not allowed',
    cure: 'none needed; if this verification is interrupted, the next one starts over',
  },
  'destination-deduplicates': {
    meaning:
      'the verification found missing samples, and the destination is a VictoriaMetrics with -dedup.minScrapeInterval: of the samples of a series in one interval it keeps only the last',
    cure: 'if the missing samples are closer together than the interval, that is the reason: accept it, or set the flag to at most the smallest scrape interval of the source and repair',
  },
  'samples-instead-of-stream': {
    meaning:
      "the source's stream cannot be used for this window: a chunk has an encoding newer than this version, a chunk was damaged in the same way three times although the checksum of its frame was correct, or the end of the stream cannot be detected. The window is read as plain samples (SAMPLES) instead. This is slower and turns −0 into 0; some versions of Prometheus also omit bounds of histogram buckets (3.5) or whole native histograms (2.40 to 2.43)",
    cure: "see the reason in the message: for an unknown encoding use a newer version of prom-migrator; for a damaged chunk check the source's block (promtool tsdb analyze); for a stream without an end make the proxy use HTTP/1.1 on both sides. samplesReadPlain in the result counts the samples that were read this way",
  },
  'only-downsampled': {
    meaning:
      'in this range a Thanos source has series, but only in downsampled blocks: the raw blocks were deleted by its retention. Their aggregates are not samples, and nothing was copied for the range',
    cure: 'set spec.timeRange.start to the end of the range, or restore the raw blocks (thanos compact --retention.resolution-raw deletes them); what is left can only be queried where it is',
  },
  'downsampled-not-checked': {
    meaning:
      'a Thanos source has no samples in this range, and prom-migrator could not find out whether it has downsampled blocks there',
    cure: 'see the reason in the message; look at the blocks of that range (thanos tools bucket inspect)',
  },
  'stores-unknown': {
    meaning:
      'the source is a Thanos component, or a proxy in front of it, without the Info API: prom-migrator cannot notice that a Query has lost one of its stores',
    cure: 'route thanos.info.Info to it as well, or read a Store Gateway itself; otherwise compare both sides with `verify` afterwards',
  },
  'stores-appeared': {
    meaning:
      'a Thanos Query got to know a store with data in a range that was already copied: the copy of that range may lack its samples',
    cure: 'run `prom-migrator verify --repair` for the range, and start the next migration when Query knows all of its stores (--endpoint-strict)',
  },
  'histogram-buckets-assumed': {
    meaning:
      'with spec.source.protocol: PromQL, a query API shows the bounds of the buckets of native histograms, and not of which kind they are. If all bounds of a series that were shown so far are powers of two, they may be exponential or custom: the histograms are copied with exponential buckets of the same bounds and counts. The number is an upper bound of those that have custom ones',
    cure: 'if these series have custom buckets (classic histograms that were scraped as native ones), read them by another protocol: RemoteRead, or ThanosStore; or exclude them with spec.selectors',
  },
  'possibly-altered': {
    meaning:
      'samples that were read as SAMPLES may differ from the source: a value or a sum of 0 may have been −0, and a histogram with custom buckets came without the bounds of the buckets. The number is an upper bound: a plain response does not distinguish 0 from −0',
    cure: 'if this matters, fix the cause of samples-instead-of-stream and copy the range again into an empty destination; samplesAlteredAtMost in the result is the total',
  },
  'start-timestamps': {
    meaning: 'the source has start timestamps, which remote write 1.0 cannot carry',
    cure: 'no action needed: the samples themselves are complete',
  },
  'not-stored': {
    meaning:
      'the destination is InfluxDB and acknowledged samples that it cannot store: NaN, stale markers, native histograms and, in newer releases, infinite values; their number is reported at the end of the run',
    cure: 'no action needed: InfluxDB cannot store them; they count as written',
  },
  'mark-refused': {
    meaning: 'with spec.rejectedSamples: Skip, the destination rejects the progress mark like the skipped samples',
    cure: 'no action needed; a later run resumes at an earlier mark and skips the same samples again',
  },
  'accepted-not-read-back': {
    meaning:
      'the destination returned 202 and cannot be read: it may have dropped samples that count as written, for example because its HA tracker follows another replica',
    cure: 'make the destination readable (spec.destination.progress), and drop the replica label with spec.relabelings',
  },
  'rejected-not-read-back': {
    meaning:
      'prom-migrator could not read back which of the rejected samples are in the destination: samplesRejected is an upper bound',
    cure: 'see the message; compare both sides if the numbers matter',
  },
  'histograms-not-checked': {
    meaning:
      'prom-migrator could not check whether the destination stores the native histograms that it acknowledges; Cortex, Mimir and Promscale drop them without an error when native histograms are disabled',
    cure: 'see the message; query the destination for one of them',
  },
} as const satisfies Record<string, CodeText>;

export type WarningCode = keyof typeof WARNING_CODES;
