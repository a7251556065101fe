// What the sides hide, refuse or add when they are read. Pure.

import { formatSelector } from '../../api/selector.ts';
import { formatBytes, formatCount, formatDuration, formatTimeShort } from '../../telemetry/format.ts';
import { largestMetric } from './judge-limits.ts';
import { type Observations, oldestMs } from './observations.ts';
import { type Finding, finding } from './preflight-result.ts';

const SIDE = 'source';

export function judgeReads(seen: Observations): Finding[] {
  return [
    ...judgeSourceQueries(seen),
    ...judgeNames(seen),
    ...judgeFrames(seen),
    ...judgeIntervals(seen),
    ...judgeLabels(seen),
    ...judgeMarks(seen),
  ];
}

function judgeSourceQueries(seen: Observations): Finding[] {
  const { plan, servers, startMs, nowMs } = seen;
  const { lookback, queryLength } = servers.source?.limits ?? {};
  const findings: Finding[] = [];
  if (lookback !== undefined && nowMs - startMs > lookback.value)
    findings.push(
      finding('source-hides-old-samples', {
        side: SIDE,
        has: `queries that reach back ${formatDuration(lookback.value)}`,
        needs: `samples from ${formatTimeShort(startMs)}`,
        setting: lookback.setting,
      }),
    );
  if (queryLength !== undefined && plan.window.maxMs > queryLength.value)
    findings.push(
      finding('query-length-limit', {
        side: SIDE,
        has: `queries of at most ${formatDuration(queryLength.value)}`,
        needs: `windows of up to ${formatDuration(plan.window.maxMs)}`,
        setting: queryLength.setting,
      }),
    );
  findings.push(...judgeQueriedSeries(seen));
  return findings;
}

/** A run requests metric names in groups, as many as the limit allows. A probed window is requested as a whole. */
function judgeQueriedSeries({ servers, windows, tooLarge }: Observations): Finding[] {
  const limit = servers.source?.limits?.seriesPerQuery;
  const [name, series] = largestMetric(windows);
  const isCertain = limit !== undefined && series > limit.value;
  if (limit === undefined || (!isCertain && tooLarge.length === 0)) return [];
  return [
    finding('query-series-limit', {
      side: SIDE,
      grade: isCertain ? 'blocks' : 'warns',
      has: `at most ${formatCount(limit.value)} series in a query`,
      needs: isCertain
        ? `${formatCount(series)} series of ${name.slice(0, 100)}`
        : 'all series of a metric in one query',
      setting: limit.setting,
    }),
  ];
}

function judgeNames({ plan, servers: { source } }: Observations): Finding[] {
  const needsNames = source?.isChunksStorage === true || source?.product === 'GreptimeDB';
  if (!needsNames) return [];
  const unnamed = plan.selectors.findIndex(
    (matchers) => !matchers.some(({ kind, name }) => kind === '=' && name === '__name__'),
  );
  if (unnamed < 0) return [];
  return [
    finding('selectors-need-names', {
      side: SIDE,
      has: `the selector ${formatSelector(plan.selectors[unnamed] ?? []).slice(0, 200)}`,
      needs: `a metric name: ${source.product}${source.isChunksStorage === true ? ' (storage.engine: chunks)' : ''} finds series by their name only`,
      setting: `spec.selectors[${unnamed}]`,
    }),
  ];
}

function judgeFrames({ plan, servers: { source } }: Observations): Finding[] {
  const { frameBytes } = source ?? {};
  if (frameBytes === undefined || frameBytes <= plan.source.maxFrameBytes) return [];
  return [
    finding('frames-exceed-limit', {
      side: SIDE,
      has: `frames of about ${formatBytes(frameBytes)} (--storage.remote.read-max-bytes-in-frame)`,
      needs: `at most ${formatBytes(plan.source.maxFrameBytes)}`,
      setting: 'spec.source.maxFrameBytes',
    }),
  ];
}

function judgeIntervals({ servers: { source } }: Observations): Finding[] {
  const limit = source?.limits?.deduplication;
  if (limit === undefined || limit.value <= 1) return [];
  return [
    finding('source-deduplicates', {
      side: SIDE,
      has: `one sample of a series in ${formatDuration(limit.value)}`,
      needs: 'nothing more',
      setting: limit.setting,
    }),
  ];
}

function judgeLabels({ plan, servers: { source }, shape }: Observations): Finding[] {
  const added = plan.source.protocol === 'RemoteRead' ? (source?.externalLabels ?? {}) : {};
  const findings: Finding[] = [];
  if (Object.keys(added).length > 0)
    findings.push(
      finding('source-adds-labels', {
        side: SIDE,
        has: `external labels ${labelsText(Object.entries(added)).slice(0, 200)}`,
        needs: 'nothing more',
        setting: 'external_labels',
      }),
    );
  const kept = Object.entries(shape?.common ?? added);
  const conflict = kept.find(([name, value]) => (plan.externalLabels[name] ?? value) !== value);
  if (conflict !== undefined)
    findings.push(
      finding('external-label-conflict', {
        side: SIDE,
        has: labelsText([conflict]),
        needs: labelsText([[conflict[0], plan.externalLabels[conflict[0]] ?? '']]),
        setting: 'spec.externalLabels',
      }),
    );
  return findings;
}

function labelsText(labels: readonly (readonly [name: string, value: string])[]): string {
  return labels.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', ');
}

/** What is written is read back, and marks are found, by queries of the destination. */
function judgeMarks(seen: Observations): Finding[] {
  const { plan, servers, nowMs } = seen;
  const findings: Finding[] = [];
  const lookback = servers.progress?.limits?.lookback;
  const oldest = oldestMs(seen);
  if (lookback !== undefined && oldest !== undefined && nowMs - oldest > lookback.value)
    findings.push(
      finding('progress-hidden', {
        side: 'progress',
        has: `queries that reach back ${formatDuration(lookback.value)}`,
        needs: `samples and marks from ${formatTimeShort(oldest)}`,
        setting: lookback.setting,
      }),
    );
  const added = Object.keys(servers.progress?.externalLabels ?? {});
  if (plan.progress.protocol === 'RemoteRead' && added.length > 0)
    findings.push(
      finding('progress-adds-labels', {
        side: 'progress',
        has: `external_labels: ${added.join(', ').slice(0, 200)}`,
        needs: 'samples as they were written',
        setting: 'spec.destination.progress.protocol',
      }),
    );
  return findings;
}
