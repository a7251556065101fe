// A mistake on the command line, and the nearest correct form. command-line.ts turns it into exit code 2.

import { suggest } from '../api/problem.ts';

export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** The command to suggest --help for, if one was recognised. */
  readonly command: string | undefined;

  constructor(message: string, command?: string) {
    super(message);
    this.command = command;
  }
}

/** ` (did you mean X?)`, or an empty string. */
export function didYouMean(word: string, candidates: readonly string[], prefix = ''): string {
  // Before edits are counted: a prefix of exactly one candidate, such as `--log-f`.
  const continued = candidates.filter((candidate) => word.length >= 2 && candidate.startsWith(word));
  const suggestion = continued.length === 1 ? continued[0] : suggest(word, candidates);
  return suggestion === undefined ? '' : ` (did you mean ${prefix}${suggestion}?)`;
}
