// The file of a report: checked before the run, written completely or not at all after it.

import { randomUUID } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'its directory does not exist',
  ENOTDIR: 'a part of its path is not a directory',
  EACCES: 'its directory is not writable: permission denied',
  EPERM: 'its directory is not writable: permission denied',
  EROFS: 'its directory is not writable: the file system is read-only',
  ENOSPC: 'no space left on its file system',
  ENAMETOOLONG: 'its name is too long',
};

function problemText(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return PROBLEMS[code] ?? `it cannot be written: ${error instanceof Error ? error.message : String(error)}`;
}

/** In the directory of the file, because only there a rename is atomic. */
function temporaryName(file: string): string {
  return join(dirname(file), `.${basename(file)}.${randomUUID().slice(0, 8)}.tmp`);
}

/** Why the report could not be written to this file, or undefined. Creates and removes a file in its directory to find out. */
export async function reportFileProblem(file: string): Promise<string | undefined> {
  if (file === '' || file === '-') return 'it needs a file, for example report.html';
  try {
    const found = await stat(file);
    if (found.isDirectory()) return 'it is a directory; name a file in it';
    // A rename would replace a device or a pipe.
    if (!found.isFile()) return 'it is not a regular file';
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) return problemText(error);
  }
  const probe = temporaryName(file);
  try {
    await (await open(probe, 'wx')).close();
    await rm(probe, { force: true });
    return undefined;
  } catch (error) {
    return problemText(error);
  }
}

/**
 * Writes the file under another name and renames it, so that there is always either the earlier file or the complete new one.
 * @returns why it could not be written, or undefined
 */
export async function writeReportFile(file: string, text: string): Promise<string | undefined> {
  const temporary = temporaryName(file);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(text, 'utf8');
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    return undefined;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    return problemText(error);
  }
}
