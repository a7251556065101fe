// What did not go smoothly: the error, retries, splits, warnings, rejections; and the requests of the run. Pure.

import { formatBytes, formatDuration, formatExact, formatTimeShort } from '../../../telemetry/format.ts';
import { presentableText } from '../../../telemetry/log-text.ts';
import { code, facts, type Html, html, outside, table } from './html.ts';
import type { ReportModel } from './model.ts';

export function eventsSection({ record, error }: ReportModel): Html {
  const parts = [
    errorPart(error),
    warnings(record),
    rejections(record),
    retries(record),
    splits(record),
    requests(record),
  ];
  return html`${parts}`;
}

function errorPart(error: ReportModel['error']): Html | undefined {
  if (error === undefined) return undefined;
  return html`<h3>Error</h3>
${facts([
  ['Code', code(error.code)],
  ['Side', error.side],
  ['Message', outside(presentableText(error.message))],
  ['What to do', error.hint === undefined ? undefined : outside(presentableText(error.hint))],
])}`;
}

const time = (timeMs: number) => html`<span class="time">${formatTimeShort(timeMs)}</span>`;
const message = (text: string) => html`<div class="wide-text">${outside(text)}</div>`;

function warnings({ warnings: all }: ReportModel['record']): Html {
  if (all.length === 0) return html`<h3>Warnings</h3><p>None.</p>`;
  return html`<h3>Warnings</h3>
${table(
  'Warnings',
  [{ title: 'Code' }, { title: 'Times', isNumber: true }, { title: 'First message' }],
  all.map((warning) => [code(warning.code), formatExact(warning.count), message(warning.message)]),
)}`;
}

function rejections({ rejections: all }: ReportModel['record']): Html | undefined {
  if (all.length === 0) return undefined;
  return html`<h3>First rejected samples</h3>
${table(
  'First rejected samples',
  [{ title: 'Reason' }, { title: 'Samples', isNumber: true }, { title: 'Example' }, { title: 'Response' }],
  all.map(({ reason, samples, isBound, example, response }) => [
    code(reason),
    `${isBound ? 'at most ' : ''}${formatExact(samples)}`,
    example === undefined ? '-' : html`<div class="wide-text">${code(example.labels)} at ${time(example.timeMs)}</div>`,
    message(response),
  ]),
)}`;
}

function retries({ retries: all }: ReportModel['record']): Html {
  if (all.length === 0) return html`<h3>Retries</h3><p>None.</p>`;
  return html`<h3>Retries</h3>
${table(
  'Retries by side and code',
  [
    { title: 'Side' },
    { title: 'Code' },
    { title: 'Retries', isNumber: true },
    { title: 'Waited', isNumber: true },
    { title: 'First (UTC)' },
    { title: 'Last (UTC)' },
    { title: 'First message' },
  ],
  all.map((retry) => [
    retry.side,
    code(retry.code),
    formatExact(retry.retries),
    formatDuration(retry.delayMs),
    time(retry.firstMs),
    time(retry.lastMs),
    message(retry.firstMessage),
  ]),
)}`;
}

function splits({ splits: { byTime, byName, first } }: ReportModel['record']): Html {
  if (byTime + byName === 0) return html`<h3>Window splits</h3><p>None.</p>`;
  const which = byTime + byName > first.length ? `The first ${formatExact(first.length)} splits` : 'Splits';
  return html`<h3>Window splits</h3>
<p>${formatExact(byTime)} by time, ${formatExact(byName)} by metric name. A window is split when a side or the memory limit cannot take all of it. Nothing is lost by it.</p>
${table(
  which,
  [{ title: 'By' }, { title: 'From (UTC)' }, { title: 'To (UTC)' }, { title: 'Reason' }],
  first.map(({ by, fromMs, toMs, reason }) => [by, time(fromMs), time(toMs), message(reason)]),
)}`;
}

function requests({ requests: all }: ReportModel['record']): Html | undefined {
  if (all.length === 0) return undefined;
  return html`<h3>Requests</h3>
${table(
  'Requests by side and status',
  [
    { title: 'Side' },
    { title: 'Status' },
    { title: 'Requests', isNumber: true },
    { title: 'Average time', isNumber: true },
    { title: 'Sent', isNumber: true },
    { title: 'Received', isNumber: true },
  ],
  all.map((count) => [
    count.side,
    code(count.status),
    formatExact(count.requests),
    formatDuration((count.seconds * 1000) / Math.max(count.requests, 1)),
    formatBytes(count.sentBytes),
    formatBytes(count.receivedBytes),
  ]),
)}`;
}
