// The differences that a stretch finds, until they count. Then they are handed on as text, which threads can send to each other, in blocks:
// the next one when the one before is written.

import { tmpdir } from 'node:os';
import { MigrationError } from '../migration/report/migration-error.ts';
import type { Difference, DifferenceReceiver } from '../migration/report/verification.ts';
import { LineSpool } from './line-spool.ts';

const LINE_END = 10;

/** One difference a line. @throws MigrationError; the signal's reason */
export type HandOn = (lines: string, signal: AbortSignal) => Promise<void>;

export class HandedDifferences implements DifferenceReceiver {
  readonly #handOn: HandOn;
  readonly #spool = new LineSpool();

  constructor(handOn: HandOn) {
    this.#handOn = handOn;
  }

  /** @throws MigrationError */
  add(difference: Difference): void {
    this.#onDisk(() => this.#spool.add(`${JSON.stringify(difference)}\n`));
  }

  async keep(signal: AbortSignal): Promise<void> {
    let rest = Buffer.alloc(0);
    const blocks = this.#spool.blocks();
    for (;;) {
      const { value, done } = this.#onDisk(() => blocks.next());
      if (done === true) break;
      const bytes = Buffer.concat([rest, value]);
      const endsAt = bytes.lastIndexOf(LINE_END) + 1;
      rest = bytes.subarray(endsAt);
      if (endsAt > 0) await this.#handOn(bytes.toString('utf8', 0, endsAt), signal);
    }
    this.#spool.clear();
  }

  discard(): void {
    this.#spool.clear();
  }

  expectMissing(): void {
    // It is decided for all stretches together.
  }

  close(): void {
    this.#spool.close();
  }

  #onDisk<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown';
      const message = `--differences: cannot write a temporary file in ${tmpdir()}: ${reason}`;
      const hint = 'set TMPDIR to a directory on a disk with enough space';
      throw new MigrationError('differences-not-written', message, { hint, cause: error });
    }
  }
}

export function differencesIn(lines: string): Difference[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Difference);
}
