// The JSON of `prom-migrator plan`.

import { type Banded, type PreflightResult, verdictOf } from '../migration/preflight/preflight-result.ts';
import type { ReportedStore } from '../remote/server-report.ts';
import { formatTime } from '../telemetry/format.ts';

function timeText(timeMs: number | undefined): string | null {
  return formatTime(timeMs ?? Number.NaN) ?? null;
}

function storeResult({ component, labelSets, fromMs, toMs }: ReportedStore): object {
  return { component, labelSets, from: timeText(fromMs), to: timeText(toMs) };
}

/** As an object for JSON: no field is undefined, times are RFC 3339, durations are in seconds. */
export function toPlanResult(result: PreflightResult): object {
  const { migration, findings, unjudged, servers, estimate, recommended } = result;
  return {
    migration,
    verdict: verdictOf(result),
    findings: findings.map(({ code, grade, side, has, needs, setting, cure }) => ({
      ...{ code, grade, side: side ?? null, has, needs, setting: setting ?? null, cure },
    })),
    notJudged: unjudged.map(({ side, code, message, hint }) => ({ side, code, message, hint: hint ?? null })),
    servers: Object.fromEntries(
      Object.entries(servers).map(([side, { product, version, store }]) => [
        side,
        { product: product ?? null, version: version ?? null, ...(store && { store: storeResult(store) }) },
      ]),
    ),
    estimate:
      estimate === undefined
        ? null
        : {
            start: formatTime(estimate.startMs) ?? null,
            end: formatTime(estimate.endMs) ?? null,
            series: estimate.series,
            samples: estimate.samples,
            histograms: estimate.histograms,
            bytesRead: estimate.bytesRead,
            bytesWritten: estimate.bytesWritten,
            windows: estimate.windows,
            durationSeconds: inSeconds(estimate.durationMs),
            limitedDurationSeconds:
              estimate.limitedDurationMs === undefined ? null : inSeconds(estimate.limitedDurationMs),
            peakMemoryBytes: estimate.peakMemoryBytes,
            bytesPerSecondRead: Math.round(estimate.bytesPerSecondRead),
            largestNames: estimate.largestNames,
            samplesPerSecondOverTime: estimate.overTime.map((rate) => Number(rate.toPrecision(4))),
            probedWindows: estimate.probes,
            probedRatio: Number(estimate.probed.toPrecision(4)),
          },
    recommended:
      recommended === undefined
        ? null
        : {
            ordering: recommended.ordering,
            parallelism: recommended.parallelism,
            limits: {
              memoryBytes: recommended.memoryBytes,
              inFlightWrites: recommended.inFlightWrites,
              samplesPerWrite: recommended.samplesPerWrite ?? null,
              samplesPerSecond: recommended.samplesPerSecond ?? null,
            },
          },
  };
}

/** The object if nothing was looked at. */
export function refusedPlan(code: string, message: string): object {
  return {
    ...{ migration: null, verdict: 'not-judged', findings: [], notJudged: [], servers: {} },
    ...{ estimate: null, recommended: null, error: { code, message } },
  };
}

function inSeconds({ value, low, high }: Banded): Banded {
  const seconds = (ms: number) => Number((ms / 1000).toPrecision(4));
  return { value: seconds(value), low: seconds(low), high: seconds(high) };
}
