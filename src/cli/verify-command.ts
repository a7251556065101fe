// `prom-migrator verify`: like `run`, but it compares instead of copying, and has another result.

import { isMatching } from '../migration/report/verification.ts';
import type { MigrationResult } from '../migration/report/observer.ts';
import type { VerifyOptions } from '../migration/verify-copy.ts';
import { formatTime } from '../telemetry/format.ts';
import type { Logger } from '../telemetry/logger.ts';
import { openDifferences } from './difference-file.ts';
import type { DifferenceOutput } from './difference-line.ts';
import { type ExitStatus, verifyExitCodeOf } from './exit-codes.ts';
import { VERIFY_COMMAND } from './flags.ts';
import type { Interrupts } from './interrupt.ts';
import type { CommandIo } from './io.ts';
import { BAD_MANIFEST, type Job, type RunEngine } from './job.ts';
import { type ParsedFlags, parseArguments } from './parse-arguments.ts';
import { runJob } from './run-command.ts';
import { timeFlag } from './time-flag.ts';
import { UsageError } from './usage-error.ts';
import { toVerificationResult, verificationText } from './verification-result.ts';

/**
 * Runs the command and returns its exit code.
 * @throws UsageError for a command line that cannot be parsed
 * @throws ListenError if the process cannot listen on --metrics-address
 */
export async function verifyCommand(
  argv: readonly string[],
  io: CommandIo,
  loadEngine: () => Promise<RunEngine>,
): Promise<ExitStatus> {
  const flags = parseArguments(VERIFY_COMMAND, argv);
  const range = rangeOf(flags);
  const file = differencesOf(flags.value('differences'));
  try {
    const differences: Pick<VerifyOptions, 'differences'> = file === undefined ? {} : { differences: file };
    return await runJob(flags, jobOf({ ...range, ...differences, repair: flags.has('repair') }), io, loadEngine);
  } finally {
    file?.close();
  }
}

function jobOf(options: VerifyOptions): Job {
  return {
    command: VERIFY_COMMAND,
    work: (engine, plan, context) => engine.verify(plan, context, options),
    log: logVerification,
    json: toVerificationResult,
    text: (migration, result, durationMs) => verificationText(toVerificationResult(migration, result, durationMs)),
    refused: (message) => {
      const error = { code: BAD_MANIFEST, message };
      return {
        ...toVerificationResult(null, { progress: { phase: 'Failed', verification: undefined } }, 0),
        error: { ...error, side: null },
      };
    },
    exitStatus: verifyExitCodeOf,
  };
}

function logVerification(logger: Logger, { progress, error }: MigrationResult, interrupts: Interrupts): void {
  const { verification } = progress;
  const through = verification === undefined ? undefined : formatTime(verification.throughMs);
  if (progress.phase === 'Interrupted') {
    logger.warn('verification interrupted', { signal: interrupts.received(), through });
  } else if (verification?.finished === true) {
    const { samplesCompared, missing, different, repeated, extra, repaired } = verification;
    const counts = { samplesCompared, missing, different, repeated, extra, repaired };
    if (isMatching(verification)) logger.info('verified: no sample is missing, different or repeated', counts);
    else logger.error('the verification found differences', counts);
  } else {
    logger.error(`verification failed: ${error?.message ?? 'no reason given'}`, {
      code: error?.code,
      side: error?.side,
      hint: error?.hint,
      through,
    });
  }
}

function rangeOf(flags: ParsedFlags): { fromMs?: number; toMs?: number } {
  const fromMs = timeFlag(flags, 'from', 'verify');
  const toMs = timeFlag(flags, 'to', 'verify');
  if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs)
    throw new UsageError('--from must be before --to', 'verify');
  return { ...(fromMs !== undefined && { fromMs }), ...(toMs !== undefined && { toMs }) };
}

/** Before anything is read: a path that can't be written would be noticed only after hours. */
function differencesOf(path: string | undefined): DifferenceOutput | undefined {
  if (path === undefined) return undefined;
  try {
    return openDifferences(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--differences: cannot write ${JSON.stringify(path)}: ${reason}`, 'verify');
  }
}
