// Writes the differences that a verification finds into a file, one JSON object per line, as they are found.

import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { Difference, DifferenceReceiver, ExpectedChange } from '../migration/report/verification.ts';
import { printableJson } from '../telemetry/log-text.ts';
import { rewriteLines } from './line-rewriter.ts';

/** A line is written at once with those before it, so that the file is complete up to the last few lines whenever the process ends. */
const BUFFERED_CHARS = 64 * 1024;
/** In a line of such a difference, and in no other: inside of a string the quotes are escaped. */
const OF_MISSING = '"kind":"missing"';

/** What is in the file, or will be with the lines that wait. */
interface Content {
  readonly bytes: number;
  /** Lines of the kind `missing`. */
  readonly missing: number;
}

export class DifferenceFile implements DifferenceReceiver {
  readonly #path: string;
  readonly #file: number;
  /** False for a pipe: what is written there cannot be changed, so lines that may not count are not written. */
  readonly #isChangeable: boolean;
  #lines = '';
  #content: Content = { bytes: 0, missing: 0 };
  #kept = this.#content;

  /** Creates or empties the file. @throws an Error of node:fs */
  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'w');
    this.#isChangeable = fstatSync(this.#file).isFile();
  }

  /** @throws an Error of node:fs, as when the disk is full */
  add({ labels, timestampMs, kind, source, destination }: Difference): void {
    this.#lines += `${printableJson({ labels, timestampMs, kind, source: source ?? null, destination: destination ?? null })}\n`;
    if (kind === 'missing') this.#content = { ...this.#content, missing: this.#content.missing + 1 };
    if (this.#isChangeable && this.#lines.length >= BUFFERED_CHARS) this.#flush();
  }

  /** @throws an Error of node:fs */
  keep(): void {
    this.#flush();
    this.#kept = this.#content;
  }

  /** @throws an Error of node:fs */
  discard(): void {
    this.#lines = '';
    if (this.#content.bytes !== this.#kept.bytes) ftruncateSync(this.#file, this.#kept.bytes);
    this.#content = this.#kept;
  }

  /** @throws an Error of node:fs */
  expectMissing(reason: ExpectedChange): void {
    const { bytes, missing } = this.#kept;
    if (!this.#isChangeable || missing === 0) return;
    const addition = `,"expected":${JSON.stringify(reason)}`;
    const change = (line: string) => (line.includes(OF_MISSING) ? `${line.slice(0, -1)}${addition}}` : line);
    const growth = missing * addition.length;
    const from = openSync(this.#path, 'r');
    try {
      rewriteLines({ from, to: this.#file, bytes, growth, change });
    } finally {
      closeSync(from);
    }
    this.#kept = { bytes: bytes + growth, missing };
    this.#content = this.#kept;
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
    const lines = Buffer.from(this.#lines);
    // Also after a failure: what was written in part must not be written again.
    this.#lines = '';
    for (let at = 0; at < lines.length; ) {
      const { bytes, missing } = this.#content;
      const written = writeSync(this.#file, lines, at, lines.length - at, this.#isChangeable ? bytes : null);
      at += written;
      this.#content = { bytes: bytes + written, missing };
    }
  }
}
