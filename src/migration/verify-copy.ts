// A verification from its beginning to its result: opens both sides, finds out what to compare, compares it.

import type { MigrationContext } from './migration-context.ts';
import type { MigrationPlan } from './plan/migration-plan.ts';
import type { Mark } from './progress/progress-mark.ts';
import { type Counts, rejectedSamples } from './report/counts.ts';
import { MigrationError } from './report/migration-error.ts';
import {
  initialProgress,
  type MigrationEvent,
  type MigrationObserver,
  type MigrationProgress,
  type MigrationResult,
  resultError,
} from './report/observer.ts';
import {
  type DifferenceReceiver,
  isMatching,
  type ResumedVerification,
  type VerificationProgress,
} from './report/verification.ts';
import { openSides } from './open-sides.ts';
import { Findings } from './verify/findings.ts';
import type { Sides } from './verify/sides.ts';
import { addCounts, initialVerification, noCounts } from './verify/verification-counts.ts';
import { VerificationMarks } from './verify/verification-marks.ts';
import { Repair } from './verify/repair.ts';
import { Verifier } from './verify/verifier.ts';

export interface VerifyOptions {
  /** Compare only a part of the migration's range. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** Write what is missing, whatever `spec.verification.onDifference` says. */
  readonly repair?: boolean;
  /** Gets every difference that counts. */
  readonly differences?: DifferenceReceiver;
}

/** Verifies the copy that the plan describes, whoever made it; never rejects. */
export async function verify(
  plan: MigrationPlan,
  context: MigrationContext,
  options: VerifyOptions = {},
): Promise<MigrationResult> {
  const { observer, stop, abort } = context;
  const progress = initialProgress(plan.startMs, plan.endMs ?? plan.startMs, 'Verify');
  try {
    const finished = await verifyCopy({ plan, context, progress, signal: abort, options });
    progress.phase = finished ? 'Succeeded' : 'Interrupted';
    return { progress };
  } catch (caught) {
    if (abort.aborted || (stop.aborted && caught === stop.reason)) {
      progress.phase = 'Interrupted';
      return { progress };
    }
    progress.phase = 'Failed';
    return { progress, error: resultError(caught) };
  } finally {
    progress.waitingFor = '';
    observer.progress(progress);
    observer.event({ type: 'finished', phase: progress.phase });
  }
}

export interface VerifyRun {
  readonly plan: MigrationPlan;
  readonly context: MigrationContext;
  readonly progress: MigrationProgress;
  readonly signal: AbortSignal;
  readonly options: VerifyOptions;
}

/**
 * Compares everything and fills `progress.verification`.
 * @returns false if it was stopped before the end
 * @throws MigrationError `differences-found` if there are differences that the plan does not allow, or when a side can't be read
 */
export async function verifyCopy({ plan, context, progress, signal, options }: VerifyRun): Promise<boolean> {
  const { clock, observer, stop } = context;
  const received = (bytes: number) => {
    if (progress.verification !== undefined) progress.verification.bytesRead += bytes;
  };
  // The engine's reader counts into the progress of a copy. Here its counts are not those of the copy.
  const reading = { ...progress };
  const sides = openSides(plan, context, reading, received);
  try {
    const preparing = AbortSignal.any([signal, stop]);
    const { fromMs, toMs, isFixed, mark } = await rangeOf(plan, sides, clock.now(), options, preparing);
    const verification = initialVerification(fromMs, toMs);
    const marks = new VerificationMarks({ plan, access: (of) => sides.marksOf(of), observer, clock, signal });
    if (isFixed) resume(verification, await marks.find(fromMs, toMs, preparing), context.resumeVerification);
    if (verification.resumedFromMs !== undefined) observer.event(resumed(verification, verification.resumedFromMs));
    progress.startMs = plan.startMs;
    progress.endMs = toMs;
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
    const repairs = options.repair === true || plan.verification.onDifference === 'Repair';
    const findings = new Findings(verification, options.differences);
    const verifier = new Verifier({
      ...shared,
      verification,
      findings,
      repair: repairs ? new Repair(shared) : undefined,
      advanced: () => {
        if (isFixed) marks.advanced(verification);
      },
      stop,
    });
    try {
      await verifier.run(verification.throughMs, toMs);
    } finally {
      await marks.close();
    }
    verification.finished = verification.throughMs >= toMs;
    if (!verification.finished) return false;
    checkNotEmpty(verification, mark, observer);
    const mayLack = isFixed && plan.rejectedSamples === 'Skip';
    if (mayLack && isMissingRejected(verification, mark?.counts)) findings.expectMissing('rejected');
    if (verification.missing > 0) await warnIfRemoved(verification, sides, observer, signal);
    if (plan.verification.onDifference !== 'Report' && !isMatching(verification)) throw differencesFound(verification);
    return true;
  } finally {
    sides.close();
  }
}

