// `kubectl pmig report NAME`: collects what a bug report needs, with the user's rights, and writes it redacted into a directory or an archive.

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { ActionContext, PmigOutcome } from './action-context.ts';
import { collectReport } from './collect-report.ts';
import { bundleName, bundleText, filesOf } from './report/bundle.ts';
import { type ArchivedFile, tarOf } from './report/tar.ts';
import { wrapped } from './text/lines.ts';

export async function reportAction(context: ActionContext, name: string): Promise<PmigOutcome> {
  const { io, namespace, options, clock } = context;
  const nowMs = clock.now();
  const folder = bundleName(namespace, name, nowMs);
  const place = options.to ?? `${folder}.tar.gz`;
  const bundle = await collectReport(context, name);
  const files = filesOf(bundle, nowMs);
  try {
    if (/\.(?:tar\.gz|tgz)$/.test(place)) {
      writeFileSync(place, gzipSync(tarOf(files, folder, nowMs)), { flag: 'wx', mode: 0o600 });
    } else writeDirectory(place, files);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const why = code === 'EEXIST' || code === 'ENOTEMPTY' ? 'it exists already' : code;
    io.stderr.write(
      `pmig: ${place} cannot be written: ${why}\n  do: set --to to a new directory, or to a new file ending in .tar.gz\n`,
    );
    return 'failed';
  }
  io.stdout.write(bundleText(bundle, place, wrapped));
  return 'done';
}

function writeDirectory(place: string, files: readonly ArchivedFile[]): void {
  mkdirSync(place, { recursive: true, mode: 0o700 });
  if (readdirSync(place).length > 0) throw Object.assign(new Error('not empty'), { code: 'ENOTEMPTY' });
  for (const { path, text } of files) {
    const file = join(place, path);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, text, { mode: 0o600 });
  }
}
