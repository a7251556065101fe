// Compares the range of a verification, or one stretch of it: what is common to both, between open sides and a result.

import type { MigrationContext } from './migration-context.ts';
import { openSides } from './open-sides.ts';
import type { MigrationPlan } from './plan/migration-plan.ts';
import type { MigrationEvent, MigrationProgress } from './report/observer.ts';
import type { DifferenceReceiver, ResumedVerification, VerificationProgress } from './report/verification.ts';
import { Findings } from './verify/findings.ts';
import { Repair } from './verify/repair.ts';
import type { Sides } from './verify/sides.ts';
import { addCounts, noCounts } from './verify/verification-counts.ts';
import type { VerificationMarks } from './verify/verification-marks.ts';
import { Verifier } from './verify/verifier.ts';

export interface ReadSides {
  readonly sides: Sides;
  /** The engine's reader counts into the progress of a copy. In a verification its counts are not those of the copy. */
  readonly reading: MigrationProgress;
}

/** @throws MigrationError when the destination can't be read */
export function openReadSides(plan: MigrationPlan, context: MigrationContext, progress: MigrationProgress): ReadSides {
  const received = (bytes: number) => {
    if (progress.verification !== undefined) progress.verification.bytesRead += bytes;
  };
  const reading = { ...progress };
  return { sides: openSides(plan, context, reading, received), reading };
}

export interface ComparedPart extends ReadSides {
  readonly plan: MigrationPlan;
  readonly context: MigrationContext;
  readonly progress: MigrationProgress;
  /** With its range, and what was compared before. */
  readonly verification: VerificationProgress;
  /** Undefined: none are written. */
  readonly marks: VerificationMarks | undefined;
  readonly repair: boolean;
  readonly differences: DifferenceReceiver | undefined;
  readonly signal: AbortSignal;
}

/**
 * Compares what remains of the range, and fills `verification`.
 * @returns undefined if it was stopped before the end
 * @throws MigrationError when a side can't be read; the signal's reason
 */
export async function comparePart(part: ComparedPart): Promise<Findings | undefined> {
  const { plan, context, progress, reading, sides, verification, marks, signal } = part;
  const { clock, observer, stop } = context;
  progress.verification = verification;
  progress.phase = 'Verifying';
  const shared = {
    plan,
    sides,
    clock,
    observer: {
      progress: () => {
        const { waitingFor, windowMs, inFlightBytes, retries } = reading;
        Object.assign(progress, { waitingFor, windowMs, inFlightBytes, retries });
        observer.progress(progress);
      },
      event: (event: MigrationEvent) => observer.event(event),
    },
    progress: reading,
    signal,
  };
  const repairs = part.repair || plan.verification.onDifference === 'Repair';
  const findings = new Findings(verification, part.differences);
  const verifier = new Verifier({
    ...shared,
    verification,
    findings,
    repair: repairs ? new Repair(shared) : undefined,
    advanced: () => marks?.advanced(verification),
    stop,
  });
  try {
    await verifier.run(verification.throughMs, verification.endMs);
  } finally {
    await marks?.close();
  }
  verification.finished = verification.throughMs >= verification.endMs;
  return verification.finished ? findings : undefined;
}

/** Resumes at the place of the start that got furthest. */
export function resumeAt(verification: VerificationProgress, ...places: (ResumedVerification | undefined)[]): void {
  for (const place of places) {
    if (place === undefined || place.throughMs <= verification.throughMs || place.throughMs > verification.endMs)
      continue;
    Object.assign(verification, noCounts());
    addCounts(verification, place.counts);
    verification.throughMs = place.throughMs;
    verification.reachedMs = place.throughMs;
    verification.resumedFromMs = place.throughMs;
  }
}
