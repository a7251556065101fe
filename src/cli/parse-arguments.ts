// Parses a command line with a command's table of flags (flags.ts). Every mistake becomes a UsageError that names the correct form.

import { parseArgs } from 'node:util';
import type { Command, Flag } from './flags.ts';
import { didYouMean, UsageError } from './usage-error.ts';

export interface ParsedFlags {
  /** Whether the flag was given. For flags without a value. */
  has(name: string): boolean;
  /** The last value given, or the default from the table. */
  value(name: string): string | undefined;
  /** All values given, in order. */
  values(name: string): readonly string[];
  /** The word beside the flags, for a command that has one; undefined if it was not given. */
  readonly argument: string | undefined;
  /** The word after it, for a command that has one. */
  readonly operand: string | undefined;
}

function spelled(flag: Flag): string {
  return `--${flag.name}`;
}

function checkValue(flag: Flag, rawName: string, value: string | undefined, inline: boolean, command: Command): string {
  // A value that looks like a flag is nearly always a forgotten value. --flag=-x passes such a value on purpose.
  if (value === undefined || (!inline && value.length > 1 && value.startsWith('-'))) {
    throw new UsageError(`${rawName} needs a value: ${spelled(flag)} ${flag.placeholder ?? ''}`, command.name);
  }
  if (value === '') throw new UsageError(`${rawName} has an empty value`, command.name);
  if (flag.choices !== undefined && !flag.choices.includes(value)) {
    throw new UsageError(
      `${rawName} must be one of ${flag.choices.join(', ')}, not ${JSON.stringify(value)}${didYouMean(value, flag.choices)}`,
      command.name,
    );
  }
  return value;
}

function unknownArgument(value: string, { name, argument }: Command): UsageError {
  const choices = argument?.choices ?? [];
  return new UsageError(
    `the ${argument?.name} must be one of ${choices.join(', ')}, not ${JSON.stringify(value)}${didYouMean(value, choices)}`,
    name,
  );
}

/** @throws UsageError */
export function parseArguments(command: Command, argv: readonly string[]): ParsedFlags {
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      command.flags.map(({ name, short, placeholder }) => [
        name,
        { type: placeholder === undefined ? 'boolean' : 'string', ...(short === undefined ? {} : { short }) } as const,
      ]),
    ),
  });
  const given = new Map<string, string[]>();
  let argument: string | undefined;
  let operand: string | undefined;
  for (const token of tokens) {
    if (token.kind === 'positional') {
      const choices = command.argument?.choices;
      if (choices !== undefined && argument === undefined) {
        if (!choices.includes(token.value)) throw unknownArgument(token.value, command);
        argument = token.value;
        continue;
      }
      if (command.operand !== undefined && operand === undefined) {
        operand = token.value;
        continue;
      }
      const hint = command.flags.some((flag) => flag.name === 'filename')
        ? ` (use -f ${token.value} to give a file)`
        : '';
      throw new UsageError(`unexpected argument ${JSON.stringify(token.value)}${hint}`, command.name);
    }
    if (token.kind === 'option-terminator') continue;
    const flag = command.flags.find(({ name }) => name === token.name);
    if (flag === undefined) {
      const suggestion = didYouMean(
        token.name,
        command.flags.map(({ name }) => name),
        '--',
      );
      throw new UsageError(`unknown flag ${token.rawName}${suggestion}`, command.name);
    }
    const values = given.get(flag.name) ?? [];
    if (flag.placeholder === undefined) {
      if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`, command.name);
      values.push('');
    } else {
      values.push(checkValue(flag, token.rawName, token.value, token.inlineValue === true, command));
    }
    if (values.length > 1 && flag.multiple !== true && values[0] !== values.at(-1)) {
      throw new UsageError(`${token.rawName} is given twice, with different values`, command.name);
    }
    given.set(flag.name, values);
  }
  return {
    has: (name) => given.has(name),
    value: (name) => given.get(name)?.at(-1) ?? command.flags.find((flag) => flag.name === name)?.default,
    values: (name) => given.get(name) ?? [],
    argument,
    operand,
  };
}
