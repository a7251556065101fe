// What a file and a pipe of --differences have in common.

import { writeSync } from 'node:fs';
import { MigrationError } from '../migration/report/migration-error.ts';
import type { Difference, DifferenceReceiver } from '../migration/report/verification.ts';
import { printableJson } from '../telemetry/log-text.ts';

export interface DifferenceOutput extends DifferenceReceiver {
  /** What was not kept is left out. */
  close(): void;
}

export function differenceLine({ labels, timestampMs, kind, source, destination }: Difference): string {
  return `${printableJson({ labels, timestampMs, kind, source: source ?? null, destination: destination ?? null })}\n`;
}

/** @throws an Error of node:fs */
export function appendAll(file: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, at + done);
}

/** @param what cannot be written */
export function notWritten(what: string, error: unknown): MigrationError {
  const isClosed = error instanceof Error && 'code' in error && error.code === 'EPIPE';
  const reason = isClosed ? 'the reader of the pipe has ended' : error instanceof Error ? error.message : 'unknown';
  return new MigrationError('differences-not-written', `--differences: cannot write ${what}: ${reason}`, {
    hint: isClosed
      ? 'keep the reader of --differences running until the verification has ended, or name a file'
      : 'name a file on a disk with enough space; for a pipe, TMPDIR has to be such a directory',
    cause: error,
  });
}
