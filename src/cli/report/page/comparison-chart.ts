// Coverage of a verification: how many samples were compared over the range, and where the sides differ. Pure.

import type { VerificationProgress } from '../../../migration/report/verification.ts';
import { formatCount, formatDuration, formatExact, formatTimeShort } from '../../../telemetry/format.ts';
import { rangeText, renderChart } from './chart.ts';
import { block, continuous, density, perMinute } from './coverage-chart.ts';
import { type Html, html, table } from './html.ts';
import type { ComparedSpan } from './model.ts';

export function comparisonChart(verification: Readonly<VerificationProgress>, all: readonly ComparedSpan[]): Html {
  const { startMs, endMs, resumedFromMs, throughMs, finished } = verification;
  if (endMs <= startMs) return html``;
  // What a Skip copy left out counts as missing until the end, when it is known to be expected.
  const compared = verification.missing > 0 || !finished ? all : all.map((one) => ({ ...one, missing: 0 }));
  const drawn = compared.map(({ samplesCompared: samples, ...rest }) => ({ ...rest, samples }));
  const differing = compared.filter(({ missing, different }) => missing + different > 0);
  const extra = compared.filter((one) => one.extra > 0 && !differing.includes(one));
  const empty = compared.filter(({ samplesCompared }) => samplesCompared === 0);
  const earlierUntilMs = resumedFromMs ?? startMs;
  const reachedMs = finished ? endMs : Math.max(throughMs, compared.at(-1)?.toMs ?? startMs);
  const areas: [isShown: boolean, className: string, text: string][] = [
    [compared.length > 0, 'swatch-data', 'samples compared, per minute of data'],
    [differing.length > 0, 'swatch-differs', 'with differences'],
    [extra.length > 0, 'swatch-extra', 'with extra samples only'],
    [empty.length > 0, 'swatch-empty', 'no samples in the source'],
    [earlierUntilMs > startMs, 'swatch-earlier', 'compared by an earlier run'],
    [reachedMs < endMs, 'swatch-left', 'not compared'],
  ];
  const chart = renderChart({
    id: 'compared',
    title: 'Samples compared over the range of the data',
    description: describe(compared, differing),
    fromMs: startMs,
    toMs: endMs,
    max: drawn.reduce((most, span) => Math.max(most, perMinute(span)), 0),
    formatValue: formatCount,
    draw: (frame) =>
      html`${[
        earlierUntilMs > startMs ? block('earlier', 'earlier run', startMs, earlierUntilMs, frame) : undefined,
        reachedMs < endMs ? block('left', 'not compared', reachedMs, endMs, frame) : undefined,
        empty.map(({ fromMs, toMs }) => block('empty', 'no samples', fromMs, toMs, frame)),
        continuous(drawn).map((run) => density(run, frame)),
        extra.map(({ fromMs, toMs }) => block('extra', 'extra', fromMs, toMs, frame)),
        differing.map(({ fromMs, toMs }) => block('differs', 'differs', fromMs, toMs, frame)),
      ]}`,
    caption: html`Range of the data, in UTC: ${rangeText(startMs, endMs)}. The height is the average of a span of one or more windows. A span with a single difference is marked as a whole.`,
    legend: areas.filter(([isShown]) => isShown).map(([, className, text]) => [className, text]),
  });
  return html`<h3>Coverage</h3>
${chart}
${compared.length > 0 ? html`<details><summary>Samples compared per span, as a table</summary>${spanTable(compared)}</details>` : undefined}`;
}

function describe(compared: readonly ComparedSpan[], differing: readonly ComparedSpan[]): string {
  const samples = compared.reduce((sum, { samplesCompared }) => sum + samplesCompared, 0);
  if (compared.length === 0) return 'This run compared no window.';
  const differences = differing.length === 0 ? 'No span differs.' : `${formatExact(differing.length)} of them differ.`;
  return `${formatExact(samples)} samples compared in ${formatExact(compared.length)} spans. ${differences} The table below has the numbers.`;
}

function spanTable(spans: readonly ComparedSpan[]): Html {
  return table(
    'Samples compared per span of the range',
    [
      { title: 'From (UTC)' },
      { title: 'To (UTC)' },
      { title: 'Length', isNumber: true },
      { title: 'Windows', isNumber: true },
      { title: 'Compared', isNumber: true },
      { title: 'Missing', isNumber: true },
      { title: 'Different or repeated', isNumber: true },
      { title: 'Extra', isNumber: true },
    ],
    spans.map((span) => [
      html`<span class="time">${formatTimeShort(span.fromMs)}</span>`,
      html`<span class="time">${formatTimeShort(span.toMs)}</span>`,
      formatDuration(span.toMs - span.fromMs),
      formatExact(span.windows),
      formatExact(span.samplesCompared),
      formatExact(span.missing),
      formatExact(span.different),
      formatExact(span.extra),
    ]),
  );
}
