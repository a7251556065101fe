// The condition Degraded: what does not work as it should. Pure.

import { rejectedSamples } from '../../migration/report/counts.ts';
import type { Moment } from '../../telemetry/clock.ts';
import type { DesiredCondition } from './conditions.ts';
import type { Situation } from './situation.ts';
import type { JobReport } from './job-record.ts';
import type { MigrationTrack } from './migration-track.ts';
import { statusText } from './status-text.ts';

export interface DegradedInput {
  readonly situation: Situation;
  readonly track: MigrationTrack;
  readonly job?: JobReport | undefined;
  /** That a Job copies that must not. */
  readonly unstopped?: string | undefined;
  readonly now: Moment;
}

const FAILING_REASONS = {
  source: 'SourceFailing',
  destination: 'DestinationFailing',
  progress: 'ProgressFailing',
} as const;

export function degradedCondition({
  situation,
  track,
  job,
  unstopped,
  now,
}: DegradedInput): DesiredCondition<'Degraded'> {
  if (unstopped !== undefined) {
    return { type: 'Degraded', status: 'True', reason: 'JobNotStopped', message: statusText(unstopped) };
  }
  if (situation.kind === 'pausing') {
    const { reason, message, count } = situation.failures;
    return { type: 'Degraded', status: 'True', reason, message: statusText(`attempt ${count} ended: ${message}`) };
  }
  const failing = situation.kind === 'running' ? track.failing(now.monotonicMs) : undefined;
  if (failing !== undefined) {
    const { side, code, message } = failing;
    return { type: 'Degraded', status: 'True', reason: FAILING_REASONS[side], message: `${code}: ${message}` };
  }
  if (situation.kind === 'running' && job?.failing !== undefined) {
    return { type: 'Degraded', status: 'True', reason: 'StretchesFailing', message: statusText(job.failing) };
  }
  if (situation.kind === 'running' && job?.obstacle !== undefined) {
    return { type: 'Degraded', status: 'True', reason: 'PodsNotRunning', message: statusText(job.obstacle) };
  }
  const rejected = Object.keys(track.samplesRejected);
  if (rejectedSamples(track) > 0) {
    return {
      type: 'Degraded',
      status: 'True',
      reason: 'SamplesSkipped',
      message: `the destination rejected samples: ${rejected.sort().join(', ')}; status.progress.samplesRejected counts them`,
    };
  }
  return { type: 'Degraded', status: 'False', reason: 'AsExpected', message: '' };
}
