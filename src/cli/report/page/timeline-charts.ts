// What the run did over time: samples per second, window length, retries. Pure.

import { area, curveStepAfter } from 'd3-shape';
import { formatCount, formatDuration, formatExact, formatRate, formatTime } from '../../../telemetry/format.ts';
import { type Chart, type Frame, number, path, renderChart } from './chart.ts';
import { type Html, html, table } from './html.ts';
import type { Interval, ReportModel } from './model.ts';

const MAX_POINTS = 160;

/** One step of a chart. */
interface Point {
  readonly fromMs: number;
  readonly toMs: number;
  readonly writtenPerSecond: number;
  readonly comparedPerSecond: number;
  readonly windowMs: number;
  readonly retries: number;
}

export function timelineCharts(model: ReportModel): Html {
  const points = pointsOf(model);
  const first = points[0];
  if (first === undefined) return html`<p>The run ended before it did anything.</p>`;
  const shown = (['writtenPerSecond', 'comparedPerSecond'] as const).filter((field) =>
    points.some((point) => point[field] > 0),
  );
  const rates = shown.map((field) => rateChart(model, points, field));
  const windows = points.some(({ windowMs }) => windowMs > 0) ? windowChart(model, points) : undefined;
  return html`${rates}
${windows}
<details><summary>Numbers over time, as a table</summary>${numbers(points)}</details>`;
}

function pointsOf({ startedMs, record: { timeline } }: ReportModel): Point[] {
  const { intervals, intervalMs, elapsedMs } = timeline;
  const count = Math.max(1, Math.ceil(intervals.length / MAX_POINTS));
  const points: Point[] = [];
  for (let index = 0; index < intervals.length; index += count) {
    const group = intervals.slice(index, index + count);
    const fromMs = index * intervalMs;
    const toMs = Math.min(fromMs + group.length * intervalMs, Math.max(elapsedMs, fromMs + 1));
    points.push(pointOf(group, intervals[index - 1], startedMs + fromMs, startedMs + toMs));
  }
  return withoutTinyEnd(points);
}

function pointOf(group: readonly Interval[], before: Interval | undefined, fromMs: number, toMs: number): Point {
  const last = group.at(-1);
  const seconds = (toMs - fromMs) / 1000;
  const grown = (field: 'samplesWritten' | 'samplesCompared') => (last?.[field] ?? 0) - (before?.[field] ?? 0);
  return {
    fromMs,
    toMs,
    writtenPerSecond: grown('samplesWritten') / seconds,
    comparedPerSecond: grown('samplesCompared') / seconds,
    windowMs: Math.max(...group.map(({ windowMs }) => windowMs)),
    retries: group.reduce((sum, { retries }) => sum + retries, 0),
  };
}

/** Few milliseconds at the end would show as a peak. */
function withoutTinyEnd(points: readonly Point[]): Point[] {
  const [before, last] = [points.at(-2), points.at(-1)];
  if (before === undefined || last === undefined) return [...points];
  const [lengthMs, restMs] = [before.toMs - before.fromMs, last.toMs - last.fromMs];
  if (restMs >= lengthMs / 2) return [...points];
  const together = (field: 'writtenPerSecond' | 'comparedPerSecond') =>
    (before[field] * lengthMs + last[field] * restMs) / (lengthMs + restMs);
  const joined: Point = {
    fromMs: before.fromMs,
    toMs: last.toMs,
    writtenPerSecond: together('writtenPerSecond'),
    comparedPerSecond: together('comparedPerSecond'),
    windowMs: Math.max(before.windowMs, last.windowMs),
    retries: before.retries + last.retries,
  };
  return [...points.slice(0, -2), joined];
}

const RATES = {
  writtenPerSecond: { id: 'written', title: 'Samples written per second', total: 'written' },
  comparedPerSecond: { id: 'compared', title: 'Samples compared per second', total: 'compared' },
} as const;

