// Runs a migration with spec.preflight Enforce: nothing is written while the look at both sides finds something that blocks.

import type { MigrationPlan } from '../migration/plan/migration-plan.ts';
import { preflightBeforeCopy } from '../migration/preflight-before-copy.ts';
import { findingText, unjudgedText } from '../migration/preflight/preflight-text.ts';
import { MigrationError } from '../migration/report/migration-error.ts';
import {
  initialProgress,
  type MigrationObserver,
  type MigrationProgress,
  type MigrationResult,
  resultError,
} from '../migration/report/observer.ts';
import { backoffMs } from '../telemetry/backoff.ts';
import { type RunContext, runMigration } from './run-migration.ts';

const PAUSE = { firstMs: 1_000, maxMs: 60_000 };

/** Like `runMigration`; never rejects. */
export async function runEnforced(plan: MigrationPlan, context: RunContext): Promise<MigrationResult> {
  const { observer, stop, abort } = context;
  const progress = initialProgress(plan.startMs, plan.endMs ?? plan.startMs);
  const ended = AbortSignal.any([stop, abort]);
  const end = (phase: MigrationProgress['phase']) => {
    progress.phase = phase;
    waitFor('', progress, observer);
    observer.event({ type: 'finished', phase });
  };
  try {
    await untilNothingBlocks(plan, context, progress, ended);
  } catch (caught) {
    if (ended.aborted) {
      end('Interrupted');
      return { progress };
    }
    end('Failed');
    return { progress, error: resultError(caught) };
  }
  return await runMigration(plan, context);
}

/** @throws MigrationError why nothing may be written; the signal's reason */
async function untilNothingBlocks(
  plan: MigrationPlan,
  { clock, random, observer, startupDeadlineMs }: RunContext,
  progress: MigrationProgress,
  signal: AbortSignal,
): Promise<void> {
  const startedMs = clock.monotonicMs();
  for (let attempt = 1; ; attempt++) {
    waitFor('preflight', progress, observer);
    const { findings, unjudged } = await preflightBeforeCopy(plan, { clock, random, signal });
    signal.throwIfAborted();
    const blocking = findings.filter(({ grade }) => grade === 'blocks');
    const [first] = blocking;
    if (first !== undefined) {
      const details = first.side === undefined ? {} : { side: first.side };
      throw new MigrationError('preflight-blocked', blocking.map(findingText).join('; '), details);
    }
    const [unclear] = unjudged;
    if (unclear === undefined) {
      for (const finding of findings) {
        if (finding.grade === 'informs') continue;
        observer.event({ type: 'warning', code: 'preflight-finding', message: findingText(finding) });
      }
      return;
    }
    const message = unjudged.map(unjudgedText).join('; ');
    const pauseMs = backoffMs(PAUSE, attempt);
    if (clock.monotonicMs() + pauseMs - startedMs >= startupDeadlineMs) {
      throw new MigrationError('preflight-not-judged', message, { side: unclear.side });
    }
    observer.event({ type: 'warning', code: 'preflight-retried', message });
    waitFor(`retry of preflight in ${Math.ceil(pauseMs / 1000)} s`, progress, observer);
    await clock.sleep(pauseMs, signal);
  }
}

function waitFor(what: string, progress: MigrationProgress, observer: MigrationObserver): void {
  progress.waitingFor = what;
  observer.progress(progress);
}
