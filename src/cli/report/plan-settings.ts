// The settings of a plan as text: what is copied and how. No headers and no credentials: they may be secrets. Pure.

import type { MigrationPlan, RelabelRule } from '../../migration/plan/migration-plan.ts';
import { formatBytes, formatDuration, formatExact } from '../../telemetry/format.ts';
import type { ReportModel } from './page/model.ts';

export function settingsOf(plan: MigrationPlan): ReportModel['settings'] {
  const { selectors, relabelings, externalLabels, source, destination, progress } = plan;
  const { limits, window, execution, rejectedSamples } = plan;
  return [
    ['Selectors', selectors.map(selectorText)],
    ['Relabelings', relabelings.map(ruleText)],
    ['External labels', Object.entries(externalLabels).map(([name, value]) => `${name}=${JSON.stringify(value)}`)],
    ['Source protocol', [source.protocol]],
    ['Read mode', source.protocol === 'RemoteRead' ? [source.readMode] : []],
    ['Ordering', [destination.ordering]],
    ['Progress', [progress.protocol]],
    ['Rejected samples', [rejectedSamples]],
    [
      'Windows',
      [
        `${formatDuration(window.minMs)} to ${formatDuration(window.maxMs)}, ${formatExact(window.targetSamples)} samples`,
      ],
    ],
    ['Stretches', stretchTexts(execution)],
    [
      'Limits',
      [
        `memory ${formatBytes(limits.memoryBytes)}`,
        `${formatExact(limits.inFlightWrites)} writes in flight of ${formatExact(limits.samplesPerWrite)} samples`,
        ...(limits.samplesPerSecond === undefined
          ? []
          : [`${formatExact(limits.samplesPerSecond)} samples per second`]),
        ...(limits.bytesPerSecond === undefined ? [] : [`${formatBytes(limits.bytesPerSecond)} per second`]),
      ],
    ],
  ];
}

/** Only what differs from the default: a run from the oldest stretch to the newest, one at a time. */
function stretchTexts({ parallelism, stretchMs, order }: MigrationPlan['execution']): string[] {
  return [
    ...(parallelism === 1 ? [] : [`at most ${formatExact(parallelism)} at once`]),
    ...(stretchMs === undefined ? [] : [`of ${formatDuration(stretchMs)}`]),
    ...(order === 'OldestFirst' ? [] : ['newest first']),
  ];
}

function selectorText(matchers: MigrationPlan['selectors'][number]): string {
  return `{${matchers.map(({ name, kind, value }) => `${name}${kind}${JSON.stringify(value)}`).join(', ')}}`;
}

function ruleText(rule: RelabelRule): string {
  const labels = rule.sourceLabels.length > 0 ? ` of ${rule.sourceLabels.join(rule.separator)}` : '';
  const target = rule.targetLabel === '' ? '' : ` → ${rule.targetLabel}`;
  return `${rule.action}${labels}, regex ${JSON.stringify(rule.regex)}${target}, replacement ${JSON.stringify(rule.replacement)}`;
}
