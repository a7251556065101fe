// Verifies in stretches: divides the range like a copy, leaves out what earlier starts of the same verification have compared, keeps as many
// stretches running as spec.execution.parallelism says, and judges the result of all of them.
//
// A mark says that everything before it was compared and is clean. A stretch with differences leaves none at its end, so that a verification
// that is interrupted later finds them again. When all are over, one mark of the whole range ends the run.

import { stretchCount } from '../api/stretch-count.ts';
import { openReadSides } from './compare-part.ts';
import type { MigrationPlan } from './plan/migration-plan.ts';
import { comparedLengthMs, type Division, divide, FIRST_SHARD, type Stretch } from './plan/stretches.ts';
import { initialProgress, type MigrationResult } from './report/observer.ts';
import { outcomeOf } from './report/outcome.ts';
import type { StretchVerification } from './report/verification.ts';
import type { StretchesContext } from './stretches-context.ts';
import { CollectedDifferences } from './stretches/collected-differences.ts';
import { MergedVerification } from './stretches/merged-verification.ts';
import { RunningStretches } from './stretches/running-stretches.ts';
import { withPartOfLimits } from './stretches/stretch-plan.ts';
import { stretchesAtOnce } from './stretches/stretches-at-once.ts';
import type { VerifyOptions, VerifyRun } from './verify-copy.ts';
import { type ComparedRange, comparedRange } from './verify/compared-range.ts';
import type { Sides } from './verify/sides.ts';
import { VerificationMarks } from './verify/verification-marks.ts';
import { judgeWhole } from './verify/verification-result.ts';
import { type ComparedShard, comparedShards, findRun } from './verify/verification-runs.ts';

/** Like `verify`; never rejects. */
export async function verifyDivided(
  plan: MigrationPlan,
  context: StretchesContext,
  options: VerifyOptions = {},
): Promise<MigrationResult> {
  const progress = initialProgress(plan.startMs, plan.endMs ?? plan.startMs, 'Verify');
  const run = { plan, context, progress, signal: context.abort, options };
  return await outcomeOf(progress, context, () => verifyInStretches(run));
}

export interface DividedVerifyRun extends VerifyRun {
  readonly context: StretchesContext;
}

/** Like `verifyCopy`. */
export async function verifyInStretches(run: DividedVerifyRun): Promise<boolean> {
  const { plan, context, progress, signal, options } = run;
  const { clock, observer, stop } = context;
  const beganMs = clock.monotonicMs();
  const copied = progress.stretches;
  // The rates are those of the stretches.
  const { onRatesAvailable: _, ...others } = context;
  const { sides } = openReadSides(plan, others, progress);
  try {
    const preparing = AbortSignal.any([signal, stop]);
    prepare(run);
    const range = await comparedRange(plan, sides.view, clock.now(), options, preparing);
    const found = await find(run, sides, range, preparing);
    const merged = new MergedVerification({ progress, range, division: found, earlier: found.earlier });
    const { verification } = merged;
    const { resumedFromMs, samplesCompared } = verification;
    if (resumedFromMs !== undefined) {
      observer.event({ type: 'verification-resumed', fromMs: resumedFromMs, samplesBefore: samplesCompared });
    }
    observer.progress(progress);
    if (!(await compareAll(run, found, merged, beganMs))) return false;
    if (found.run !== undefined) {
      const part = { run: found.run, shard: FIRST_SHARD, startMs: range.fromMs, ranMs: clock.monotonicMs() - beganMs };
      const access = (of: MigrationPlan) => sides.marksOf(of);
      const marks = new VerificationMarks({ plan, access, observer, clock, signal, part });
      marks.over(verification);
      await marks.close();
    }
    const findings = {
      expectMissing: (reason: 'rejected') => {
        merged.expectMissing(reason);
        options.differences?.expectMissing(reason);
      },
    };
    await judgeWhole({ plan, verification, findings, range, destination: sides.destination, observer, signal });
    return true;
  } finally {
    // The result of a copy counts the stretches of the copy.
    if (copied !== undefined) progress.stretches = copied;
    sides.close();
  }
}

/** The threads start while the marks are read. */
function prepare({ plan, context, options }: DividedVerifyRun): void {
  const { parallelism, stretchMs } = plan.execution;
  const { fromMs = plan.startMs, toMs = plan.endMs ?? context.clock.now() } = options;
  const range = { startMs: fromMs, endMs: toMs };
  const stretches = stretchCount(range, comparedLengthMs(range, stretchMs, parallelism));
  const { count } = stretchesAtOnce(plan, { parallelism, stretches, write: repairs(plan, options) });
  context.prepare?.(withPartOfLimits(plan, Math.max(1, count)), count);
}

function repairs({ verification }: MigrationPlan, { repair }: VerifyOptions): boolean {
  return repair === true || verification.onDifference === 'Repair';
}

interface FoundVerification extends Division {
  /** Undefined: a range that has no marks. */
  readonly run: number | undefined;
  readonly earlier: readonly ComparedShard[];
}

async function find(
  { plan, context }: DividedVerifyRun,
  sides: Sides,
  { fromMs, toMs, isFixed }: ComparedRange,
  signal: AbortSignal,
): Promise<FoundVerification> {
  const range = { startMs: fromMs, endMs: toMs };
  const { stretchMs, parallelism } = plan.execution;
  const lengthMs = comparedLengthMs(range, stretchMs, parallelism);
  const found = isFixed ? await findRun(plan, (of) => sides.marksOf(of), range, signal) : undefined;
  const earlier = isFixed ? comparedShards(found?.marks ?? [], context.resumeVerification, range) : [];
  const division = divide({ range, lengthMs, marks: earlier, uncertainMs: 0, startMayHoldSamples: false });
  return { ...division, run: found?.run, earlier };
}

/** @returns false if it was ended before. @throws MigrationError why a stretch has failed */
async function compareAll(
  { plan, context, options, signal }: DividedVerifyRun,
  { stretches, run, earlier }: FoundVerification,
  merged: MergedVerification,
  beganMs: number,
): Promise<boolean> {
  const { clock, observer } = context;
  const { differences } = options;
  const collected = differences && new CollectedDifferences(differences, signal);
  const jobOf = (stretch: Stretch): StretchVerification => {
    const { shard, startMs, endMs } = stretch;
    const before = earlier.find((one) => one.shard === shard);
    return {
      ...{ shard, startMs, endMs, run },
      resumed: before && { throughMs: before.throughMs + 1, counts: before.counts },
      ranMs: clock.monotonicMs() - beganMs,
      repair: options.repair === true,
      listsDifferences: collected !== undefined,
    };
  };
  const running = new RunningStretches({
    ...{ plan, stretches, merged, observer, clock: context.clock },
    // Where it has found differences it would have to begin again.
    mayYield: false,
    write: repairs(plan, options),
    start: ({ stretch, sharing }, listener) =>
      context.start(
        { plan: withPartOfLimits(plan, sharing), known: undefined, verification: jobOf(stretch) },
        { ...listener, ...(collected !== undefined && { differences: collected.write }) },
      ),
    finished: () => undefined,
  });
  return await running.runAll(context);
}