/**
 * Samples that the destination rejected are missing there, as the user allowed. The copy has counted them, but does not know which ones they were.
 * So all that is missing counts as rejected, or nothing of it.
 */
function isMissingRejected({ missing }: VerificationProgress, counts: Counts | undefined): boolean {
  if (counts === undefined || missing === 0) return false;
  const { invalid_labels: neverSent = 0 } = counts.samplesRejected;
  return missing <= rejectedSamples(counts) - neverSent;
}

/** A store that removes samples on purpose looks like one that has lost them. */
async function warnIfRemoved(
  { missing }: VerificationProgress,
  { destination }: Sides,
  observer: MigrationObserver,
  signal: AbortSignal,
): Promise<void> {
  const setting = await destination.removingSetting(signal);
  if (setting === undefined) return;
  const message = `the destination runs with ${setting}: of the samples of a series in one interval it keeps the last, so some or all of the ${missing} missing samples may have been removed by it`;
  observer.event({ type: 'warning', code: 'destination-deduplicates', message });
}

/** A comparison of nothing proves nothing: a wrong tenant or selector, or a source that has dropped the data since. */
function checkNotEmpty(
  { samplesCompared, extra }: VerificationProgress,
  mark: Mark | undefined,
  observer: MigrationObserver,
): void {
  if (samplesCompared > 0) return;
  const hint = 'check spec.selectors, the tenant, and whether the source still has data of that age';
  if (extra > 0 || (mark?.samples ?? 0) > 0) {
    const message = 'the source returns no samples now, although samples were copied, so nothing can be compared';
    throw new MigrationError('nothing-compared', message, { side: 'source', hint });
  }
  observer.event({
    type: 'warning',
    code: 'nothing-found',
    message: `the source has no samples, so nothing was compared: ${hint}`,
  });
}

/** Resumes at the place of the verification that got furthest. */
function resume(verification: VerificationProgress, ...places: (ResumedVerification | undefined)[]): void {
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

function resumed({ samplesCompared }: VerificationProgress, fromMs: number): MigrationEvent {
  return { type: 'verification-resumed', fromMs, samplesBefore: samplesCompared };
}

/** The range to compare. The end of a copy with an open end is in its marks. */
async function rangeOf(
  plan: MigrationPlan,
  { view }: Sides,
  nowMs: number,
  options: VerifyOptions,
  signal: AbortSignal,
): Promise<{ fromMs: number; toMs: number; isFixed: boolean; mark: Mark | undefined }> {
  const latestMs = Math.max(plan.startMs, nowMs - plan.lagMs);
  // Shows as well which labels the destination adds.
  const mark = await view.latestMark(plan.startMs, plan.endMs ?? latestMs, signal);
  const endMs = plan.endMs ?? mark?.endMs ?? latestMs;
  const fromMs = Math.max(plan.startMs, options.fromMs ?? plan.startMs);
  const toMs = Math.min(endMs, options.toMs ?? endMs);
  // A part of the range, or an end that moves, has no place to resume.
  const isFixed = (plan.endMs ?? mark?.endMs) !== undefined && fromMs === plan.startMs && toMs === endMs;
  if (fromMs < toMs) return { fromMs, toMs, isFixed, mark };
  throw new MigrationError('empty-range', `there is nothing to compare from ${text(fromMs)} to ${text(toMs)}`, {
    hint: 'choose a part of spec.timeRange with --from and --to, or correct spec.timeRange',
  });
}

function differencesFound({ missing, different, repeated, samplesCompared }: VerificationProgress): MigrationError {
  const parts = Object.entries({ missing, different, repeated }).filter(([, samples]) => samples > 0);
  const counts = parts.map(([kind, samples]) => `${samples} ${kind}`).join(', ');
  return new MigrationError(
    'differences-found',
    `of ${samplesCompared} samples of the source, compared with the destination: ${counts}`,
    {
      side: 'destination',
      hint: 'the result names the first differences; `prom-migrator verify --differences FILE` lists all, `--repair` writes what is missing',
    },
  );
}

function text(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
