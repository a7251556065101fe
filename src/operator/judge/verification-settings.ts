// Whether a verification is wanted, and whether the result of an earlier one is still valid. Pure.

import type { PromMigrationSpec } from '../../api/prom-migration.ts';
import type { PromMigrationStatus, VerificationSettings } from '../../api/prom-migration-status.ts';
import { findCondition } from './conditions.ts';

/**
 * What a verification has to be made with; undefined if none is wanted. A resource from before the field existed, or under a CRD without it, has
 * no settings at all.
 */
export function wantedVerification(spec: Partial<PromMigrationSpec>): VerificationSettings | undefined {
  if (spec.verification?.mode !== 'Full') return undefined;
  const { onDifference, onExtra, settle } = spec.verification;
  return { onDifference, onExtra, settle };
}

/** Whether a finished migration has to be compared: its result is missing, or was made with other settings. */
export function isVerificationDue(spec: PromMigrationSpec, verified: VerificationSettings | undefined): boolean {
  const wanted = wantedVerification(spec);
  return wanted !== undefined && !isSameSettings(wanted, verified);
}

/** The settings of the final result that a status shows; undefined if it shows none. */
export function verifiedIn(status: PromMigrationStatus | undefined): VerificationSettings | undefined {
  const verified = findCondition(status?.conditions, 'Verified')?.status;
  return verified === 'True' || verified === 'False' ? status?.verification?.settings : undefined;
}

export function isSameSettings(
  one: VerificationSettings | undefined,
  other: VerificationSettings | undefined,
): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.onDifference === other.onDifference && one.onExtra === other.onExtra && one.settle === other.settle;
}
