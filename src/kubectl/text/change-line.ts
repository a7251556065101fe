// What `kubectl pmig watch` prints where there is no terminal: a line whenever something has changed. Pure.

import { shown, timeText } from './lines.ts';
import type { MigrationView } from './migration-view.ts';

/** `2026-01-02 03:04:05  Running  41.3%  through 2025-03-02 10:00:00  1.2M/s  1h12m left` */
function progressLine({ phase, progress, stretches }: MigrationView): string {
  return [
    phase,
    progress.display,
    progress.through === undefined ? undefined : `through ${timeText(progress.through)}`,
    stretches?.total === undefined ? undefined : `${stretches.finished ?? 0}/${stretches.total} stretches`,
    progress.rate,
    progress.remaining === undefined ? undefined : `${progress.remaining} left`,
  ]
    .filter((part) => part !== undefined)
    .join('  ');
}

/** The lines for a change, without their time: the progress if it is another one, and news that was not there before. */
export function changeLines(before: MigrationView | undefined, now: MigrationView): string[] {
  const lines: string[] = [];
  const progress = progressLine(now);
  if (before === undefined || progressLine(before) !== progress) lines.push(progress);
  const known = new Set(before?.attention.map(newsText));
  for (const news of now.attention) {
    // Over in a moment, after each change of the spec.
    if (news.reason === 'Behind') continue;
    const text = newsText(news);
    if (known.has(text)) continue;
    lines.push(text);
    if (news.cure !== undefined) lines.push(`  do: ${shown(news.cure)}`);
  }
  return lines;
}

function newsText({ type, reason, message }: MigrationView['attention'][number]): string {
  return shown(`${type}: ${reason}${message === '' ? '' : `: ${message}`}`);
}
