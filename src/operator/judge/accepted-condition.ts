// The condition Accepted: whether the migration can be run, and what a look at both sides has found. Pure.

import type { PromMigration } from '../../api/prom-migration.ts';
import { type DesiredCondition, findCondition, type Reason } from './conditions.ts';
import type { Check } from './check-result.ts';
import { isOfLook, type Look, obstacleOf, remarkOf } from './look.ts';
import { preflightOf } from './preflight-record.ts';
import type { Situation } from './situation.ts';
import { statusText } from './status-text.ts';

export interface AcceptedInput {
  readonly resource: PromMigration;
  readonly situation: Situation;
  readonly check: Check | undefined;
  /** The last look at this generation; undefined if this process has made none. */
  readonly look: Look | undefined;
}

export function acceptedCondition({ resource, situation, check, look }: AcceptedInput): DesiredCondition<'Accepted'> {
  const meant = (status: DesiredCondition<'Accepted'>['status'], reason: Reason<'Accepted'>, message: string) =>
    ({ type: 'Accepted', status, reason, message }) as const;
  const before = findCondition(resource.status?.conditions, 'Accepted');
  const earlier = before && meant(before.status, before.reason as Reason<'Accepted'>, before.message);
  if (situation.kind === 'rejected') {
    const { reason, message } = situation;
    // The texts of findings are prepared, and there may be several.
    return meant('False', reason, isOfLook(reason) ? message : statusText(message));
  }
  if (check?.ok !== true) {
    if (earlier?.status === 'True') return earlier;
    return meant('Unknown', 'NotChecked', 'not checked yet');
  }
  if (look === undefined) {
    // An earlier operator has looked, or this one is about to look again.
    const isCurrent = before?.observedGeneration === resource.metadata.generation;
    if (earlier !== undefined && isCurrent && isOfLook(earlier.reason)) return earlier;
    if (situation.kind === 'preflight' && preflightOf(resource.spec) === 'Enforce') {
      return meant('Unknown', 'PreflightRunning', 'spec.preflight is Enforce, and both sides are being looked at');
    }
  } else {
    const obstacle = preflightOf(resource.spec) === 'Enforce' ? obstacleOf(look) : undefined;
    if (obstacle !== undefined) return meant('False', obstacle.reason, obstacle.message);
    const remark = remarkOf(look);
    if (remark !== undefined) return meant('True', remark.reason, remark.message);
  }
  if (!check.noResumePoint) return meant('True', 'Valid', 'the manifest is valid');
  return meant(
    'True',
    'NoResumePoint',
    'the manifest is valid; destination.progress.protocol has the value None, so the resume point is status.progress.through: samples may be written twice after an interruption',
  );
}
