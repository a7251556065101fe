// The exit codes and the decision between them. A test keeps them equal to the table in docs/exit-codes.md.

import type { MigrationResult } from '../migration/report/observer.ts';
import { anotherAttemptMaySucceed } from '../migration/report/another-attempt.ts';
import { isMatching } from '../migration/report/verification.ts';
import { countsOfAllRuns, rejectedSamples } from '../migration/report/counts.ts';

export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  skipped: 3,
  /** Of `pmig`. */
  migrationFailed: 3,
  differences: 4,
  temporary: 5,
  /** Of `plan`, and of `run` with spec.preflight Enforce. */
  blocked: 5,
  sigint: 130,
  sigterm: 143,
} as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

export type InterruptSignal = 'SIGINT' | 'SIGTERM';

export interface ExitCode {
  readonly code: ExitStatus;
  readonly meaning: string;
}

/** The exit codes of `run`. */
export const EXIT_CODES: readonly ExitCode[] = [
  { code: EXIT.done, meaning: 'everything is in the destination (also if an earlier run finished the migration)' },
  {
    code: EXIT.failed,
    meaning: 'failed; the error names the side and what to change; a later run resumes at the mark',
  },
  { code: EXIT.usage, meaning: 'bad usage or a bad manifest; nothing was read or written' },
  {
    code: EXIT.skipped,
    meaning:
      'finished, but the destination rejected samples and rejectedSamples is Skip: these samples are missing there',
  },
  {
    code: EXIT.differences,
    meaning:
      'spec.verification.mode is Full, and the verification found samples that are missing, different or repeated',
  },
  {
    code: EXIT.temporary,
    meaning:
      'spec.preflight is Enforce, and something blocks the migration: nothing was written. With --stretches: failed, and another attempt may succeed without a change of the manifest; a later run resumes at the mark',
  },
  { code: EXIT.sigint, meaning: 'interrupted by SIGINT (Ctrl-C); a later run resumes at the mark' },
  { code: EXIT.sigterm, meaning: 'interrupted by SIGTERM; a later run resumes at the mark' },
];

/** The exit codes of `run --stretches`, and what the Job does with the stretch. */
export const STRETCH_EXIT_CODES: readonly (ExitCode & { readonly consequence: string })[] = [
  {
    code: EXIT.done,
    meaning: 'is complete, also if the destination rejected samples and rejectedSamples is Skip',
    consequence: 'nothing more',
  },
  {
    code: EXIT.failed,
    meaning: 'has failed for a reason that has to be removed first: a refusal, rejected samples, a limit',
    consequence: 'gives the stretch up at once',
  },
  {
    code: EXIT.usage,
    meaning: 'was not started: bad usage, a bad manifest, a bad file of stretches',
    consequence: 'gives the stretch up at once',
  },
  {
    code: EXIT.temporary,
    meaning:
      'has failed for a reason that may pass: credentials that may be rotated, a side that did not respond before --startup-deadline, a defect of prom-migrator',
    consequence: 'starts it again, up to backoffLimitPerIndex times',
  },
  {
    code: EXIT.sigint,
    meaning: 'was interrupted by SIGINT before it was complete',
    consequence: 'starts it again; the failure counts',
  },
  {
    code: EXIT.sigterm,
    meaning: 'was interrupted by SIGTERM before it was complete',
    consequence:
      'starts it again; the failure does not count if the pod was evicted, preempted, or deleted with its node',
  },
];

/** The exit codes of `verify`. */
export const VERIFY_EXIT_CODES: readonly ExitCode[] = [
  {
    code: EXIT.done,
    meaning: 'compared completely; both sides are equal, except for extra samples in the destination',
  },
  { code: EXIT.failed, meaning: 'could not be compared; the error names the side and what to change' },
  { code: EXIT.usage, meaning: 'bad usage or a bad manifest; nothing was read' },
  {
    code: EXIT.differences,
    meaning:
      'samples are missing, different or repeated in the destination; with --repair: after what could be repaired',
  },
  { code: EXIT.sigint, meaning: 'interrupted by SIGINT (Ctrl-C)' },
  { code: EXIT.sigterm, meaning: 'interrupted by SIGTERM' },
];

