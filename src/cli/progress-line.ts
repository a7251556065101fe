// The content of the progress line: what is shown of a running migration in the width of the terminal. Pure.

import stringWidth from 'string-width';
import {
  formatCount,
  formatDuration,
  formatExact,
  formatPercent,
  formatRate,
  formatTimeShort,
} from '../telemetry/format.ts';
import { escapeControl } from '../telemetry/log-text.ts';
import type { ProgressView } from './progress-view.ts';

export interface BarStyle {
  readonly colour: boolean;
  /** Whether the terminal's character set has block characters. */
  readonly unicode: boolean;
}

const BAR_MIN = 10;
const BAR_MAX = 30;
const WAITING_MIN = 12;

/** `12/256 stretches`; empty if the range is not divided. */
function stretchesText(stretches: ProgressView['stretches']): string {
  return stretches === undefined ? '' : `${formatExact(stretches.finished)}/${formatExact(stretches.total)} stretches`;
}

/** What holds the migration back. */
function waitingText({ waitingFor, heldToPerSecond }: ProgressView): string {
  if (heldToPerSecond !== undefined) return `held by the destination's limit, ${formatRate(heldToPerSecond)}`;
  return waitingFor === '' ? '' : `waiting for ${escapeControl(waitingFor)}`;
}

/** At most `columns` wide. */
function cut(text: string, columns: number, ellipsis: string): string {
  if (stringWidth(text) <= columns) return text;
  let result = '';
  let used = stringWidth(ellipsis);
  for (const character of text) {
    used += stringWidth(character);
    if (used > columns) break;
    result += character;
  }
  return result + ellipsis;
}

function bar(ratio: number, width: number, style: BarStyle): string {
  const filled = Math.floor(ratio * width);
  const done = (style.unicode ? '━' : '#').repeat(filled);
  const open = (style.unicode ? '─' : '.').repeat(width - filled);
  return style.colour ? `\u001b[36m${done}\u001b[0m\u001b[2m${open}\u001b[0m` : done + open;
}

/**
 * The progress line, at most `width` columns wide: percent, bar, progress time, finished stretches, samples, rate, window length, ETA and what the migration
 * waits for. On a narrow terminal the least important parts are omitted.
 */
export function renderProgress(view: ProgressView, width: number, style: BarStyle): string {
  const percent = formatPercent(view.ratio).padStart(6);
  // The parts in their order on the line. The part with the highest `leaveOut` is omitted first.
  let parts: { text: string; leaveOut: number }[] = [
    { text: view.throughMs === undefined ? 'starting' : `through ${formatTimeShort(view.throughMs)}`, leaveOut: 2 },
    { text: stretchesText(view.stretches), leaveOut: 5 },
    { text: `${formatCount(view.samples)} samples`, leaveOut: 3 },
    { text: formatRate(view.samplesPerSecond), leaveOut: 4 },
    { text: view.windowMs > 0 ? `window ${formatDuration(view.windowMs)}` : '', leaveOut: 6 },
    { text: view.etaMs === undefined ? '' : `ETA ${formatDuration(Math.ceil(view.etaMs / 1000) * 1000)}`, leaveOut: 1 },
  ].filter(({ text }) => text !== '');
  const used = () => percent.length + parts.reduce((sum, { text }) => sum + 2 + stringWidth(text), 0);
  while (parts.length > 0 && used() > width) {
    const last = Math.max(...parts.map(({ leaveOut }) => leaveOut));
    parts = parts.filter(({ leaveOut }) => leaveOut !== last);
  }
  let waiting = waitingText(view);
  let room = width - used();
  const waitingRoom = room - 2;
  if (waitingRoom < WAITING_MIN) waiting = '';
  else waiting = cut(waiting, waitingRoom, style.unicode ? '…' : '...');
  if (waiting !== '') room -= 2 + stringWidth(waiting);
  const barWidth = Math.min(BAR_MAX, room - 1);
  const shownBar = barWidth >= BAR_MIN ? ` ${bar(view.ratio, barWidth, style)}` : '';
  const texts = parts.map(({ text }) => text);
  if (waiting !== '') texts.push(waiting);
  return [percent + shownBar, ...texts].join('  ').slice(0, style.colour ? undefined : width);
}

const STRETCH_BAR = 10;
const MAX_STRETCH_LINES = 8;

type Running = NonNullable<ProgressView['stretches']>['running'];

/**
 * The lines below the progress line: one for each running stretch, at most `width` columns wide, and how many there are besides. Never more
 * than `height` lines.
 */
export function renderStretches(
  running: Running,
  { width, height }: { readonly width: number; readonly height: number },
  style: BarStyle,
): string[] {
  const fits = running.length <= Math.min(MAX_STRETCH_LINES, height);
  const shown = fits ? running : running.slice(0, Math.min(MAX_STRETCH_LINES, Math.max(0, height - 1)));
  const lines = shown.map((stretch) => stretchLine(stretch, width, style));
  const others = running.length - shown.length;
  // Without a line above it, it would repeat what the progress line says.
  if (others === 0 || lines.length === 0) return lines;
  const ellipsis = style.unicode ? '…' : '...';
  return [...lines, cut(`  ${ellipsis} and ${formatExact(others)} more`, width, '')];
}

function stretchLine({ startMs, endMs, completedRatio }: Running[number], width: number, style: BarStyle): string {
  const percent = `  ${formatPercent(completedRatio).padStart(6)}`;
  const [start, end] = [formatTimeShort(startMs), formatTimeShort(endMs)].map((text) => text.replace(/:00$/, ''));
  const times = `  ${start ?? ''} to ${end ?? ''}`;
  const ratio = Math.min(Math.max(completedRatio, 0), 1);
  const room = width - percent.length;
  if (times.length + 1 + STRETCH_BAR <= room) return `${percent} ${bar(ratio, STRETCH_BAR, style)}${times}`;
  if (times.length <= room) return percent + times;
  return cut(`${percent}  ${start ?? ''}`, width, '');
}
