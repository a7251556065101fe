// Counts what happened to every sample, per window and over the run: read = written + filtered + already present + conflicting + rejected.
// A window whose sum does not balance fails, because samples were lost without being counted.

import type { RejectReason } from '../../remote/meaning/remote-error.ts';
import { MigrationError } from '../report/migration-error.ts';
import type { MigrationProgress } from '../report/observer.ts';
import { WindowVolume } from '../progress/completion.ts';
import { addCounts, type Counts, NO_COUNTS } from '../report/counts.ts';
import type { Mark } from '../progress/progress-mark.ts';

export type SampleOutcome = 'written' | 'filtered' | 'already-present' | 'conflicting';

const TOTALS = {
  written: 'samplesWritten',
  filtered: 'samplesFiltered',
  'already-present': 'samplesAlreadyPresent',
  conflicting: 'samplesConflicting',
} as const satisfies Record<SampleOutcome, keyof MigrationProgress>;

export class WindowAccount {
  /** Estimates how many samples the window has once all of it is read. */
  readonly volume = new WindowVolume();
  readonly #progress: MigrationProgress;
  readonly #counts: Record<SampleOutcome, number> = { written: 0, filtered: 0, 'already-present': 0, conflicting: 0 };
  readonly #rejected = new Map<RejectReason, number>();
  #rejectedUnproven = 0;
  #read = 0;
  #readPlain = 0;
  #alteredAtMost = 0;

  constructor(progress: MigrationProgress) {
    this.#progress = progress;
  }

  get read(): number {
    return this.#read;
  }

  get written(): number {
    return this.#counts.written;
  }

  /** The counts of this window, including its number of series. */
  counts(series: number): Counts {
    return {
      ...NO_COUNTS,
      samplesRead: this.#read,
      samplesWritten: this.#counts.written,
      samplesFiltered: this.#counts.filtered,
      samplesAlreadyPresent: this.#counts['already-present'],
      samplesConflicting: this.#counts.conflicting,
      samplesRejected: Object.fromEntries(this.#rejected),
      samplesReadPlain: this.#readPlain,
      samplesAlteredAtMost: this.#alteredAtMost,
      samplesRejectedUnproven: this.#rejectedUnproven,
      series,
      windows: 1,
    };
  }

  get rejected(): number {
    let sum = 0;
    for (const samples of this.#rejected.values()) sum += samples;
    return sum;
  }

  get alteredAtMost(): number {
    return this.#alteredAtMost;
  }

  /** The rejected samples that may nevertheless be in the destination. */
  get rejectedUnproven(): number {
    return this.#rejectedUnproven;
  }

  addRead(samples: number): void {
    this.#read += samples;
    this.#progress.samplesRead += samples;
  }

  /** Counts the samples that were read from a plain response instead of a stream, and how many of them may have been altered at most. */
  addPlain(samples: number, alteredAtMost: number): void {
    this.#readPlain += samples;
    this.#alteredAtMost += alteredAtMost;
    this.#progress.samplesReadPlain += samples;
    this.#progress.samplesAlteredAtMost += alteredAtMost;
  }

  add(outcome: SampleOutcome, samples: number): void {
    this.#counts[outcome] += samples;
    this.#progress[TOTALS[outcome]] += samples;
  }

  /** @param unproven how many of these samples may be in the destination */
  addRejected(reason: RejectReason, samples: number, unproven = 0): void {
    this.#rejectedUnproven += unproven;
    this.#progress.samplesRejectedUnproven += unproven;
    this.#rejected.set(reason, (this.#rejected.get(reason) ?? 0) + samples);
    const { samplesRejected } = this.#progress;
    samplesRejected[reason] = (samplesRejected[reason] ?? 0) + samples;
  }

  /** Samples with a final result: acknowledged, already present, or left out. */
  get accounted(): number {
    const { written, filtered, conflicting } = this.#counts;
    return written + filtered + conflicting + this.#counts['already-present'] + this.rejected;
  }

  /** The fraction of the window's samples with a final result, from 0 to 1. An estimate until all of it is read. */
  get share(): number {
    const expected = this.volume.estimate(this.#read);
    return expected > 0 ? Math.min(1, this.accounted / expected) : 0;
  }

  get isBalanced(): boolean {
    return this.accounted === this.#read;
  }

  /** @throws MigrationError `accounting` when the counts do not balance */
  close(): void {
    if (this.isBalanced) return;
    throw new MigrationError('accounting', `${this.#read} samples were read but ${this.accounted} are accounted for`, {
      hint: 'this is a bug in prom-migrator; the window was not marked as finished and will be copied again',
    });
  }

  /** Removes the window from the run's counts: it will be read again from its start. */
  withdraw(): void {
    this.addRead(-this.#read);
    this.addPlain(-this.#readPlain, -this.#alteredAtMost);
    for (const outcome of Object.keys(this.#counts) as SampleOutcome[]) this.add(outcome, -this.#counts[outcome]);
    for (const [reason, samples] of this.#rejected) this.addRejected(reason, -samples);
    this.#progress.samplesRejectedUnproven -= this.#rejectedUnproven;
    this.#rejectedUnproven = 0;
  }
}

/**
 * The sums of all windows up to the mark, over all runs. They differ from the run's own counts, which include samples of later windows in
 * flight: a run that resumes at the mark counts those again.
 */
export class Ledger {
  readonly #progress: Readonly<MigrationProgress>;
  /** Of the windows that this run has finished. */
  #finished: Counts = NO_COUNTS;
  readonly #samplesBefore: number;

  /** @param samplesBefore the destination's samples at the mark where this run began */
  constructor(progress: Readonly<MigrationProgress>, samplesBefore: number) {
    this.#progress = progress;
    this.#samplesBefore = samplesBefore;
  }

  add(window: Counts): void {
    this.#finished = addCounts(this.#finished, window);
  }

  /** The values for the mark after the window that was added last. */
  mark(): Pick<Mark, 'samples' | 'counts'> {
    const { samplesWritten, samplesAlreadyPresent } = this.#finished;
    const samples = this.#samplesBefore + samplesWritten + samplesAlreadyPresent;
    const { earlier, bytesRead, bytesWritten, retries } = this.#progress;
    if (earlier === 'unknown') return { samples, counts: undefined };
    // Bytes and retries do not belong to a window, so the current values are used.
    return { samples, counts: addCounts(earlier, { ...this.#finished, bytesRead, bytesWritten, retries }) };
  }
}
