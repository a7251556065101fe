// The benches' temporary directory, and the signal with which Ctrl-C ends running work.

import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Exists until it is disposed of, or until the process exits in any way that it can handle. */
export class Scratch implements AsyncDisposable {
  readonly path: string;
  readonly #onExit = () => rmSync(this.path, { recursive: true, force: true });

  constructor(path: string) {
    this.path = path;
    process.on('exit', this.#onExit);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    process.off('exit', this.#onExit);
  }
}

export async function makeScratch(): Promise<Scratch> {
  return new Scratch(await mkdtemp(join(tmpdir(), 'prom-migrator-bench-')));
}

const interruption = new AbortController();

/** Aborted by the first SIGINT or SIGTERM: running work is stopped, and everything that was started is cleaned up. */
export const interrupted: AbortSignal = interruption.signal;

export function watchSignals(): void {
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (interrupted.aborted) process.exit(130);
      process.stderr.write(`\n${name}: stopping the servers; once more to end at once\n`);
      interruption.abort(new Error(`interrupted by ${name}`));
    });
  }
}
