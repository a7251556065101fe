// `--termination-log`: the file in which the kubelet looks for the reason why a container has failed. Written in place, because it is a mount,
// and at once, because the process may be about to end.

import { writeFileSync } from 'node:fs';
import { INTERRUPTED, type TerminationMessage, terminationText } from '../migration/report/termination-message.ts';
import type { MigrationResult } from '../migration/report/observer.ts';
import { ListenError } from '../telemetry/listen-error.ts';
import { EndError } from './end-error.ts';
import { BAD_USAGE } from './job.ts';
import { UsageError } from './usage-error.ts';

/** @returns why the file could not be written */
export function writeTermination(file: string, message: TerminationMessage): string | undefined {
  try {
    writeFileSync(file, terminationText(message));
    return undefined;
  } catch (error) {
    return `the termination log could not be written: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Undefined after a success. */
export function terminationOf({ progress, error }: MigrationResult): TerminationMessage | undefined {
  if (progress.phase === 'Succeeded') return undefined;
  if (progress.phase === 'Interrupted') return INTERRUPTED;
  return error ?? { code: 'internal', message: 'the run failed without a reason' };
}

/**
 * For an end that no result reports. The flag is looked for in the arguments themselves, which may be what is wrong.
 * @returns why the file could not be written
 */
export function writeTerminationOf(message: TerminationMessage, argv: readonly string[]): string | undefined {
  const file = argv[0] === 'run' ? fileOf(argv) : undefined;
  return file === undefined ? undefined : writeTermination(file, message);
}

export function terminationOfThrown(error: unknown): TerminationMessage {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UsageError) return { code: BAD_USAGE, message };
  if (error instanceof ListenError) return { code: BAD_USAGE, message: `--metrics-address: ${message}` };
  if (error instanceof EndError)
    return { code: error.code, ...(error.side !== undefined && { side: error.side }), message };
  return { code: 'internal', message: `unexpected: ${message}` };
}

function fileOf(argv: readonly string[]): string | undefined {
  const flag = '--termination-log';
  const at = argv.findLastIndex((argument) => argument === flag || argument.startsWith(`${flag}=`));
  const argument = argv[at];
  if (argument === undefined) return undefined;
  return (argument === flag ? argv[at + 1] : argument.slice(flag.length + 1)) || undefined;
}
