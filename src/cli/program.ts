// The program as a process: maps its arguments to a command, and errors to exit codes. Importing it runs it.

import { INTERRUPTED } from '../migration/report/termination-message.ts';
import { SYSTEM_CLOCK } from '../telemetry/clock.ts';
import { describeUnexpected, runCommandLine } from './command-line.ts';
import { crashExitCode, interruptExitCode } from './exit-codes.ts';
import { processIo } from './io.ts';
import type { RunEngine } from './job.ts';
import { terminationOfThrown, writeTerminationOf } from './termination-log.ts';

const ARGV = process.argv.slice(2);

for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    process.stderr.write(`${process.stderr.isTTY ? '\r\u001b[K' : ''}${describeUnexpected(error, ARGV)}`);
    writeTerminationOf(terminationOfThrown(error), ARGV);
    process.exit(crashExitCode(ARGV));
  });
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // A command listens only while it has work to finish. Before that, the first process of a container would get no signal at all: the kernel
  // delivers none to it that it has no handler for.
  process.on(signal, () => {
    if (process.listenerCount(signal) > 1) return;
    writeTerminationOf(INTERRUPTED, ARGV);
    process.exit(interruptExitCode(signal));
  });
}

/** Loaded only when a command runs: --help and --version do not need it. */
async function loadEngine(): Promise<RunEngine> {
  // Every migration needs got. Loaded with its first request, behind keepHeapSmall, V8 would compile the modules of Node that it imports.
  const [{ createEngine }] = await Promise.all([import('./engine.ts'), import('got')]);
  return createEngine();
}

// Overwritten at the end: a process that has nothing left to wait for has not done its work.
process.exitCode = crashExitCode(ARGV);
void runCommandLine(ARGV, processIo(SYSTEM_CLOCK), loadEngine).then((status) => process.exit(status));
