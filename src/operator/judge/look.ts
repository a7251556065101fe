// A look at both sides of a migration before its copy (spec.preflight), and how the condition Accepted shows what it has found. Pure.

import type { PromMigrationStatus } from '../../api/prom-migration-status.ts';
import { FINDING_CODES } from '../../migration/preflight/finding-codes.ts';
import type { Finding } from '../../migration/preflight/preflight-result.ts';
import { findingText } from '../../migration/preflight/preflight-text.ts';
import { findCondition, type Reason } from './conditions.ts';
import { statusText } from './status-text.ts';

/** The result of a look. */
export interface Look {
  readonly generation: number;
  /** On the monotonic clock. */
  readonly atMs: number;
  readonly findings: readonly Finding[];
  /** What could not be looked at, and why. */
  readonly unclear: readonly string[];
  /** How many looks at this generation in a row have ended with something that blocks, or is unclear. */
  readonly obstacles: number;
}

type Found = Pick<Look, 'findings' | 'unclear'>;

/** Why Enforce does not let the copy start. */
export interface Obstacle {
  readonly reason: Extract<Reason<'Accepted'>, 'PreflightBlocked' | 'PreflightNotJudged'>;
  readonly message: string;
}

export function obstacleOf({ findings, unclear }: Found): Obstacle | undefined {
  const blocking = findings.filter(({ grade }) => grade === 'blocks');
  if (blocking.length > 0) {
    const message = `spec.preflight is Enforce, and nothing is written while a finding blocks: ${listed(blocking)}`;
    return { reason: 'PreflightBlocked', message };
  }
  if (unclear.length === 0) return undefined;
  const message = `spec.preflight is Enforce, and nothing is written before both sides could be looked at: ${unclearText(unclear)}`;
  return { reason: 'PreflightNotJudged', message };
}

/** What is reported although the copy starts. */
export function remarkOf({ findings, unclear }: Found):
  | {
      readonly reason: Extract<Reason<'Accepted'>, 'PreflightFindings' | 'PreflightIncomplete'>;
      readonly message: string;
    }
  | undefined {
  const remarks = findings.filter(({ grade }) => grade !== 'informs');
  // It has a reason of its own.
  if (remarks.some(({ code }) => code !== 'no-resume-point')) {
    return { reason: 'PreflightFindings', message: `the manifest is valid, but: ${listed(remarks)}` };
  }
  if (unclear.length === 0) return undefined;
  return { reason: 'PreflightIncomplete', message: `the manifest is valid, but ${unclearText(unclear)}` };
}

/** The worst come first. The codes of all of them precede the texts, which may be cut. */
function listed(findings: readonly Finding[]): string {
  const codes = findings.length === 1 ? '' : `${findings.map(({ code }) => code).join(', ')}. `;
  return codes + findings.map((finding) => statusText(findingText(finding))).join('. ');
}

function unclearText(unclear: readonly string[]): string {
  return unclear.map(statusText).join('; ');
}

/** Whether a condition Accepted is the result of a look, maybe of an earlier operator. */
export function isOfLook(reason: string): boolean {
  return reason.startsWith('Preflight') && reason !== 'PreflightRunning';
}

/** The codes that the condition Accepted has shown for this generation. */
export function shownCodes(status: PromMigrationStatus | undefined, generation: number): ReadonlySet<string> {
  const accepted = findCondition(status?.conditions, 'Accepted');
  if (accepted === undefined || accepted.observedGeneration !== generation || !isOfLook(accepted.reason)) {
    return new Set();
  }
  const words = new Set(accepted.message.match(/[a-z]+(?:-[a-z]+)+/g));
  return new Set(Object.keys(FINDING_CODES).filter((code) => words.has(code)));
}
