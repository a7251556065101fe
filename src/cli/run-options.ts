// The options of the commands that run one migration to its end, from their flags.

import { parseDuration } from '../api/duration.ts';
import { type ListenAddress, parseListenAddress } from '../telemetry/http-server.ts';
import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from '../telemetry/log-options.ts';
import type { Ends } from '../migration/ends/manifest-draft.ts';
import { END_FLAGS } from './flags.ts';
import type { ParsedFlags } from './parse-arguments.ts';
import { UsageError } from './usage-error.ts';

export interface RunOptions {
  readonly files: readonly string[];
  /** Instead of files. */
  readonly ends: Ends | undefined;
  readonly secretsDir: string | undefined;
  readonly output: 'text' | 'json';
  readonly report: string | undefined;
  readonly terminationLog: string | undefined;
  readonly metricsAddress: ListenAddress | undefined;
  readonly graceMs: number;
  readonly startupDeadlineMs: number;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

function durationFlag(flags: ParsedFlags, command: string, name: string, never: boolean): number {
  const text = flags.value(name) ?? '';
  if (never && text === 'none') return Number.POSITIVE_INFINITY;
  const durationMs = parseDuration(text);
  // The longest time that a timer can wait: longer timers would fire immediately.
  if (durationMs === undefined || durationMs > 2 ** 31 - 1) {
    const allowed = `a duration such as 30s, 5m or 1h30m (at most 24d)${never ? ', or none' : ''}`;
    throw new UsageError(`--${name} takes ${allowed}, not ${JSON.stringify(text)}`, command);
  }
  return durationMs;
}

/** The options of every command that reads a manifest. @throws UsageError */
export async function readManifestOptions(
  flags: ParsedFlags,
  command: string,
): Promise<Pick<RunOptions, 'files' | 'ends' | 'secretsDir' | 'output'>> {
  const ends = await endsOf(flags, command);
  const files = flags.values('filename');
  if (files.length === 0 && ends === undefined) {
    const flagsInstead = '--source URL --destination URL --start TIME';
    throw new UsageError(`no manifest given: use -f FILE, -f - for stdin, or ${flagsInstead}`, command);
  }
  if (files.filter((name) => name === '-').length > 1) throw new UsageError('-f - can be given only once', command);
  return {
    files,
    ends,
    secretsDir: flags.value('secrets-dir'),
    output: flags.value('output') === 'json' ? 'json' : 'text',
  };
}

/** Loaded only with one of its flags. */
async function endsOf(flags: ParsedFlags, command: string): Promise<Ends | undefined> {
  if (!END_FLAGS.some(({ name }) => flags.has(name))) return undefined;
  const { readEnds } = await import('./end-flags.ts');
  const ends = readEnds(flags, command);
  if (ends?.start !== undefined) return ends;
  const what = 'the time of the first sample to copy, such as 2026-01-01T00:00:00Z';
  throw new UsageError(`--start TIME is missing: ${what}`, command);
}

/** @throws UsageError */
export async function readOptions(flags: ParsedFlags, command: string): Promise<RunOptions> {
  const manifest = await readManifestOptions(flags, command);
  const address = flags.value('metrics-address');
  const metricsAddress = address === undefined ? undefined : parseListenAddress(address);
  if (address !== undefined && metricsAddress === undefined) {
    const allowed = 'HOST:PORT, [IPv6]:PORT or :PORT';
    throw new UsageError(`--metrics-address takes ${allowed}, not ${JSON.stringify(address)}`, command);
  }
  return {
    ...manifest,
    report: flags.value('report'),
    terminationLog: flags.value('termination-log'),
    metricsAddress,
    graceMs: durationFlag(flags, command, 'grace', false),
    startupDeadlineMs: durationFlag(flags, command, 'startup-deadline', true),
    logLevel: LOG_LEVELS.find((level) => level === flags.value('log-level')) ?? 'info',
    logFormat: LOG_FORMATS.find((format) => format === flags.value('log-format')) ?? 'text',
  };
}
