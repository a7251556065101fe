// Writes the differences that a verification finds into a pipe, one JSON object per line. What is written there cannot be taken back, so the
// lines of a range wait until it has been compared: the first of them in memory, more of them in a temporary file.

import { closeSync, createWriteStream, fstatSync, openSync, readSync, unlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { Difference } from '../migration/report/verification.ts';
import { appendAll, differenceLine, notWritten, type DifferenceOutput } from './difference-line.ts';

const MAX_CHARS_IN_MEMORY = 64 * 1024;
const BLOCK_BYTES = 64 * 1024;

export class DifferencePipe implements DifferenceOutput {
  readonly #path: string;
  readonly #pipe: Writable;
  #lines = '';
  /** The lines before those in memory. */
  #waiting: { readonly file: number; bytes: number } | undefined;

  /** @param file opened for writing; not a regular file */
  constructor(path: string, file: number) {
    this.#path = path;
    // A write to a pipe that is full must not block the process, nor a thread: it could not exit before the pipe is read.
    const isPipe = fstatSync(file).isFIFO();
    this.#pipe = isPipe
      ? new Socket({ fd: file, readable: false, writable: true })
      : createWriteStream('', { fd: file });
    // The write that fails reports it.
    this.#pipe.on('error', () => undefined);
  }

  /** @throws MigrationError */
  add(difference: Difference): void {
    this.#lines += differenceLine(difference);
    if (this.#lines.length < MAX_CHARS_IN_MEMORY) return;
    const lines = Buffer.from(this.#lines);
    this.#lines = '';
    try {
      this.#waiting ??= { file: openTemporary(), bytes: 0 };
      const { file, bytes } = this.#waiting;
      appendAll(file, lines, bytes);
      this.#waiting.bytes += lines.length;
    } catch (error) {
      throw notWritten(`the lines of ${JSON.stringify(this.#path)} wait in a temporary file in ${tmpdir()}`, error);
    }
  }

  /** Waits for a slow reader. @throws MigrationError; the signal's reason */
  async keep(signal: AbortSignal): Promise<void> {
    const lines = Buffer.from(this.#lines);
    this.#lines = '';
    const { file, bytes } = this.#waiting ?? { file: -1, bytes: 0 };
    const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, bytes));
    for (let at = 0; at < bytes; ) {
      const read = readSync(file, block, 0, Math.min(block.length, bytes - at), at);
      if (read === 0) throw notWritten('the temporary file was cut', undefined);
      at += read;
      await this.#write(block.subarray(0, read), signal);
    }
    if (lines.length > 0) await this.#write(lines, signal);
    this.discard();
  }

  discard(): void {
    this.#lines = '';
    if (this.#waiting !== undefined) this.#waiting.bytes = 0;
  }

  expectMissing(): void {
    // The lines are gone.
  }

  close(): void {
    this.#pipe.destroy();
    if (this.#waiting !== undefined) closeSync(this.#waiting.file);
  }

  #write(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#pipe.write(bytes, (error) => {
        signal.removeEventListener('abort', onAbort);
        if (error) reject(notWritten(JSON.stringify(this.#path), error));
        else resolve();
      });
    });
  }
}

/** A file without a name: it is gone when the process ends, however it ends. */
function openTemporary(): number {
  const path = join(tmpdir(), `prom-migrator-differences-${process.pid}-${process.hrtime.bigint()}`);
  const file = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return file;
}
