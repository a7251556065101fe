// Writes the differences that a verification finds into a file, one JSON object per line, as they are found.

import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { Difference, DifferenceReceiver } from '../migration/report/verification.ts';
import { printableJson } from '../telemetry/log-text.ts';

/** A line is written at once with those before it, so that the file is complete up to the last few lines whenever the process ends. */
const BUFFERED_CHARS = 64 * 1024;

export class DifferenceFile implements DifferenceReceiver {
  readonly #file: number;
  /** False for a pipe: what is written there cannot be taken back, so lines that may not count are not written. */
  readonly #canBeCut: boolean;
  #lines = '';
  #bytes = 0;
  #keptBytes = 0;

  /** Creates or empties the file. @throws an Error of node:fs */
  constructor(path: string) {
    this.#file = openSync(path, 'w');
    this.#canBeCut = fstatSync(this.#file).isFile();
  }

  /** @throws an Error of node:fs, as when the disk is full */
  add({ labels, timestampMs, kind, source, destination }: Difference): void {
    this.#lines += `${printableJson({ labels, timestampMs, kind, source: source ?? null, destination: destination ?? null })}\n`;
    if (this.#canBeCut && this.#lines.length >= BUFFERED_CHARS) this.#flush();
  }

  /** @throws an Error of node:fs */
  keep(): void {
    this.#flush();
    this.#keptBytes = this.#bytes;
  }

  /** @throws an Error of node:fs */
  discard(): void {
    this.#lines = '';
    if (this.#bytes === this.#keptBytes) return;
    ftruncateSync(this.#file, this.#keptBytes);
    this.#bytes = this.#keptBytes;
  }

  /** What was not kept is left out. */
  close(): void {
    try {
      this.discard();
    } finally {
      closeSync(this.#file);
    }
  }

  #flush(): void {
    const bytes = Buffer.from(this.#lines);
    // Also after a failure: what was written in part must not be written again.
    this.#lines = '';
    for (let at = 0; at < bytes.length; ) {
      const position = this.#canBeCut ? this.#bytes : null;
      const written = writeSync(this.#file, bytes, at, bytes.length - at, position);
      at += written;
      this.#bytes += written;
    }
  }
}
