// Counts what became of every sample, per window and over the run: read = written + filtered + already present + conflicting + rejected.
// A window whose sum does not come out fails: something was lost that nobody counted.

import type { RejectReason } from '../../remote/meaning/remote-error.ts';
import { MigrationError } from '../migration-error.ts';
import type { MigrationProgress } from '../observer.ts';

export type SampleOutcome = 'written' | 'filtered' | 'already-present' | 'conflicting';

const totals = {
  written: 'samplesWritten',
  filtered: 'samplesFiltered',
  'already-present': 'samplesAlreadyPresent',
  conflicting: 'samplesConflicting',
} as const satisfies Record<SampleOutcome, keyof MigrationProgress>;

export class WindowAccount {
  readonly #progress: MigrationProgress;
  readonly #counts: Record<SampleOutcome, number> = { written: 0, filtered: 0, 'already-present': 0, conflicting: 0 };
  readonly #rejected = new Map<RejectReason, number>();
  #read = 0;

  constructor(progress: MigrationProgress) {
    this.#progress = progress;
  }

  get read(): number {
    return this.#read;
  }

  get written(): number {
    return this.#counts.written;
  }

  /** Samples that the destination has now, whoever wrote them. */
  get inDestination(): number {
    return this.#counts.written + this.#counts['already-present'];
  }

  get rejected(): number {
    let sum = 0;
    for (const samples of this.#rejected.values()) sum += samples;
    return sum;
  }

  addRead(samples: number): void {
    this.#read += samples;
    this.#progress.samplesRead += samples;
  }

  add(outcome: SampleOutcome, samples: number): void {
    this.#counts[outcome] += samples;
    this.#progress[totals[outcome]] += samples;
  }

  addRejected(reason: RejectReason, samples: number): void {
    this.#rejected.set(reason, (this.#rejected.get(reason) ?? 0) + samples);
    const { samplesRejected } = this.#progress;
    samplesRejected[reason] = (samplesRejected[reason] ?? 0) + samples;
  }

  /** @throws MigrationError `accounting` when a sample is unaccounted for */
  close(): void {
    const { written, filtered, conflicting } = this.#counts;
    const accounted = written + filtered + conflicting + this.#counts['already-present'] + this.rejected;
    if (accounted === this.#read) return;
    throw new MigrationError('accounting', `${this.#read} samples were read but ${accounted} are accounted for`, {
      hint: 'this is a defect of prom-migrator; the window was not marked as finished and will be copied again',
    });
  }

  /** Takes the window out of the run's counts: it will be read again from its start. */
  withdraw(): void {
    this.addRead(-this.#read);
    for (const outcome of Object.keys(this.#counts) as SampleOutcome[]) this.add(outcome, -this.#counts[outcome]);
    for (const [reason, samples] of this.#rejected) this.addRejected(reason, -samples);
  }
}
