// Writes the differences that a verification finds into a file, one JSON object per line, as they are found.

import { closeSync, fstatSync, ftruncateSync, openSync } from 'node:fs';
import type { Difference, ExpectedChange } from '../migration/report/verification.ts';
import { appendAll, differenceLine, type DifferenceOutput, notWritten } from './difference-line.ts';
import { DifferencePipe } from './difference-pipe.ts';
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

/** Creates or empties the file. @throws an Error of node:fs */
export function openDifferences(path: string): DifferenceOutput {
  const file = openSync(path, 'w');
  return fstatSync(file).isFile() ? new DifferenceFile(path, file) : new DifferencePipe(path, file);
}

/** Its methods throw MigrationError, as when the disk is full. */
class DifferenceFile implements DifferenceOutput {
  readonly #path: string;
  readonly #file: number;
  #lines = '';
  #content: Content = { bytes: 0, missing: 0 };
  #kept = this.#content;

  constructor(path: string, file: number) {
    this.#path = path;
    this.#file = file;
  }

  add(difference: Difference): void {
    this.#lines += differenceLine(difference);
    if (difference.kind === 'missing') this.#content = { ...this.#content, missing: this.#content.missing + 1 };
    if (this.#lines.length >= BUFFERED_CHARS) this.#flush();
  }

  keep(): void {
    this.#flush();
    this.#kept = this.#content;
  }

  discard(): void {
    this.#lines = '';
    if (this.#content.bytes !== this.#kept.bytes) this.#change(() => ftruncateSync(this.#file, this.#kept.bytes));
    this.#content = this.#kept;
  }

  expectMissing(reason: ExpectedChange): void {
    const { bytes, missing } = this.#kept;
    if (missing === 0) return;
    const addition = `,"expected":${JSON.stringify(reason)}`;
    const change = (line: string) => (line.includes(OF_MISSING) ? `${line.slice(0, -1)}${addition}}` : line);
    const growth = missing * addition.length;
    this.#change(() => {
      const from = openSync(this.#path, 'r');
      try {
        rewriteLines({ from, to: this.#file, bytes, growth, change });
      } finally {
        closeSync(from);
      }
    });
    this.#kept = { bytes: bytes + growth, missing };
    this.#content = this.#kept;
  }

  close(): void {
    try {
      this.discard();
    } finally {
      closeSync(this.#file);
    }
  }

  #flush(): void {
    const lines = Buffer.from(this.#lines);
    this.#lines = '';
    const { bytes, missing } = this.#content;
    // Also after a failure: what was written in part is cut off.
    this.#content = { bytes: bytes + lines.length, missing };
    this.#change(() => appendAll(this.#file, lines, bytes));
  }

  #change(write: () => void): void {
    try {
      write();
    } catch (error) {
      throw notWritten(JSON.stringify(this.#path), error);
    }
  }
}
