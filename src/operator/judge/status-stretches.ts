// The stretches of a migration in its status. Pure.

import type { StatusStretches } from '../../api/prom-migration-status.ts';
import { parseTime } from '../../api/time.ts';
import type { MigrationProgress } from '../../migration/report/observer.ts';
import type { JobReport } from './job-record.ts';
import { exactTime } from './status-counts.ts';
import { statusText } from './status-text.ts';

type StretchesProgress = NonNullable<MigrationProgress['stretches']>;

const MAX_FAILED = 10;

/**
 * @param moving whether anything runs at all
 * @param job the Job that copies them
 */
export function stretchFields(
  { total, finished, running, failed }: StretchesProgress,
  moving: boolean,
  job: JobReport | undefined,
): StatusStretches {
  const shown = (job?.failed ?? failed).slice(0, MAX_FAILED);
  return {
    total,
    finished,
    running: moving ? (job?.active ?? running.length) : 0,
    ...(shown.length > 0 && {
      failed: shown.map(({ startMs, code, message }) => ({
        stretch: exactTime(startMs),
        reason: code,
        message: statusText(message),
      })),
    }),
  };
}

/** What an earlier operator has left, until an attempt reports something newer. */
export function stretchesIn(stretches: StatusStretches | undefined): StretchesProgress | undefined {
  if (stretches === undefined) return undefined;
  const { total = 0, finished = 0, failed = [] } = stretches;
  return {
    total,
    finished,
    running: [],
    failed: failed.map(({ stretch, reason, message }) => ({ startMs: parseTime(stretch) ?? 0, code: reason, message })),
  };
}
