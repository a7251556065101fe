// Writes a directory as a whole or not at all, so that a run that has failed can be repeated.

import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** @param unfinished where it is written first, on the same file system; removed if a killed run has left it */
export async function writeOnce(
  directory: string,
  unfinished: string,
  write: (unfinished: string) => Promise<void>,
): Promise<void> {
  if (existsSync(directory)) throw new Error(`${directory} is there already: it is never changed`);
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  try {
    await write(unfinished);
    await mkdir(dirname(directory), { recursive: true });
    await rename(unfinished, directory);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}
