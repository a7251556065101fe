// What follows from the counts of a whole verification, when all of the range has been compared.

import type { MigrationPlan } from '../plan/migration-plan.ts';
import { type Counts, rejectedSamples } from '../report/counts.ts';
import { MigrationError } from '../report/migration-error.ts';
import type { MigrationObserver } from '../report/observer.ts';
import { isMatching, type VerificationProgress } from '../report/verification.ts';
import type { ComparedRange } from './compared-range.ts';
import type { Findings } from './findings.ts';
import type { Sides } from './sides.ts';

export interface WholeVerification {
  readonly plan: MigrationPlan;
  readonly verification: VerificationProgress;
  readonly findings: Pick<Findings, 'expectMissing'>;
  readonly range: ComparedRange;
  readonly destination: Pick<Sides['destination'], 'removingSetting'>;
  readonly observer: MigrationObserver;
  readonly signal: AbortSignal;
}

/** @throws MigrationError `nothing-compared`, or `differences-found` if there are differences that the plan does not allow */
export async function judgeWhole(whole: WholeVerification): Promise<void> {
  const { plan, verification, findings, range, destination, observer, signal } = whole;
  checkNotEmpty(verification, range, observer);
  const mayLack = range.isFixed && plan.rejectedSamples === 'Skip';
  if (mayLack && isMissingRejected(verification, range.copy?.counts)) findings.expectMissing('rejected');
  if (verification.missing > 0) await warnIfRemoved(verification, destination, observer, signal);
  if (plan.verification.onDifference !== 'Report' && !isMatching(verification)) throw differencesFound(verification);
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
  destination: WholeVerification['destination'],
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
  { copy }: ComparedRange,
  observer: MigrationObserver,
): void {
  if (samplesCompared > 0) return;
  const hint = 'check spec.selectors, the tenant, and whether the source still has data of that age';
  if (extra > 0 || (copy?.samples ?? 0) > 0) {
    const message = 'the source returns no samples now, although samples were copied, so nothing can be compared';
    throw new MigrationError('nothing-compared', message, { side: 'source', hint });
  }
  observer.event({
    type: 'warning',
    code: 'nothing-found',
    message: `the source has no samples, so nothing was compared: ${hint}`,
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
