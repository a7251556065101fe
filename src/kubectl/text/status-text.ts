// The text of `kubectl pmig status NAME`: at most 80 columns, the copy and its verification side by side. Pure.

import { parseDuration } from '../../api/duration.ts';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatExact,
  formatRate,
  formatTimeShort,
} from '../../telemetry/format.ts';
import { ago, bar, cut, row, shown, sideBySide, table, timeText, WIDTH, wrapped } from './lines.ts';
import type { MigrationView } from './migration-view.ts';

const LABEL = 14;
const MAX_FAILED = 5;
const MAX_DIFFERENCES = 5;
const MAX_EVENTS = 8;
const BAR = 20;

export function statusText(view: MigrationView, nowMs: number): string {
  const parts = [
    [...wrapped(headline(view, nowMs), ''), ...overviewLines(view, nowMs)],
    sideBySide(copyLines(view, nowMs), verificationLines(view)),
    stretchLines(view),
    attentionLines(view),
    differenceLines(view),
    conditionLines(view, nowMs),
    errorLines(view, nowMs),
    eventLines(view, nowMs),
  ];
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

/** `team-a/copy: Running, 41.3% done, 1h12m left` */
function headline({ namespace, name, phase, progress, ended }: MigrationView, nowMs: number): string {
  const parts = [`${namespace}/${name}: ${phase}`];
  if (progress.display !== undefined) parts.push(`${progress.display} done`);
  if (progress.rate !== undefined) parts.push(progress.rate);
  const leftMs = ended ? undefined : parseDuration(progress.remaining ?? '');
  if (leftMs !== undefined)
    parts.push(`${progress.remaining} left, until ${formatTimeShort(nowMs + leftMs).slice(0, 16)}`);
  return parts.join(', ');
}

function overviewLines(view: MigrationView, nowMs: number): string[] {
  const { range, startTime, completionTime, createdAt, resumedFrom } = view;
  const startedMs = Date.parse(startTime ?? '');
  const took = formatDuration(Date.parse(completionTime ?? '') - startedMs);
  return [
    '',
    ...row('source', view.source),
    ...row('destination', view.destination),
    ...(range === undefined ? [] : row('range', `${timeText(range.start)} to ${timeText(range.end)}`)),
    ...(startTime === undefined
      ? row('created', `${timeText(createdAt)}, ${ago(createdAt, nowMs)}`)
      : row('started', `${timeText(startTime)}, ${ago(startTime, nowMs)}`)),
    ...(resumedFrom === undefined ? [] : row('resumed at', timeText(resumedFrom))),
    ...(completionTime === undefined ? [] : row('ended', `${timeText(completionTime)}, after ${took}`)),
  ];
}

const field = (label: string, value: string) => `  ${label.padEnd(LABEL)}${value}`;
const counted = (label: string, value: number | undefined, format = formatCount) =>
  value === undefined ? [] : [field(label, format(value))];
/** Left out if it is 0. */
const noted = (label: string, value: number | undefined) => (value ? [field(label, formatCount(value))] : []);
const sum = (counts: Readonly<Record<string, number>> = {}) =>
  Object.values(counts).reduce((total, count) => total + count, 0);

function copyLines({ progress, lastProgressTime, ended }: MigrationView, nowMs: number): string[] {
  const lines = [
    ...(progress.percent === undefined ? [] : [field('done', `${bar(progress.percent / 100, BAR)}`)]),
    ...(progress.through === undefined ? [] : [field('through', timeText(progress.through))]),
    ...(lastProgressTime === undefined || ended ? [] : [field('last window', ago(lastProgressTime, nowMs))]),
    ...(progress.destinationLimit === undefined
      ? []
      : [field('held to', `${formatRate(progress.destinationLimit)} by dest.`)]),
    ...counted('read', progress.samplesRead, (count) => `${formatCount(count)} samples`),
    ...counted('written', progress.samplesWritten, (count) => `${formatCount(count)} samples`),
    ...noted('was there', progress.samplesAlreadyPresent),
    ...noted('filtered', progress.samplesFiltered),
    ...noted('conflicting', progress.samplesConflicting),
    ...noted('rejected', sum(progress.samplesRejected)),
    ...counted('series', progress.series),
    ...counted('windows', progress.windows),
    ...counted('bytes read', progress.bytesRead, formatBytes),
    ...counted('bytes written', progress.bytesWritten, formatBytes),
    ...noted('retries', progress.retries),
  ];
  return ['COPY', ...(lines.length === 0 ? ['  not begun'] : lines)];
}

function verificationLines({ verification: { mode, found }, conditions }: MigrationView): string[] {
  if (mode === 'Off' && found === undefined) return ['VERIFICATION', '  off'];
  const verified = conditions.find(({ type }) => type === 'Verified');
  return [
    'VERIFICATION',
    field('result', verified?.reason ?? '-'),
    ...(found?.through === undefined ? [] : [field('through', timeText(found.through))]),
    ...counted('compared', found?.samplesCompared, (count) => `${formatCount(count)} samples`),
    ...counted('series', found?.seriesCompared),
    ...counted('missing', found?.missing),
    ...counted('different', found?.different),
    ...counted('repeated', found?.repeated),
    ...counted('extra', found?.extra),
    ...noted('repaired', found?.repaired),
    ...noted('expected', sum(found?.expected)),
  ];
}

function stretchLines({ stretches, execution }: MigrationView): string[] {
  if (stretches === undefined) return [];
  const { total = 0, finished = 0, running = 0, job, failed = [] } = stretches;
  const counts = `${formatExact(finished)} of ${formatExact(total)} finished, ${formatExact(running)} of ${execution.parallelism} running`;
  const where = job === undefined ? execution.mode : `Job ${job}`;
  return [
    'STRETCHES',
    ...row(total === 0 ? '' : bar(finished / total, LABEL - 4), `${counts}, ${where}`),
    ...failed
      .slice(0, MAX_FAILED)
      .flatMap(({ stretch, reason, message }) => [
        `  FAILED  ${timeText(stretch)}  ${cut(shown(reason), 40)}`,
        ...wrapped(message, '    '),
      ]),
    ...more(failed.length, MAX_FAILED),
  ];
}

function attentionLines({ attention, ended }: MigrationView): string[] {
  const lines = attention.flatMap(({ type, reason, message, cure }) => [
    `  ${shown(type)}: ${shown(reason)}`,
    ...(message === '' ? [] : wrapped(message, '    ')),
    ...(cure === undefined ? [] : wrapped(`do: ${cure}`, '    ')),
  ]);
  return lines.length === 0 ? [] : [ended ? 'WHAT IS WRONG' : 'WAITS FOR', ...lines];
}

function differenceLines({ verification: { found } }: MigrationView): string[] {
  const first = found?.first ?? [];
  if (first.length === 0) return [];
  return [
    'FIRST DIFFERENCES',
    ...first
      .slice(0, MAX_DIFFERENCES)
      .flatMap(({ time, kind, labels, source, destination }) => [
        `  ${timeText(time)}  ${shown(kind)}  ${cut(`${shown(source ?? '-')} -> ${shown(destination ?? '-')}`, 40)}`,
        ...wrapped(labels, '    '),
      ]),
    ...more(first.length, MAX_DIFFERENCES),
  ];
}

function conditionLines({ conditions }: MigrationView, nowMs: number): string[] {
  if (conditions.length === 0) return [];
  const rows = conditions.map(({ type, status, reason, lastTransitionTime }) => [
    `  ${cut(shown(type), 16)}`,
    status,
    cut(shown(reason), 30),
    ago(lastTransitionTime, nowMs),
  ]);
  return ['CONDITIONS', ...table(rows)];
}

function errorLines({ recentErrors }: MigrationView, nowMs: number): string[] {
  if (recentErrors.length === 0) return [];
  return [
    'RECENT ERRORS',
    ...recentErrors.flatMap(({ time, side, code, message, count, cure }) => [
      `  ${[
        ago(time, nowMs),
        side,
        shown(code),
        count !== undefined && count > 1 ? `(${formatExact(count)} times)` : undefined,
      ]
        .filter((part) => part !== undefined)
        .join('  ')}`,
      ...wrapped(message, '    '),
      ...(cure === undefined ? [] : wrapped(`do: ${cure}`, '    ')),
    ]),
  ];
}

function eventLines({ events, eventsMissing }: MigrationView, nowMs: number): string[] {
  if (eventsMissing !== undefined) return ['EVENTS', ...wrapped(`not read: ${eventsMissing}`, '  ')];
  if (events.length === 0) return [];
  const times = events.slice(0, MAX_EVENTS).map(({ time }) => ago(time, nowMs));
  const width = Math.max(...times.map((text) => text.length));
  return [
    'EVENTS',
    ...events.slice(0, MAX_EVENTS).flatMap(({ type, reason, message, count }, index) => {
      const title = `${type === 'Warning' ? '! ' : ''}${reason}${count > 1 ? ` (${formatExact(count)} times)` : ''}: ${message}`;
      const indent = ' '.repeat(width + 4);
      const [first = '', ...rest] = wrapped(title, indent, WIDTH);
      return [`  ${(times[index] ?? '').padEnd(width)}  ${first.trimStart()}`, ...rest];
    }),
    ...more(events.length, MAX_EVENTS),
  ];
}

function more(count: number, shownCount: number): string[] {
  return count > shownCount ? [`  and ${formatExact(count - shownCount)} more`] : [];
}
