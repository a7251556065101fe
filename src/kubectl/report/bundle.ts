// The contents of a report and its manifest. Pure.

import { createHash } from 'node:crypto';
import { formatBytes } from '../../telemetry/format.ts';
import { VERSION } from '../../telemetry/version.ts';
import type { ArchivedFile } from './tar.ts';

export interface Collected extends ArchivedFile {
  readonly what: string;
}

export interface Missing {
  readonly what: string;
  readonly why: string;
}

export interface Bundle {
  readonly migration: string;
  readonly collected: readonly Collected[];
  readonly missing: readonly Missing[];
}

const REDACTION =
  'No Secret was read. Values of headers, annotations and environment variables, and what looks like a credential in texts, is replaced by ***. Read the files before you publish them: URLs, host names, series labels and names of objects are in them.';

/** All files, the manifest first. */
export function filesOf({ migration, collected, missing }: Bundle, nowMs: number): ArchivedFile[] {
  const manifest = {
    ...{ tool: 'kubectl pmig report', version: VERSION, migration },
    createdAt: new Date(nowMs).toISOString(),
    redaction: REDACTION,
    files: collected.map(({ path, what, text }) => ({
      path,
      what,
      bytes: Buffer.byteLength(text),
      sha256: createHash('sha256').update(text).digest('hex'),
    })),
    missing,
  };
  return [
    { path: 'MANIFEST.json', text: `${JSON.stringify(manifest, undefined, 2)}\n` },
    ...collected.map(({ path, text }) => ({ path, text })),
  ];
}

/** `report-team-a-copy-20260102T030405Z`: the folder in an archive, and the name of the archive. */
export function bundleName(namespace: string, name: string, nowMs: number): string {
  const time = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return `pmig-${namespace}-${name}`.slice(0, 60).concat(`-${time}`);
}

/** What is printed about it. */
export function bundleText(
  { collected, missing }: Bundle,
  place: string,
  wrap: (text: string, indent: string) => string[],
): string {
  const width = Math.max(...collected.map(({ path }) => path.length));
  const lines = [
    `written: ${place}`,
    '',
    ...collected.map(
      ({ path, what, text }) => `  ${path.padEnd(width)}  ${formatBytes(Buffer.byteLength(text)).padStart(9)}  ${what}`,
    ),
    ...(missing.length === 0 ? [] : ['', 'not in it:']),
    ...missing.flatMap(({ what, why }) => [`  ${what}`, ...wrap(why, '    ')]),
    '',
    ...wrap(REDACTION, ''),
  ];
  return `${lines.join('\n')}\n`;
}
