// --source, --destination and the flags that belong to them: a migration without a manifest.

import type { Ends } from '../migration/ends/manifest-draft.ts';
import { END_FLAGS } from './flags.ts';
import type { ParsedFlags } from './parse-arguments.ts';
import { timeFlag } from './time-flag.ts';
import { UsageError } from './usage-error.ts';

/** Where the manifest has what a flag says. */
const FIELDS: Readonly<Record<string, string>> = {
  source: 'spec.source.url',
  destination: 'spec.destination.url',
  progress: 'spec.destination.progress.url',
  start: 'spec.timeRange.start',
  end: 'spec.timeRange.end',
  selector: 'spec.selectors',
  name: 'metadata.name',
};

/** The flag whose value is at this path of the manifest. */
export function flagOf(path: string): string | undefined {
  const found = Object.entries(FIELDS).find(([, field]) => path === field || path.startsWith(`${field}[`));
  return found === undefined ? undefined : `--${found[0]}`;
}

/**
 * @returns undefined without any of the flags
 * @throws UsageError also if a manifest is given besides
 */
export function readEnds(flags: ParsedFlags, command: string): Ends | undefined {
  const given = END_FLAGS.filter(({ name }) => flags.has(name)).map(({ name }) => name);
  const [first] = given;
  if (first === undefined) return undefined;
  if (flags.has('filename')) {
    const field = FIELDS[first];
    throw new UsageError(
      `--${first} cannot be used with -f: the manifest has it as ${field}; leave one of them out`,
      command,
    );
  }
  for (const other of ['secrets-dir', 'stretches']) {
    if (flags.has(other)) throw new UsageError(`--${other} needs a manifest: use -f instead of --${first}`, command);
  }
  const [source, destination] = [required(flags, 'source', command), required(flags, 'destination', command)];
  const [startMs, endMs] = [timeFlag(flags, 'start', command), timeFlag(flags, 'end', command)];
  const [progress, name] = [flags.value('progress'), flags.value('name')];
  return {
    ...{ source, destination, selectors: flags.values('selector') },
    ...(progress !== undefined && { progress }),
    ...(name !== undefined && { name }),
    ...(startMs !== undefined && { start: timeText(startMs) }),
    ...(endMs !== undefined && { end: timeText(endMs) }),
  };
}

function required(flags: ParsedFlags, name: 'source' | 'destination', command: string): string {
  const value = flags.value(name);
  if (value !== undefined) return value;
  throw new UsageError(`--${name} URL is missing: both --source and --destination are needed`, command);
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString().replace('.000Z', 'Z');
}
