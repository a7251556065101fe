// Writes the differences that a verification finds into a pipe, one JSON object per line. What is written there cannot be taken back, so the
// lines of a range wait until it has been compared: the first of them in memory, more of them in a temporary file.

import { createWriteStream, fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import type { Writable } from 'node:stream';
import { LineSpool } from '../execute/line-spool.ts';
import type { Difference } from '../migration/report/verification.ts';
import { differenceLine, notWritten, type DifferenceOutput } from './difference-line.ts';

export class DifferencePipe implements DifferenceOutput {
  readonly #path: string;
  readonly #pipe: Writable;
  readonly #waiting = new LineSpool();

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
    this.#onDisk(() => this.#waiting.add(differenceLine(difference)));
  }

  /** Waits for a slow reader. @throws MigrationError; the signal's reason */
  async keep(signal: AbortSignal): Promise<void> {
    const blocks = this.#waiting.blocks();
    for (;;) {
      const { value, done } = this.#onDisk(() => blocks.next());
      if (done === true) break;
      await this.#write(value, signal);
    }
    this.discard();
  }

  discard(): void {
    this.#waiting.clear();
  }

  expectMissing(): void {
    // The lines are gone.
  }

  close(): void {
    this.#pipe.destroy();
    this.#waiting.close();
  }

  #onDisk<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      throw notWritten(`the lines of ${JSON.stringify(this.#path)} wait in a temporary file in ${tmpdir()}`, error);
    }
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