/** The exit codes of the commands that only print something. */
export const PRINT_EXIT_CODES: readonly ExitCode[] = [
  { code: EXIT.done, meaning: 'printed' },
  { code: EXIT.failed, meaning: 'stdout could not be written' },
  { code: EXIT.usage, meaning: 'bad usage' },
];

/** The exit codes of `plan`. */
export const PLAN_EXIT_CODES: readonly ExitCode[] = [
  { code: EXIT.done, meaning: 'nothing that was looked at blocks the migration; there may be warnings' },
  { code: EXIT.failed, meaning: 'could not be judged: a side did not respond, or not in a usable way' },
  { code: EXIT.usage, meaning: 'bad usage or a bad manifest; nothing was read' },
  { code: EXIT.blocked, meaning: 'something blocks the migration; the findings name what to change' },
  { code: EXIT.sigint, meaning: 'interrupted by SIGINT (Ctrl-C)' },
  { code: EXIT.sigterm, meaning: 'interrupted by SIGTERM' },
];

/** The exit codes of `operator`, which runs until it receives a signal. */
export const OPERATOR_EXIT_CODES: readonly ExitCode[] = [
  {
    code: EXIT.done,
    meaning: 'stopped by SIGTERM or SIGINT; every migration resumes at its mark when an operator runs again',
  },
  {
    code: EXIT.failed,
    meaning: 'failed: the metrics address is in use, the kubeconfig cannot be used, or a bug in prom-migrator',
  },
  { code: EXIT.usage, meaning: 'bad usage' },
];

export function interruptExitCode(signal: InterruptSignal): ExitStatus {
  return signal === 'SIGINT' ? EXIT.sigint : EXIT.sigterm;
}

/**
 * The exit code of a migration that has ended. Samples that an earlier run skipped are as absent as those of this run. Conflicting samples
 * do not count as skipped: the source has two values for one timestamp, one of them is in the destination, and no destination can store
 * both.
 */
export function exitCodeOf(result: MigrationResult, interruptedBy: InterruptSignal | undefined): ExitStatus {
  const { progress } = result;
  const { phase } = progress;
  if (result.error?.code === 'differences-found') return EXIT.differences;
  if (result.error?.code === 'preflight-blocked') return EXIT.blocked;
  if (phase === 'Succeeded') {
    return rejectedSamples(countsOfAllRuns(progress) ?? progress) > 0 ? EXIT.skipped : EXIT.done;
  }
  if (phase === 'Interrupted' && interruptedBy !== undefined) return interruptExitCode(interruptedBy);
  return EXIT.failed;
}

/**
 * The exit code of one stretch, for the podFailurePolicy of a Job. Skipped samples are no reason to repeat it: the counts beside its marks
 * have them.
 */
export function stretchExitCodeOf(result: MigrationResult, interruptedBy: InterruptSignal | undefined): ExitStatus {
  const { progress, error } = result;
  if (progress.phase === 'Succeeded') return EXIT.done;
  if (progress.phase === 'Interrupted' && interruptedBy !== undefined) return interruptExitCode(interruptedBy);
  return error === undefined || anotherAttemptMaySucceed(error.code) ? EXIT.temporary : EXIT.failed;
}

/** The exit code of a process that a defect of the program has ended. */
export function crashExitCode(argv: readonly string[]): ExitStatus {
  const isStretch = argv[0] === 'run' && argv.some((argument) => /^--stretches(=|$)/.test(argument));
  return isStretch ? EXIT.temporary : EXIT.failed;
}

/** The exit code of a verification. */
export function verifyExitCodeOf(
  { progress, error }: MigrationResult,
  interruptedBy: InterruptSignal | undefined,
): ExitStatus {
  if (error?.code === 'differences-found') return EXIT.differences;
  if (progress.phase === 'Interrupted' && interruptedBy !== undefined) return interruptExitCode(interruptedBy);
  const { verification } = progress;
  if (progress.phase !== 'Succeeded' || verification === undefined) return EXIT.failed;
  return isMatching(verification) ? EXIT.done : EXIT.differences;
}

/** The table of docs/exit-codes.md. */
export function exitCodesTable(): string {
  const rows = EXIT_CODES.map(({ code, meaning }) => `| ${code} | ${meaning} |`);
  return ['| code | meaning |', '|---:|---|', ...rows].join('\n');
}
