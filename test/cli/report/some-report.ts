// A report's content, made up: a run of a day that went well, changed by each test.

import type { MigrationProgress } from '../../../src/migration/report/observer.ts';
import type { VerificationProgress } from '../../../src/migration/report/verification.ts';
import type { ReportModel, RunRecord, Span } from '../../../src/cli/report/page/model.ts';
import { endMs, someProgress, startMs } from '../fake-engine.ts';

export { endMs, startMs };

const HOUR_MS = 3_600_000;

export function someSpans(samplesOf: (hour: number) => number = (hour) => 40_000 + 400 * hour): Span[] {
  return Array.from({ length: 24 }, (_, hour) => ({
    fromMs: startMs + hour * HOUR_MS,
    toMs: startMs + (hour + 1) * HOUR_MS,
    windows: 1,
    samplesRead: samplesOf(hour),
    samplesWritten: samplesOf(hour),
  }));
}

export function someRecord(changes: Partial<RunRecord> = {}): RunRecord {
  return {
    division: undefined,
    spans: someSpans(),
    gaps: { count: 0, totalMs: 0, longest: [] },
    compared: [],
    timeline: {
      intervalMs: 100,
      elapsedMs: 2_000,
      intervals: Array.from({ length: 20 }, (_, index) => ({
        samplesWritten: 50_000 * (index + 1),
        samplesCompared: 0,
        windowMs: HOUR_MS,
        retries: 0,
      })),
    },
    retries: [],
    splits: { byTime: 0, byName: 0, first: [] },
    requests: [],
    warnings: [],
    rejections: [],
    isAlreadyFinished: false,
    ...changes,
  };
}

export function completed(changes: Partial<MigrationProgress> = {}): MigrationProgress {
  return someProgress({
    phase: 'Succeeded',
    watermarkMs: endMs,
    samplesRead: 1_000_000,
    samplesWritten: 1_000_000,
    series: 42,
    windows: 24,
    ...changes,
  });
}

export function someVerification(changes: Partial<VerificationProgress> = {}): VerificationProgress {
  return {
    startMs,
    endMs,
    resumedFromMs: undefined,
    throughMs: endMs,
    reachedMs: endMs,
    seriesCompared: 1_008,
    samplesCompared: 1_000_000,
    equal: 1_000_000,
    missing: 0,
    extra: 0,
    different: 0,
    repeated: 0,
    expected: {},
    repaired: 0,
    first: [],
    firstPresent: [],
    bytesRead: 5_000_000,
    finished: true,
    isDivided: false,
    ...changes,
  };
}

interface ReportChanges extends Partial<ReportModel> {
  readonly verification?: VerificationProgress;
  readonly work?: MigrationProgress['work'];
}

export function someReport({ verification, work, ...changes }: ReportChanges = {}): ReportModel {
  const progress = changes.progress ?? completed();
  const usual = verification === undefined ? 'Copy' : 'CopyAndVerify';
  return {
    toolVersion: '1.2.3',
    migration: 'default/demo',
    id: '0123456789abcdef',
    sides: [
      { role: 'Source', url: 'http://prometheus:9090/api/v1/read', version: 'version 3.5.3 (revision abc)' },
      { role: 'Destination', url: 'http://victoria:8428/api/v1/write', version: undefined },
    ],
    settings: [['Selectors', ['{__name__=~".+"}']]],
    startedMs: endMs + HOUR_MS,
    endedMs: endMs + HOUR_MS + 2_000,
    durationMs: 2_000,
    error: undefined,
    record: someRecord(),
    manifests: [{ name: 'migration.yaml', sha256: 'ab'.repeat(32) }],
    ...changes,
    progress: { ...progress, verification, work: work ?? usual },
  };
}

const HOSTILE = `</script></style><script>alert(1)</script>"'><img src=x onerror=alert(1)>\u0000\u001b[31m\u202eevil\u2066\u0085 \u05e9\u05dc\u05d5\u05dd \ud800 & &amp;`;

/** A report in which every text that a server, a label or a manifest can choose is hostile. */
export function hostileReport(): ReportModel {
  const text = HOSTILE;
  return someReport({
    migration: text,
    id: text,
    sides: [{ role: 'Source', url: text, version: text }],
    settings: [
      ['Selectors', [text]],
      ['Relabelings', [text, text]],
    ],
    progress: completed({ phase: 'Failed', samplesRejected: { [text]: 3 }, watermarkMs: startMs }),
    error: { code: text as 'internal', message: text, hint: text, side: 'source' },
    verification: someVerification({
      different: 1,
      first: [{ labels: text, timestampMs: startMs, kind: 'different', source: text, destination: text }],
    }),
    manifests: [{ name: text, sha256: undefined }],
    record: someRecord({
      compared: [{ fromMs: startMs, toMs: endMs, windows: 1, samplesCompared: 9, missing: 0, different: 1, extra: 2 }],
      retries: [
        { side: 'source', code: text, retries: 1, delayMs: 1, firstMs: startMs, lastMs: startMs, firstMessage: text },
      ],
      splits: { byTime: 1, byName: 0, first: [{ fromMs: startMs, toMs: endMs, by: 'time', reason: text }] },
      requests: [{ side: 'source', status: text, requests: 1, seconds: 1, sentBytes: 1, receivedBytes: 1 }],
      warnings: [{ code: text, message: text, count: 1 }],
      rejections: [
        { reason: text, samples: 1, isBound: true, response: text, example: { labels: text, timeMs: startMs } },
      ],
    }),
  });
}
