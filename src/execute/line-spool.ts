// Lines that wait until they count: the first of them in memory, more of them in a temporary file.

import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MAX_CHARS_IN_MEMORY = 64 * 1024;
const BLOCK_BYTES = 64 * 1024;

/** Its methods throw an Error of node:fs. */
export class LineSpool {
  #lines = '';
  /** The lines before those in memory. */
  #waiting: { readonly file: number; bytes: number } | undefined;

  /** @param line with its end */
  add(line: string): void {
    this.#lines += line;
    if (this.#lines.length < MAX_CHARS_IN_MEMORY) return;
    const lines = Buffer.from(this.#lines);
    this.#lines = '';
    this.#waiting ??= { file: openTemporary(), bytes: 0 };
    const { file, bytes } = this.#waiting;
    for (let done = 0; done < lines.length; ) done += writeSync(file, lines, done, lines.length - done, bytes + done);
    this.#waiting.bytes += lines.length;
  }

  /** All of it, in blocks that end anywhere. A block is valid until the next one. */
  *blocks(): Generator<Buffer> {
    const { file, bytes } = this.#waiting ?? { file: -1, bytes: 0 };
    const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, bytes));
    for (let at = 0; at < bytes; ) {
      const read = readSync(file, block, 0, Math.min(block.length, bytes - at), at);
      if (read === 0) throw new Error('the temporary file was cut');
      at += read;
      yield block.subarray(0, read);
    }
    if (this.#lines !== '') yield Buffer.from(this.#lines);
  }

  clear(): void {
    this.#lines = '';
    if (this.#waiting !== undefined) this.#waiting.bytes = 0;
  }

  close(): void {
    if (this.#waiting !== undefined) closeSync(this.#waiting.file);
    this.#waiting = undefined;
  }
}

/** A file without a name: it is gone when the process ends, however it ends. */
function openTemporary(): number {
  const path = join(tmpdir(), `prom-migrator-differences-${process.pid}-${process.hrtime.bigint()}`);
  const file = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return file;
}
