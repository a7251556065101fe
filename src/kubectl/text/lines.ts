// Lines of at most 80 columns, from texts of servers and of other people: printable, and without the secrets of URLs. Pure.

import { formatDuration } from '../../telemetry/format.ts';
import { escapeControl, presentableText } from '../../telemetry/log-text.ts';

export const WIDTH = 80;
const INDENT = '  ';
const LABEL_WIDTH = 14;

export function shown(text: string): string {
  return escapeControl(presentableText(text));
}

/** The text in lines. A word that is longer than a line, such as a URL, gets a line of its own. */
export function wrapped(text: string, indent: string, width = WIDTH): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of shown(text).split(/\s+/)) {
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, indent + line];
}

/** `  label         text`, the text in as many lines as it needs. */
export function row(label: string, text: string): string[] {
  const [first = '', ...rest] = wrapped(text, ' '.repeat(INDENT.length + LABEL_WIDTH));
  return [`${INDENT}${label.padEnd(LABEL_WIDTH)}${first.trimStart()}`, ...rest];
}

/** Two blocks of lines next to each other. */
export function sideBySide(left: readonly string[], right: readonly string[]): string[] {
  const half = WIDTH / 2;
  return Array.from({ length: Math.max(left.length, right.length) }, (_, index) => {
    const [one = '', other = ''] = [left[index], right[index]];
    return `${cut(one, half - 1).padEnd(half)}${cut(other, half)}`.trimEnd();
  });
}

/** At most `length` characters. */
export function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, Math.max(0, length - 1))}…`;
}

/** Columns as wide as their longest value, two spaces between them. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** `[######..............]`, as kubectl's own output is: plain ASCII. */
export function bar(ratio: number, width: number): string {
  const filled = Math.floor(Math.min(1, Math.max(0, ratio)) * width);
  return `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}]`;
}

/** `3m20s ago`; empty if the time cannot be read. */
export function ago(time: string | undefined, nowMs: number): string {
  const sinceMs = nowMs - Date.parse(time ?? '');
  if (Number.isNaN(sinceMs)) return '';
  return sinceMs < 1_000 ? 'now' : `${formatDuration(Math.floor(sinceMs / 1_000) * 1_000)} ago`;
}

/** `2026-01-02 03:04:05`, in UTC. */
export function timeText(time: string | undefined): string {
  const timeMs = Date.parse(time ?? '');
  return Number.isNaN(timeMs) ? '-' : new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ');
}
