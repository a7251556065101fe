// The conditions Ready, Reconciling and Stalled, with which kstatus (Helm, Flux, kpt) and `kubectl wait` judge a migration. They follow from the
// condition Succeeded alone. Pure.

import type { Condition } from '../../api/prom-migration-status.ts';
import type { DesiredCondition } from './conditions.ts';

/** What they need of the condition Succeeded. */
type End = Pick<Condition, 'status' | 'reason' | 'message'>;

export type ReadyConditions = readonly [
  DesiredCondition<'Ready'>,
  DesiredCondition<'Reconciling'>,
  DesiredCondition<'Stalled'>,
];

export const READY_TYPES = ['Ready', 'Reconciling', 'Stalled'] as const;

/**
 * kstatus reports InProgress as long as Reconciling is True, and Failed as soon as Stalled is True, so a migration that is suspended, waits or
 * retries is Reconciling, and only an end without success is Stalled.
 */
export function readyConditions({ status, reason, message }: End): ReadyConditions {
  const why = message === '' ? reason : `${reason}: ${message}`;
  const notFailed: DesiredCondition<'Stalled'> = {
    type: 'Stalled',
    status: 'False',
    reason: 'NotFailed',
    message: 'the migration has not failed',
  };
  if (status === 'Unknown') {
    return [
      { type: 'Ready', status, reason: 'InProgress', message: why },
      { type: 'Reconciling', status: 'True', reason: 'InProgress', message: why },
      notFailed,
    ];
  }
  const finished: DesiredCondition<'Reconciling'> = {
    type: 'Reconciling',
    status: 'False',
    reason: 'Finished',
    message: 'see the condition Succeeded',
  };
  if (status === 'True') return [{ type: 'Ready', status, reason: 'Succeeded', message: why }, finished, notFailed];
  return [
    { type: 'Ready', status, reason: 'Failed', message: why },
    finished,
    { type: 'Stalled', status: 'True', reason: 'Failed', message: why },
  ];
}
