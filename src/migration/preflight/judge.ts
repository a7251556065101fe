// From what was seen to the findings. Pure, so that the operator can judge in the same way.

import { formatSelector } from '../../api/selector.ts';
import type { Side } from '../../remote/meaning/side.ts';
import { formatBytes, formatDuration, formatTimeShort } from '../../telemetry/format.ts';
import { hasRoomToRead, memoryShares } from '../write/memory-shares.ts';
import type { Grade } from './finding-codes.ts';
import { judgeDestination } from './judge-destination.ts';
import { judgeLimits } from './judge-limits.ts';
import { judgeProbe } from './judge-probe.ts';
import { judgeReads } from './judge-reads.ts';
import type { Observations } from './observations.ts';
import { type Finding, finding } from './preflight-result.ts';
import { retentionSetting } from './store-traits.ts';

const LARGEST_CLOCK_DIFFERENCE_MS = 30_000;
const SIDES: readonly Side[] = ['source', 'destination', 'progress'];
const GRADES: readonly Grade[] = ['blocks', 'warns', 'informs'];

/** What blocks comes first. */
export function judge(seen: Observations): Finding[] {
  const findings = [
    ...judgeRefusals(seen),
    ...judgePlan(seen),
    ...judgeDestination(seen),
    ...judgeProbe(seen),
    ...judgeLimits(seen),
    ...judgeSource(seen),
    ...judgeReads(seen),
    ...judgeProgress(seen),
    ...judgeClocks(seen),
  ];
  return findings.sort((a, b) => GRADES.indexOf(a.grade) - GRADES.indexOf(b.grade));
}

function judgeRefusals({ refusals }: Observations): Finding[] {
  return refusals.map(({ side, code, message, hint }) =>
    finding('side-refuses', {
      side,
      has: `${code}: ${message}`,
      needs: 'a side that accepts these requests',
      setting: side === 'progress' ? 'spec.destination.progress' : `spec.${side}`,
      ...(hint !== undefined && { cure: hint }),
    }),
  );
}

function judgePlan({ plan, startMs, endMs }: Observations): Finding[] {
  const findings: Finding[] = [];
  if (endMs <= startMs)
    findings.push(
      finding('empty-range', {
        has: `an end at ${formatTimeShort(endMs)}`,
        needs: `an end after ${formatTimeShort(startMs)}`,
        setting: 'spec.timeRange',
      }),
    );
  if (!hasRoomToRead(plan))
    findings.push(
      finding('memory-too-small', {
        has: `${formatBytes(plan.limits.memoryBytes)}, of which writes take ${formatBytes(memoryShares(plan).writeBytes)}`,
        needs: 'at least 3.5 MiB for reading',
        setting: 'spec.limits.memory',
      }),
    );
  if (plan.progress.protocol === 'None')
    findings.push(
      finding('no-resume-point', {
        side: 'progress',
        has: 'progress.protocol None',
        needs: 'a destination that can be read',
        setting: 'spec.destination.progress.protocol',
      }),
    );
  return findings;
}

function judgeSource(seen: Observations): Finding[] {
  const { plan, windows, tooLarge, servers, nowMs, startMs } = seen;
  const side = 'source';
  const findings: Finding[] = [];
  const [unread] = tooLarge;
  if (unread !== undefined)
    findings.push(
      finding('probe-too-large', {
        side,
        has: `at ${formatTimeShort(unread.fromMs)}: ${unread.reason}`,
        needs: 'a window of a second that can be read',
        setting: 'spec.limits.memory',
      }),
    );
  const { retentionMs } = servers.source ?? {};
  if (retentionMs !== undefined && nowMs - startMs > retentionMs)
    findings.push(
      finding('source-retention', {
        side,
        has: `a retention of ${formatDuration(retentionMs)}`,
        needs: `samples from ${formatTimeShort(startMs)}`,
        setting: retentionSetting(servers.source),
      }),
    );
  if (windows.length === 0) return findings;
  const found = windows.some(({ seriesOfSelector }) => seriesOfSelector.some((series) => series > 0));
  if (!found) {
    const has = `no sample in ${windows.length} windows spread over the range`;
    return [...findings, finding('nothing-selected', { side, has, needs: 'samples', setting: 'spec.selectors' })];
  }
  for (const [index, matchers] of plan.selectors.entries()) {
    if (windows.some(({ seriesOfSelector }) => (seriesOfSelector[index] ?? 0) > 0)) continue;
    const has = `nothing for ${formatSelector(matchers).slice(0, 200)}`;
    findings.push(
      finding('selector-matches-nothing', { side, has, needs: 'series', setting: `spec.selectors[${index}]` }),
    );
  }
  return [...findings, ...judgeSeries(seen), ...judgeBeginning(seen)];
}

function judgeSeries({ windows }: Observations): Finding[] {
  const total = (of: (window: Observations['windows'][number]) => number) =>
    windows.reduce((sum, window) => sum + of(window), 0);
  const [written, dropped, invalid] = [
    total(({ series }) => series),
    total(({ seriesDropped }) => seriesDropped),
    total(({ seriesInvalid }) => seriesInvalid),
  ];
  const findings: Finding[] = [];
  if (written === 0 && dropped > 0)
    findings.push(
      finding('everything-dropped', {
        has: 'rules that drop every series that was found',
        needs: 'series to write',
        setting: 'spec.relabelings',
      }),
    );
  if (invalid > 0)
    findings.push(
      finding('invalid-labels', {
        side: 'source',
        has: `${invalid} series with such labels in the probed windows`,
        needs: 'a metric name, and no label twice',
        setting: 'spec.relabelings',
      }),
    );
  return findings;
}

function judgeBeginning({ windows, startMs }: Observations): Finding[] {
  const first = windows.find(({ samples }) => samples > 0);
  if (first === undefined || first === windows[0]) return [];
  const has = `no samples before ${formatTimeShort(first.fromMs)} in the probed windows`;
  const needs = `samples from ${formatTimeShort(startMs)}`;
  return [finding('source-starts-later', { side: 'source', has, needs, setting: 'spec.timeRange.start' })];
}

/** Two servers of one kind that were started at different times are not the same. Of other stores, reads and writes often have hosts of their own. */
function judgeProgress({ servers: { destination, progress } }: Observations): Finding[] {
  const [written, read] = [destination?.startedAt, progress?.startedAt];
  const differ = written !== undefined && read !== undefined && written !== read;
  const otherProduct =
    destination?.product !== undefined && progress?.product !== undefined && destination.product !== progress.product;
  if (!differ && !otherProduct) return [];
  return [
    finding('progress-elsewhere', {
      side: 'progress',
      has: otherProduct
        ? `${progress.product}, while ${destination.product} is written`
        : `a Prometheus that was started at ${read}, while the one that is written was started at ${written}`,
      needs: 'the store that is written',
      setting: 'spec.destination.progress.url',
    }),
  ];
}

function judgeClocks({ servers }: Observations): Finding[] {
  return SIDES.flatMap((side) => {
    const aheadMs = servers[side]?.clockAheadMs ?? 0;
    // The sides of a destination have one clock.
    if (Math.abs(aheadMs) <= LARGEST_CLOCK_DIFFERENCE_MS || side === 'progress') return [];
    const has = `a clock that is ${formatDuration(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead' : 'behind'}`;
    return [finding('clock-differs', { side, has, needs: 'the time of this machine' })];
  });
}
