// The frame of a chart as inline SVG: axes, grid, ticks, and its text for screen readers. d3 computes scales and ticks; nothing here needs
// a browser. Each chart is drawn twice, for wide and narrow screens, so that its text stays readable. Pure.

import { type ScaleLinear, type ScaleTime, scaleLinear, scaleUtc } from 'd3-scale';
import { formatDuration, formatTime } from '../../../telemetry/format.ts';
import { type Html, html } from './html.ts';

export interface Frame {
  readonly x: ScaleTime<number, number>;
  readonly y: (value: number) => number;
  readonly top: number;
  readonly bottom: number;
  /** Right edge of the drawing area. */
  readonly right: number;
}

export interface Chart {
  /** Unique in the page. */
  readonly id: string;
  readonly title: string;
  /** What a reader who does not see the chart has to know. */
  readonly description: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** The largest value that is drawn. */
  readonly max: number;
  /** Whether values are durations in milliseconds: their ticks are whole minutes and hours. */
  readonly isDuration?: boolean;
  readonly formatValue: (value: number) => string;
  readonly draw: (frame: Frame) => Html;
  readonly caption: Html;
  readonly legend: readonly (readonly [className: string, text: string])[];
}

const SIZES = [
  { className: 'wide', width: 1072, height: 250, xTicks: 9 },
  { className: 'narrow', width: 368, height: 210, xTicks: 4 },
] as const;

const MARGIN = { top: 14, right: 16, bottom: 28, left: 64 } as const;
const Y_TICKS = 4;

export function renderChart(chart: Chart): Html {
  const legend = chart.legend.map(([className, text]) => html`<li class="${className}"><i></i>${text}</li>`);
  return html`<figure>
${SIZES.map((size) => svg(chart, size))}
${legend.length > 0 ? html`<ul class="legend">${legend}</ul>` : undefined}
<figcaption>${chart.caption}</figcaption>
</figure>`;
}

function svg(chart: Chart, { className, width, height, xTicks }: (typeof SIZES)[number]): Html {
  const { top, right: rightMargin, bottom: bottomMargin, left } = MARGIN;
  const [right, bottom] = [width - rightMargin, height - bottomMargin];
  const x = scaleUtc([chart.fromMs, Math.max(chart.toMs, chart.fromMs + 1)], [left, right]);
  const { scale, ticks } = valueScale(chart, bottom, top);
  const frame: Frame = { x, y: scale, top, bottom, right };
  const id = `${chart.id}-${className}`;
  const rows = ticks.map((tick) => {
    const at = number(scale(tick));
    return html`<line class="grid" x1="${left}" x2="${right}" y1="${at}" y2="${at}"/><text x="${left - 8}" y="${number(scale(tick) + 4)}" text-anchor="end">${chart.formatValue(tick)}</text>\n`;
  });
  const columns = timeTicks(x, xTicks).map(({ timeMs, text }) => {
    const at = number(x(timeMs));
    return html`<line class="axis" x1="${at}" x2="${at}" y1="${bottom}" y2="${bottom + 5}"/><text x="${at}" y="${bottom + 19}" text-anchor="middle">${text}</text>\n`;
  });
  return html`<svg class="${className}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-text">
<title id="${id}-title">${chart.title}</title>
<desc id="${id}-text">${chart.description}</desc>
${rows}${chart.draw(frame)}
<line class="axis" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>
${columns}</svg>
`;
}

function valueScale({ max, isDuration }: Chart, bottom: number, top: number) {
  const largest = max > 0 ? max : 1;
  if (isDuration === true) {
    // The ticks of a time scale are 1, 5, 15, 30 seconds, minutes, 1, 3, 6, 12 hours: right for durations too.
    const scale = scaleUtc([0, largest], [bottom, top]);
    return { scale: (value: number) => scale(value), ticks: scale.ticks(Y_TICKS).map(Number) };
  }
  const scale: ScaleLinear<number, number> = scaleLinear([0, largest], [bottom, top]).nice(Y_TICKS);
  return { scale: (value: number) => scale(value), ticks: scale.ticks(Y_TICKS) };
}

/** Ticks with the shortest text that is unambiguous: a tick at midnight shows its date, any other its time. In UTC. */
function timeTicks(x: ScaleTime<number, number>, count: number): { timeMs: number; text: string }[] {
  const ticks = x.ticks(count).map(Number);
  const [first = 0, second = first + 1] = ticks;
  const stepMs = second - first;
  // The text of a tick at the edge would be cut off.
  const [left = 0, right = 0] = x.range();
  return ticks
    .filter((timeMs) => x(timeMs) >= left + 12 && x(timeMs) <= right - 12)
    .map((timeMs) => ({ timeMs, text: tickText(timeMs, stepMs) }));
}

const [SECOND_MS, MINUTE_MS, DAY_MS] = [1_000, 60_000, 86_400_000];

function tickText(timeMs: number, stepMs: number): string {
  const text = formatTime(timeMs) ?? '';
  if (stepMs >= 364 * DAY_MS) return text.slice(0, 4);
  if (stepMs >= 27 * DAY_MS) return text.slice(0, 7);
  if (timeMs % DAY_MS === 0) return text.slice(5, 10);
  if (stepMs >= MINUTE_MS) return text.slice(11, 16);
  if (stepMs >= SECOND_MS) return text.slice(11, 19);
  return text.slice(14, 21);
}

/** A coordinate with one decimal. */
export function number(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** The path of a line or an area, as d3 makes it: digits, letters and commas. */
export function path(className: string, data: string | null): Html {
  return html`<path class="${className}" d="${data ?? ''}"/>`;
}

export function rect(className: string, x: number, width: number, { top, bottom }: Frame): Html {
  return html`<rect class="${className}" x="${number(x)}" y="${top}" width="${number(width)}" height="${bottom - top}"/>`;
}

/** `2h, from 2026-01-02T00:00:00.000Z to 2026-01-02T02:00:00.000Z` */
export function rangeText(fromMs: number, toMs: number): string {
  return `${formatDuration(toMs - fromMs)}, from ${formatTime(fromMs) ?? '-'} to ${formatTime(toMs) ?? '-'}`;
}
