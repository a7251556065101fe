// The condition Progressing: whether anything is done, and if not, why. Pure.

import { formatDuration } from '../../telemetry/format.ts';
import type { DesiredCondition, Reason } from './conditions.ts';
import type { JobReport } from './job-record.ts';
import type { MigrationTrack } from './migration-track.ts';
import type { Situation } from './situation.ts';

export interface ProgressingInput {
  readonly situation: Situation;
  readonly track: MigrationTrack;
  readonly job?: JobReport | undefined;
}

export function progressingCondition(
  { situation, track, job }: ProgressingInput,
  degraded: DesiredCondition<'Degraded'>,
): DesiredCondition<'Progressing'> {
  const not = (reason: Reason<'Progressing'>, message: string): DesiredCondition<'Progressing'> => ({
    type: 'Progressing',
    status: 'False',
    reason,
    message,
  });
  const yes = (reason: Reason<'Progressing'>, message: string): DesiredCondition<'Progressing'> => ({
    ...not(reason, message),
    status: 'True',
  });
  switch (situation.kind) {
    case 'rejected':
      return not('NotAccepted', 'see the condition Accepted');
    case 'preflight':
      return yes('Preflight', 'both sides are looked at before the copy begins');
    case 'waiting':
      return not('WaitingForWorker', 'as many migrations as --max-migrations allows are running');
    case 'waitingForPods':
      return not('WaitingForPods', 'the pods of an earlier Job are ending');
    case 'suspended':
      return not('Suspended', 'spec.suspend is true');
    case 'interrupted':
      return not(
        'OperatorStopped',
        job === undefined
          ? 'the operator was stopped; the migration resumes when it runs again'
          : 'the operator was stopped; the pods of the Job continue, and are followed when it runs again',
      );
    case 'deleting':
      return not(
        'Deleting',
        'the resource is being deleted, and its worker has stopped; metadata.finalizers names the controllers that keep it',
      );
    case 'ended':
      return not('Finished', 'see the condition Succeeded');
    case 'unchanged':
    case 'running':
    case 'pausing': {
      const stalledMs = situation.kind === 'unchanged' ? undefined : situation.stalledMs;
      // Rounded down to a minute: a text that changes with every check would be written with every check.
      if (stalledMs !== undefined) {
        const minutes = formatDuration(Math.floor(stalledMs / 60_000) * 60_000);
        const why = degraded.status === 'True' ? `: ${degraded.message}` : '';
        return not(
          'NoProgress',
          `no window was finished, and no sample written or compared, for ${minutes === '0s' ? 'less than a minute' : minutes}${why}`,
        );
      }
      if (situation.kind === 'pausing') return yes('Retrying', 'the next attempt follows after a pause');
      if (degraded.status === 'True' && degraded.reason !== 'SamplesSkipped') {
        const what = job === undefined ? 'requests are retried until they succeed' : 'see the condition Degraded';
        return yes('Retrying', what);
      }
      const limited = track.stretches?.limited === undefined ? '' : `; ${track.stretches.limited}`;
      if (track.verifying) return yes('Verifying', `source and destination are compared${limited}`);
      return track.copying
        ? yes('Copying', `windows are being copied${limited}`)
        : yes('Starting', 'the worker has started and looks for the resume point');
    }
  }
}
