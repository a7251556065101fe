// The texts of --help and the flag table of the documentation, made from flags.ts and exit-codes.ts.

import wrapAnsi from 'wrap-ansi';
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';
import { COMMANDS } from './commands.ts';
import { type Command, type Flag, GLOBAL_FLAGS } from './flags.ts';

const WIDTH = 100;

function wrap(text: string, indent: number): string {
  return wrapAnsi(text, WIDTH - indent).replaceAll('\n', `\n${' '.repeat(indent)}`);
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + 4;
  return rows.map(([left, right]) => `  ${left.padEnd(width - 2)}${wrap(right, width)}`).join('\n');
}

function flagUsage({ name, short, placeholder }: Flag): string {
  return `${short === undefined ? '    ' : `-${short}, `}--${name}${placeholder === undefined ? '' : ` ${placeholder}`}`;
}

function flagHelp(flag: Flag): string {
  const choices = flag.choices === undefined ? '' : ` (${flag.choices.join(', ')})`;
  return `${flag.help}${choices}${flag.default === undefined ? '' : `; default ${flag.default}`}`;
}

function flagColumns(flags: readonly Flag[]): string {
  return columns(flags.map((flag) => [flagUsage(flag), flagHelp(flag)]));
}

function exitCodeColumns(exitCodes: readonly ExitCode[]): string {
  return columns(exitCodes.map(({ code, meaning }) => [String(code).padStart(3), meaning]));
}

/** `prom-migrator COMMAND --help` */
export function commandHelp(command: Command): string {
  return [
    `${command.synopsis}\n`,
    `${wrap(command.description, 0)}\n`,
    `Flags:\n${flagColumns(command.flags)}\n`,
    `Exit codes:\n${exitCodeColumns(command.exitCodes)}\n`,
    `Examples:\n${command.examples.map((example) => `  ${example}`).join('\n')}\n`,
  ].join('\n');
}

/** `prom-migrator --help` */
export function overallHelp(): string {
  return [
    'prom-migrator COMMAND [flags]\n',
    `${wrap('Moves Prometheus data from any store that speaks remote_read to any store that speaks remote_write, and proves that nothing was lost.', 0)}\n`,
    `Commands:\n${columns([
      ...COMMANDS.map(({ name, summary }) => [name, summary] as const),
      ['help [COMMAND]', 'print the help of a command'] as const,
    ])}\n`,
    `Flags:\n${flagColumns(GLOBAL_FLAGS)}\n`,
    `Exit codes of run:\n${exitCodeColumns(EXIT_CODES)}\n`,
  ].join('\n');
}
