// Maps the process arguments to a command, and every outcome to an exit code.

import { ListenError } from '../telemetry/listen-error.ts';
import { escapeControl, presentableText } from '../telemetry/log-text.ts';
import { originalStack } from '../telemetry/original-stack.ts';
import { VERSION } from '../telemetry/version.ts';
import { crashExitCode, EXIT, type ExitStatus } from './exit-codes.ts';
import { COMMANDS } from './commands.ts';
import { EndError } from './end-error.ts';
import type { Command } from './flags.ts';
import type { CommandIo } from './io.ts';
import type { RunEngine } from './job.ts';
import { terminationOfThrown, writeTerminationOf } from './termination-log.ts';
import { didYouMean, UsageError } from './usage-error.ts';

function findCommand(name: string): Command {
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  const names = [...COMMANDS.map((candidate) => candidate.name), 'help'];
  if (name.startsWith('-')) {
    throw new UsageError(`unknown flag ${name}: a command comes first (${names.join(', ')})`);
  }
  const suggestion = didYouMean(name, names);
  throw new UsageError(`unknown command ${JSON.stringify(name)}${suggestion || `; commands: ${names.join(', ')}`}`);
}

/** Whether one of the flags is given. Arguments after `--` and values of other flags do not count. */
function hasFlag(argv: readonly string[], command: Command, ...spellings: string[]): boolean {
  const takesValue = new Set(
    command.flags.flatMap(({ name, short, placeholder }) =>
      placeholder === undefined ? [] : [`--${name}`, ...(short === undefined ? [] : [`-${short}`])],
    ),
  );
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] ?? '';
    if (argument === '--') return false;
    if (spellings.includes(argument)) return true;
    if (takesValue.has(argument) && !spellings.includes(argv[index + 1] ?? '')) index++;
  }
  return false;
}

async function dispatch(
  argv: readonly string[],
  io: CommandIo,
  loadEngine: () => Promise<RunEngine>,
): Promise<ExitStatus> {
  const [first, ...rest] = argv;
  if (first === undefined) {
    io.stderr.write(await helpText());
    return EXIT.usage;
  }
  if (first === '--version' || first === '-V' || first === 'version') {
    io.stdout.write(`${VERSION}\n`);
    return EXIT.done;
  }
  if (first === '--help' || first === '-h' || first === 'help') {
    const topic = first === 'help' ? rest[0] : undefined;
    io.stdout.write(await helpText(topic === undefined ? undefined : findCommand(topic)));
    return EXIT.done;
  }
  const command = findCommand(first);
  if (hasFlag(rest, command, '--help', '-h')) {
    io.stdout.write(await helpText(command));
    return EXIT.done;
  }
  if (hasFlag(rest, command, '--version', '-V')) {
    io.stdout.write(`${VERSION}\n`);
    return EXIT.done;
  }
  return await runNamed(command, rest, io, loadEngine);
}

/** Each command is loaded when it runs. */
async function runNamed(
  { name }: Command,
  argv: readonly string[],
  io: CommandIo,
  loadEngine: () => Promise<RunEngine>,
): Promise<ExitStatus> {
  if (name === 'operator') {
    const { operatorCommand } = await import('./operator-command.ts');
    return await operatorCommand(argv, io);
  }
  if (name === 'verify') {
    const { verifyCommand } = await import('./verify-command.ts');
    return await verifyCommand(argv, io, loadEngine);
  }
  if (name === 'plan') {
    const { planCommand } = await import('./plan-command.ts');
    return await planCommand(argv, io, loadEngine);
  }
  if (name === 'pmig') {
    const { pmigCommand } = await import('./pmig-command.ts');
    return await pmigCommand(argv, io);
  }
  if (name === 'init') {
    const { initCommand } = await import('./init-command.ts');
    return await initCommand(argv, io);
  }
  if (name === 'crds' || name === 'completion') {
    const { completionCommand, crdsCommand } = await import('./print-commands.ts');
    return name === 'crds' ? await crdsCommand(argv, io) : completionCommand(argv, io);
  }
  const { runCommand } = await import('./run-command.ts');
  return await runCommand(argv, io, loadEngine);
}

/** Its line breaks need a table of the width of every character, which takes longer to load than the rest of the program. */
async function helpText(command?: Command): Promise<string> {
  const { commandHelp, overallHelp } = await import('./help.ts');
  return command === undefined ? overallHelp() : commandHelp(command);
}

/** For users of Timescale's prom-migrator and of vmctl, who have its flags. */
async function answerToOtherTools(argv: readonly string[]): Promise<string | undefined> {
  const translate = await import('./other-tools/translate.ts');
  return translate.answerToOtherTools(argv)?.split('\n').map(escapeControl).join('\n');
}

/** An unexpected error as one line. The stack is included only with `--log-level debug`. */
export function describeUnexpected(error: unknown, argv: readonly string[]): string {
  const message = error instanceof Error ? error.message : String(error);
  const line = `prom-migrator: unexpected error: ${escapeControl(presentableText(message))}`;
  const debug = argv.some(
    (argument, index) =>
      argument === '--log-level=debug' || (argument === 'debug' && argv[index - 1] === '--log-level'),
  );
  return debug && error instanceof Error && error.stack !== undefined
    ? `${line}\n${originalStack(error.stack)}\n`
    : `${line}\n`;
}

/** Runs the command in `argv` (without node and script). Never rejects. */
export async function runCommandLine(
  argv: readonly string[],
  io: CommandIo,
  loadEngine: () => Promise<RunEngine>,
): Promise<ExitStatus> {
  let code: ExitStatus;
  try {
    code = await dispatch(argv, io, loadEngine);
  } catch (error) {
    if (error instanceof UsageError) {
      // The plugin of kubectl may be installed alone.
      const program = error.command === 'pmig' ? 'kubectl' : 'prom-migrator';
      const help = `${program} ${error.command === undefined ? '' : `${error.command} `}--help`;
      const text = (await answerToOtherTools(argv)) ?? `${escapeControl(error.message)}\nSee ${help}`;
      io.stderr.write(`prom-migrator: ${text}\n`);
      code = EXIT.usage;
    } else if (error instanceof ListenError) {
      io.stderr.write(`prom-migrator: --metrics-address: ${escapeControl(error.message)}\n`);
      code = EXIT.failed;
    } else if (error instanceof EndError) {
      io.stderr.write(`prom-migrator: ${escapeControl(presentableText(error.message))}\n`);
      code = EXIT.failed;
    } else {
      io.stderr.write(describeUnexpected(error, argv));
      code = crashExitCode(argv);
    }
    const problem = writeTerminationOf(terminationOfThrown(error), argv);
    if (problem !== undefined) io.stderr.write(`prom-migrator: ${escapeControl(problem)}\n`);
  }
  const failure = await io.stdout.flushed();
  if (failure !== undefined) {
    io.stderr.write(`prom-migrator: the result could not be written to stdout: ${escapeControl(failure.message)}\n`);
    code = code === EXIT.done ? crashExitCode(argv) : code;
  }
  await io.stderr.flushed();
  return code;
}
