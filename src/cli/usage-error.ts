// What is wrong with a command line, and the nearest thing that would have been right. Becomes exit code 2 in command-line.ts.

import { suggest } from '../api/problem.ts';

export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** The command whose --help is worth reading, if one was recognised. */
  readonly command: string | undefined;

  constructor(message: string, command?: string) {
    super(message);
    this.command = command;
  }
}

/** ` (did you mean X?)`, or nothing. */
export function didYouMean(word: string, candidates: readonly string[], prefix = ''): string {
  // Before edits are counted: the beginning of one candidate alone, as `--log-f`.
  const continued = candidates.filter((candidate) => word.length >= 2 && candidate.startsWith(word));
  const meant = continued.length === 1 ? continued[0] : suggest(word, candidates);
  return meant === undefined ? '' : ` (did you mean ${prefix}${meant}?)`;
}
