// Times on the command line: RFC 3339 or Unix seconds.

import { parseTime } from '../api/time.ts';
import type { ParsedFlags } from './parse-arguments.ts';
import { UsageError } from './usage-error.ts';

/** After the year 5000: certainly not meant as seconds. */
const MILLISECONDS_FROM = 100_000_000_000;

/** Milliseconds since 1970; undefined without the flag. @throws UsageError */
export function timeFlag(flags: ParsedFlags, name: string, command: string): number | undefined {
  const text = flags.value(name);
  if (text === undefined) return undefined;
  const timeMs = /^\d+(?:\.\d{1,3})?$/.test(text) ? Math.round(Number(text) * 1000) : exactTime(text);
  const shown = JSON.stringify(text);
  if (timeMs === undefined)
    throw new UsageError(
      `--${name} takes an RFC 3339 time such as 2026-01-01T00:00:00Z, or Unix seconds, with at most milliseconds, not ${shown}`,
      command,
    );
  if (/^\d/.test(text) && timeMs >= 1000 * MILLISECONDS_FROM)
    throw new UsageError(
      `--${name} takes Unix seconds, and ${shown} looks like milliseconds: divide it by 1000`,
      command,
    );
  return timeMs;
}

/** Finer times are refused, as in a manifest. */
function exactTime(text: string): number | undefined {
  return /\.\d{4,}/.test(text) ? undefined : parseTime(text);
}
