// The result of a verification: counts, expected changes with their reasons, the first differences. Pure.

import {
  type DifferenceKind,
  EXPECTED_CHANGES,
  type ExpectedChange,
  type VerificationProgress,
} from '../../../migration/report/verification.ts';
import { formatBytes, formatExact, formatTime } from '../../../telemetry/format.ts';
import { presentableText } from '../../../telemetry/log-text.ts';
import { rangeText } from './chart.ts';
import { comparisonChart } from './comparison-chart.ts';
import { code, facts, type Html, html, table } from './html.ts';
import type { ReportModel } from './model.ts';
import { differencesOf } from './verdict.ts';

const KINDS: Readonly<Record<DifferenceKind, string>> = {
  missing: 'in the source, not in the destination',
  different: 'in both, with different values',
  repeated: 'in the destination more than once',
  extra: 'in the destination only; does not count as a difference, because another writer may have written it',
};

export function verificationSection({ progress: { verification, work }, record }: ReportModel): Html {
  if (verification === undefined && work !== 'Copy')
    return html`<p>None: the run ended before the comparison began.</p>`;
  if (verification === undefined) {
    return html`<p>None. Source and destination were not compared after the copy. The counts above are what the destination acknowledged.</p>`;
  }
  const { startMs, endMs, throughMs, finished, resumedFromMs } = verification;
  return html`${facts([
    ['State', finished ? 'finished' : 'not finished: what follows is the result so far'],
    ['Range (UTC)', html`${rangeText(startMs, endMs)} (end exclusive)`],
    ['Compared through (UTC)', formatTime(throughMs)],
    ['Resumed from (UTC)', resumedFromMs === undefined ? undefined : formatTime(resumedFromMs)],
    ['Series, summed over windows', formatExact(verification.seriesCompared)],
    ['Bytes read', html`${formatBytes(verification.bytesRead)} (${formatExact(verification.bytesRead)} bytes)`],
  ])}
<h3>Counts</h3>
${countsTable(verification)}
${comparisonChart(verification, record.compared)}
${expectedPart(verification)}
${differencesPart(verification)}`;
}

function countsTable(verification: Readonly<VerificationProgress>): Html {
  const kinds = (Object.keys(KINDS) as DifferenceKind[]).map((kind) => [
    kind,
    formatExact(verification[kind]),
    html`<span class="muted">${KINDS[kind]}</span>`,
  ]);
  const muted = (text: string) => html`<span class="muted">${text}</span>`;
  const expected = Object.values(verification.expected).reduce((sum, samples) => sum + samples, 0);
  return table(
    'Counts of the verification',
    [{ title: 'Samples' }, { title: 'Number', isNumber: true }, { title: 'Meaning' }],
    [
      ['compared', formatExact(verification.samplesCompared), muted('samples of the source, after relabelling')],
      ['equal', formatExact(verification.equal), muted('bit for bit')],
      [
        'expected changes',
        formatExact(expected),
        muted('changes that the store or the protocol is known to make; listed below'),
      ],
      ...kinds,
      ['repaired', formatExact(verification.repaired), muted('were missing and have been written')],
    ],
  );
}

function expectedPart({ expected }: Readonly<VerificationProgress>): Html {
  const rows = (Object.entries(expected) as [ExpectedChange, number][]).filter(([, samples]) => samples > 0);
  if (rows.length === 0) return html`<h3>Expected changes</h3><p>None.</p>`;
  return html`<h3>Expected changes</h3>
${table(
  'Expected changes',
  [{ title: 'Reason' }, { title: 'Samples', isNumber: true }, { title: 'Explanation' }],
  rows.map(([reason, samples]) => [
    code(reason),
    formatExact(samples),
    html`<div class="wide-text">${EXPECTED_CHANGES[reason]}</div>`,
  ]),
)}`;
}

function differencesPart(verification: Readonly<VerificationProgress>): Html {
  const { first } = verification;
  if (first.length === 0) return html`<h3>Differences</h3><p>None.</p>`;
  const all = differencesOf(verification) + verification.extra;
  const title =
    all > first.length ? `The first ${formatExact(first.length)} of ${formatExact(all)} differences` : 'Differences';
  return html`<h3>${title}</h3>
${table(
  title,
  [{ title: 'Series' }, { title: 'Time (UTC)' }, { title: 'Kind' }, { title: 'Source' }, { title: 'Destination' }],
  first.map(({ labels, timestampMs, kind, source, destination }) => [
    html`<div class="wide-text">${code(presentableText(labels))}</div>`,
    html`<span class="time">${formatTime(timestampMs) ?? String(timestampMs)}</span>`,
    kind,
    valueText(source),
    valueText(destination),
  ]),
)}`;
}

function valueText(value: string | undefined): Html {
  return html`<div class="value-text">${value === undefined ? '-' : code(presentableText(value))}</div>`;
}
