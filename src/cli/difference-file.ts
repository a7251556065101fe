// Writes the differences that a verification finds into a file, one JSON object per line, as they are found.

import { closeSync, openSync, writeSync } from 'node:fs';
import type { Difference } from '../migration/report/verification.ts';
import { printableJson } from '../telemetry/log-text.ts';

/** A line is written at once with those before it, so that the file is complete up to the last few lines whenever the process ends. */
const BUFFERED_CHARS = 64 * 1024;

export class DifferenceFile {
  readonly #file: number;
  #lines = '';

  /** Creates or empties the file. @throws an Error of node:fs */
  constructor(path: string) {
    this.#file = openSync(path, 'w');
  }

  /** @throws an Error of node:fs, as when the disk is full */
  add({ labels, timestampMs, kind, source, destination }: Difference): void {
    this.#lines += `${printableJson({ labels, timestampMs, kind, source: source ?? null, destination: destination ?? null })}\n`;
    if (this.#lines.length >= BUFFERED_CHARS) this.flush();
  }

  flush(): void {
    const bytes = Buffer.from(this.#lines);
    // Also after a failure: what was written in part must not be written again.
    this.#lines = '';
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
  }

  close(): void {
    try {
      this.flush();
    } finally {
      closeSync(this.#file);
    }
  }
}
