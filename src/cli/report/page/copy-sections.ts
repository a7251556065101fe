// What was copied from where to where, when, and the counts of the samples. Pure.

import { type Counts, countsOfAllRuns } from '../../../migration/report/counts.ts';
import { formatBytes, formatDuration, formatExact, formatRate, formatTime } from '../../../telemetry/format.ts';
import { rangeText } from './chart.ts';
import { code, facts, type Html, html, outside, table } from './html.ts';
import type { ReportModel } from './model.ts';

export function subjectSection({ sides, progress, settings }: ReportModel): Html {
  const { startMs, endMs } = progress;
  const rows = sides.flatMap(({ role, url, version }): [string, Html][] => [
    [
      role,
      html`${code(url)}<br><span class="muted">${version === undefined ? 'reports no version' : outside(version)}</span>`,
    ],
  ]);
  return html`${facts([
    ...rows,
    [
      'Range of the data (UTC)',
      endMs > startMs ? html`${rangeText(startMs, endMs)} (end exclusive)` : 'was never known',
    ],
    ...settings.map(([name, values]): [string, Html | undefined] => [name, list(values)]),
  ])}`;
}

function list(values: readonly string[]): Html | undefined {
  const [first] = values;
  if (first === undefined) return undefined;
  return values.length === 1 ? code(first) : html`<ul>${values.map((value) => html`<li>${code(value)}</li>`)}</ul>`;
}

export function timeSection({ startedMs, endedMs, durationMs, progress, record }: ReportModel): Html {
  const perSecond = durationMs > 0 ? progress.samplesWritten / (durationMs / 1000) : 0;
  const resumed = progress.resumedFromMs;
  return facts([
    ['Started (UTC)', formatTime(startedMs)],
    ['Ended (UTC)', formatTime(endedMs)],
    ['Duration', html`${formatDuration(durationMs)} (${formatExact(durationMs / 1000)} s)`],
    ['Speed', progress.work !== 'Verify' && perSecond > 0 ? html`${formatRate(perSecond)} samples written` : undefined],
    ['Stretches', stretchesText(progress, record)],
    ['Resumed from (UTC)', resumed === undefined ? undefined : formatTime(resumed)],
    [
      'In the destination, before',
      progress.work !== 'Verify' && progress.endMs > progress.startMs ? formatTime(progress.watermarkMs) : undefined,
    ],
  ]);
}

/** How much of the range was finished in stretches, and how. */
function stretchesText(
  { stretches }: ReportModel['progress'],
  { division }: ReportModel['record'],
): string | undefined {
  if (stretches === undefined) return undefined;
  const texts = [`${formatExact(stretches.finished)} of ${formatExact(stretches.total)} finished`];
  if (division !== undefined) {
    texts.push(`of ${formatDuration(division.lengthMs)}`, `at most ${formatExact(division.mostRunning)} at once`);
  }
  return texts.join(', ');
}

const MEANINGS: Readonly<Record<string, string>> = {
  filtered: 'dropped by a relabel rule',
  'already present': 'found in the destination, not written again',
  conflicting: 'two different samples of one series at one time in the source; one of them was kept',
};

export function countsSection({ progress }: ReportModel): Html {
  const total = progress.resumedFromMs === undefined ? undefined : (countsOfAllRuns(progress) ?? 'unknown');
  const columns = [
    { title: 'Samples' },
    { title: total === undefined ? 'Number' : 'This run', isNumber: true },
    ...(total === undefined ? [] : [{ title: 'All runs', isNumber: true }]),
    { title: 'Meaning' },
  ];
  const row = (name: string, meaning: string, count: (counts: Counts) => number, always = false) => {
    const [here, overall] = [count(progress), typeof total === 'object' ? count(total) : 0];
    if (!always && here === 0 && overall === 0) return [];
    const all = total === undefined ? [] : [total === 'unknown' ? 'unknown' : formatExact(overall)];
    return [[name, formatExact(here), ...all, html`<span class="muted">${meaning}</span>`]];
  };
  const reasons = new Set([
    ...Object.keys(progress.samplesRejected),
    ...(typeof total === 'object' ? Object.keys(total.samplesRejected) : []),
  ]);
  const unproven = progress.samplesRejectedUnproven > 0;
  return html`${table('Counts of samples', columns, [
    ...row('read', 'returned by the source, in the range', (counts) => counts.samplesRead, true),
    ...row('written', 'acknowledged by the destination', (counts) => counts.samplesWritten, true),
    ...row('filtered', MEANINGS['filtered'] ?? '', (counts) => counts.samplesFiltered, true),
    ...row('already present', MEANINGS['already present'] ?? '', (counts) => counts.samplesAlreadyPresent, true),
    ...row('conflicting', MEANINGS['conflicting'] ?? '', (counts) => counts.samplesConflicting, true),
    ...row(unproven ? 'rejected, at most' : 'rejected', 'refused by the destination, and not there', rejectedOf, true),
    ...[...reasons].flatMap((reason) =>
      row(`rejected: ${reason}`, 'reason of a rejection', (counts) => counts.samplesRejected[reason] ?? 0),
    ),
    ...row(
      'rejected, possibly stored',
      'refused like repeats; the destination could not be read',
      (counts) => counts.samplesRejectedUnproven,
    ),
    ...row('read plain', 'read as SAMPLES, because the stream was unusable', (counts) => counts.samplesReadPlain),
    ...row(
      'altered, at most',
      'of these, possibly −0 or bounds of a histogram',
      (counts) => counts.samplesAlteredAtMost,
    ),
  ])}
<p class="muted">${balanceText(progress)}</p>
${facts([
  ['Series, at most in one window', formatExact(progress.series)],
  ['Windows', formatExact(progress.windows)],
  ['Bytes read', html`${formatBytes(progress.bytesRead)} (${formatExact(progress.bytesRead)} bytes)`],
  ['Bytes written', html`${formatBytes(progress.bytesWritten)} (${formatExact(progress.bytesWritten)} bytes)`],
  ['Retries', formatExact(progress.retries)],
])}`;
}

function rejectedOf({ samplesRejected }: Counts): number {
  return Object.values(samplesRejected).reduce((sum, samples) => sum + samples, 0);
}

/** The equation that every window must satisfy. A run that stopped in the middle of one has read more than it has accounted for. */
function balanceText(counts: Counts): string {
  const accounted =
    counts.samplesWritten +
    counts.samplesFiltered +
    counts.samplesAlreadyPresent +
    counts.samplesConflicting +
    rejectedOf(counts);
  const open = counts.samplesRead - accounted;
  const equation = `read = written + filtered + already present + conflicting + rejected: ${formatExact(counts.samplesRead)} = ${formatExact(accounted)}`;
  return open === 0 ? `${equation}.` : `${equation} + ${formatExact(open)} in windows that were not finished.`;
}
