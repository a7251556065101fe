// Reads the files given by -f: the whole text of each, or one problem for each file that cannot be read.

import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { ManifestFile } from '../api/manifest.ts';
import type { Problem } from '../api/problem.ts';
import { Secret } from '../telemetry/secret.ts';
import type { CommandIo } from './io.ts';

const READ_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'not readable: permission denied',
  EISDIR: 'is a directory; name the files in it',
  ENOTDIR: 'a part of the path is not a directory',
};

function errorText(error: unknown): string {
  if (!(error instanceof Error)) return 'cannot be read';
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'is not UTF-8 text';
  return READ_ERRORS[code] ?? `cannot be read: ${error.message}`;
}

async function readStdin(stdin: CommandIo['stdin']): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdin) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return Buffer.concat(chunks);
}

export interface FileHash {
  readonly name: string;
  /** SHA-256 of its bytes, in hex. Undefined: the file contains a Secret, and a short secret among known text could be found by trying. */
  readonly sha256: string | undefined;
}

function hashOf(bytes: Uint8Array, text: string): string | undefined {
  const isSecret = /["']?\bkind["']?\s*:\s*["']?Secret\b/.test(text);
  return isSecret ? undefined : createHash('sha256').update(bytes).digest('hex');
}

function fileProblem(file: string, message: string): Problem {
  return { file, document: undefined, path: '', value: undefined, message };
}

/** Reads all files. `-` is stdin, with the name `(stdin)`. A byte order mark is dropped. */
export async function readManifestFiles(
  names: readonly string[],
  stdin: CommandIo['stdin'],
): Promise<{
  readonly files: readonly ManifestFile[];
  readonly problems: readonly Problem[];
  readonly hashes: readonly FileHash[];
}> {
  const files: ManifestFile[] = [];
  const hashes: FileHash[] = [];
  const problems: Problem[] = [];
  for (const name of names) {
    const shownName = name === '-' ? '(stdin)' : name;
    try {
      const bytes = name === '-' ? await readStdin(stdin) : await readFile(name);
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      files.push({ name: shownName, text: new Secret(text) });
      hashes.push({ name: shownName, sha256: hashOf(bytes, text) });
    } catch (error) {
      problems.push(fileProblem(shownName, errorText(error)));
    }
  }
  return { files, problems, hashes };
}

/** The problem with `--secrets-dir`, if there is one. */
export async function secretsDirProblem(directory: string): Promise<Problem | undefined> {
  try {
    if ((await stat(directory)).isDirectory()) return undefined;
    return fileProblem(directory, 'is not a directory (--secrets-dir needs one)');
  } catch (error) {
    return fileProblem(directory, `${errorText(error).replace('no such file', 'no such directory')} (--secrets-dir)`);
  }
}
