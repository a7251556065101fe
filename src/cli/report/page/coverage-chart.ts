// Coverage: how dense the samples are over the range of the data, which parts have no samples, and what this run did not copy. Pure.

import { area, curveStepAfter } from 'd3-shape';
import { formatCount, formatDuration, formatExact, formatTimeShort } from '../../../telemetry/format.ts';
import { type Area, areasOf } from './coverage-areas.ts';
import { type Frame, number, path, rangeText, rect, renderChart } from './chart.ts';
import { type Html, html, table } from './html.ts';
import type { ReportModel, Span } from './model.ts';

const SMALLEST_BAR = 1.5;
const WIDEST_LETTER = 8;

export function coverage(model: ReportModel): Html {
  const { progress, record } = model;
  const { startMs, endMs } = progress;
  if (endMs <= startMs) return html`<p>The range of the data was never known.</p>`;
  const { spans, gaps } = record;
  const bars = spans.map(({ fromMs, toMs, samplesRead }) => ({ fromMs, toMs, samples: samplesRead }));
  const { earlier, left } = areasOf(model);
  const max = bars.reduce((most, bar) => Math.max(most, perMinute(bar)), 0);
  const areas: [isShown: boolean, className: string, text: string][] = [
    [spans.length > 0, 'swatch-data', 'samples read, per minute of data'],
    [gaps.count > 0, 'swatch-gap', 'no samples in the source'],
    [earlier.length > 0, 'swatch-earlier', 'copied by an earlier run'],
    [left.length > 0, 'swatch-left', 'not copied'],
  ];
  const chart = renderChart({
    id: 'coverage',
    title: 'Samples over the range of the data',
    description: describe(spans, gaps),
    fromMs: startMs,
    toMs: endMs,
    max,
    formatValue: formatCount,
    draw: (frame) =>
      html`${[
        blocks('earlier', 'earlier run', earlier, frame),
        blocks('left', 'not copied', left, frame),
        gapsToDraw(spans, gaps).map((gap) => block('gap', 'no samples', gap.fromMs, gap.toMs, frame)),
        continuous(bars).map((run) => density(run, frame)),
      ]}`,
    caption: html`Range of the data, in UTC: ${rangeText(startMs, endMs)}. The height is the average of a span of one or more windows. A gap shorter than a window does not show.`,
    legend: areas.filter(([isShown]) => isShown).map(([, className, text]) => [className, text]),
  });
  return html`${chart}
${gapTable(gaps)}
${spans.length > 0 ? html`<details><summary>Samples per span, as a table</summary>${spanTable('Samples per span of the range', spans)}</details>` : undefined}`;
}

interface Bar {
  readonly fromMs: number;
  readonly toMs: number;
  readonly samples: number;
}

export function perMinute({ fromMs, toMs, samples }: Bar): number {
  return samples / Math.max((toMs - fromMs) / 60_000, 1 / 60_000);
}

function describe(spans: readonly Span[], gaps: ReportModel['record']['gaps']): string {
  const samples = spans.reduce((sum, { samplesRead }) => sum + samplesRead, 0);
  if (spans.length === 0) return 'This run copied no window.';
  const gapText =
    gaps.count === 0 ? 'No gaps.' : `${formatExact(gaps.count)} gaps, ${formatDuration(gaps.totalMs)} in total.`;
  return `${formatExact(samples)} samples in ${formatExact(spans.length)} spans. ${gapText} The table below has the numbers.`;
}

export function block(className: string, text: string, fromMs: number, toMs: number, frame: Frame): Html {
  const left = frame.x(fromMs);
  const width = Math.max(frame.x(toMs) - left, SMALLEST_BAR);
  const isRoom = width > text.length * WIDEST_LETTER;
  const label = html`<text class="note" x="${number(left + width / 2)}" y="${number((frame.top + frame.bottom) / 2)}" text-anchor="middle">${text}</text>`;
  return html`${rect(className, left, width, frame)}${isRoom ? label : undefined}\n`;
}

function blocks(className: string, text: string, areas: readonly Area[], frame: Frame): Html[] {
  return areas.map(({ fromMs, toMs }) => block(className, text, fromMs, toMs, frame));
}

/** All gaps that are still spans of their own, and the longest ones also if they are not. */
function gapsToDraw(spans: readonly Span[], { longest }: ReportModel['record']['gaps']): Span[] {
  const isDrawn = ({ fromMs, toMs }: Span) => longest.some((gap) => gap.fromMs <= fromMs && toMs <= gap.toMs);
  return [...longest, ...spans.filter((span) => span.samplesRead === 0 && !isDrawn(span))];
}

/** The spans with samples, as runs without a gap between them. */
export function continuous(spans: readonly Bar[]): Bar[][] {
  const runs: Bar[][] = [];
  let previous: Bar | undefined;
  for (const span of spans) {
    if (span.samples > 0) {
      if (previous !== undefined && previous.samples > 0 && previous.toMs === span.fromMs) runs.at(-1)?.push(span);
      else runs.push([span]);
    }
    previous = span;
  }
  return runs;
}

export function density(run: readonly Bar[], { x, y, bottom }: Frame): Html {
  const points = run.map((span) => ({ x: x(span.fromMs), y: y(perMinute(span)) }));
  const last = run.at(-1);
  const end = points.at(-1);
  if (last === undefined || end === undefined) return html``;
  points.push({ x: Math.max(x(last.toMs), end.x + SMALLEST_BAR), y: end.y });
  const shape = area<{ x: number; y: number }>(
    (point) => point.x,
    bottom,
    (point) => point.y,
  )
    .curve(curveStepAfter)
    .digits(1);
  return html`${path('area', shape(points))}${path('stroke', shape.lineY1()(points))}\n`;
}

function gapTable({ count, totalMs, longest }: ReportModel['record']['gaps']): Html | undefined {
  if (count === 0) return undefined;
  const which =
    count > longest.length ? `The ${formatExact(longest.length)} longest of ${formatExact(count)} gaps` : 'Gaps';
  return html`<h3>${which}</h3>
<p>The source returned no samples for ${formatDuration(totalMs)} of the range.</p>
${spanTable('Spans of the range without samples', longest)}`;
}

function spanTable(caption: string, spans: readonly Span[]): Html {
  return table(
    caption,
    [
      { title: 'From (UTC)' },
      { title: 'To (UTC)' },
      { title: 'Length', isNumber: true },
      { title: 'Windows', isNumber: true },
      { title: 'Samples read', isNumber: true },
      { title: 'Samples written', isNumber: true },
    ],
    spans.map((span) => [
      html`<span class="time">${formatTimeShort(span.fromMs)}</span>`,
      html`<span class="time">${formatTimeShort(span.toMs)}</span>`,
      formatDuration(span.toMs - span.fromMs),
      formatExact(span.windows),
      formatExact(span.samplesRead),
      formatExact(span.samplesWritten),
    ]),
  );
}