function rateChart(model: ReportModel, points: readonly Point[], field: keyof typeof RATES): Html {
  const { id, title, total } = RATES[field];
  const samples =
    field === 'writtenPerSecond' ? model.progress.samplesWritten : (model.progress.verification?.samplesCompared ?? 0);
  const average = samples / Math.max(model.durationMs / 1000, 0.001);
  const max = Math.max(...points.map((point) => point[field]));
  const retries = points.some((point) => point.retries > 0);
  return html`<h3>${title}</h3>
${renderChart({
  id,
  title,
  description: `On average ${formatRate(average)}, at most ${formatRate(max)}.`,
  ...spanOf(points),
  max,
  formatValue: formatCount,
  draw: (frame) => html`${steps(points, field, frame)}${points.map((point) => retryMark(point, frame))}`,
  caption: html`${formatExact(samples)} samples ${total} in ${formatDuration(model.durationMs)}: ${formatRate(average)} on average, at most ${formatRate(max)}.`,
  legend: retries
    ? [
        ['swatch-data', title.toLowerCase()],
        ['swatch-retry', 'retries'],
      ]
    : [],
})}`;
}

function windowChart(model: ReportModel, points: readonly Point[]): Html {
  const max = Math.max(...points.map(({ windowMs }) => windowMs));
  const { byTime, byName } = model.record.splits;
  return html`<h3>Window length</h3>
${renderChart({
  id: 'windows',
  title: 'Window length over time',
  description: `The longest window has ${formatDuration(max)}.`,
  ...spanOf(points),
  max,
  isDuration: true,
  formatValue: formatDuration,
  draw: (frame) => steps(points, 'windowMs', frame),
  caption: html`The part of the range that one request covers. The longest window had ${formatDuration(max)}. Splits: ${formatExact(byTime)} by time, ${formatExact(byName)} by name.`,
  legend: [],
})}`;
}

function spanOf(points: readonly Point[]): Pick<Chart, 'fromMs' | 'toMs'> {
  return { fromMs: points[0]?.fromMs ?? 0, toMs: points.at(-1)?.toMs ?? 1 };
}

function steps(
  points: readonly Point[],
  field: 'writtenPerSecond' | 'comparedPerSecond' | 'windowMs',
  frame: Frame,
): Html {
  const last = points.at(-1);
  if (last === undefined) return html``;
  const corners = [
    ...points.map((point) => ({ atMs: point.fromMs, value: point[field] })),
    { atMs: last.toMs, value: last[field] },
  ];
  const shape = area<{ atMs: number; value: number }>(
    ({ atMs }) => frame.x(atMs),
    frame.bottom,
    ({ value }) => frame.y(value),
  )
    .curve(curveStepAfter)
    .digits(1);
  return html`${path('area', shape(corners))}${path('stroke', shape.lineY1()(corners))}`;
}

/** A triangle at the top of the chart. */
function retryMark({ fromMs, toMs, retries }: Point, { x, top }: Frame): Html | undefined {
  if (retries === 0) return undefined;
  const at = (x(fromMs) + x(toMs)) / 2;
  return html`<path class="retry" d="M${number(at - 4)},${top - 8}h8l-4,7z"/>`;
}

function numbers(points: readonly Point[]): Html {
  return table(
    'Numbers over time',
    [
      { title: 'From (UTC)' },
      { title: 'Length', isNumber: true },
      { title: 'Written per second', isNumber: true },
      { title: 'Compared per second', isNumber: true },
      { title: 'Longest window', isNumber: true },
      { title: 'Retries', isNumber: true },
    ],
    points.map((point) => [
      html`<span class="time">${(formatTime(point.fromMs) ?? '-').slice(0, 23).replace('T', ' ')}</span>`,
      formatDuration(point.toMs - point.fromMs),
      formatExact(Math.round(point.writtenPerSecond)),
      formatExact(Math.round(point.comparedPerSecond)),
      point.windowMs > 0 ? formatDuration(point.windowMs) : '-',
      formatExact(point.retries),
    ]),
  );
}
