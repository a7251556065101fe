// Counts what became of every sample, per window and over the run: read = written + filtered + already present + conflicting + rejected.
// A window whose sum does not come out fails: something was lost that nobody counted.

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
  /** How many samples there will be when all of the window is read. */
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

  /** Samples that the destination has now, whoever wrote them. */
  get inDestination(): number {
    return this.#counts.written + this.#counts['already-present'];
  }

  /** What became of the samples of this window, with the number of its series. */
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

  /** Of the rejected samples, those that may be in the destination all the same. */
  get rejectedUnproven(): number {
    return this.#rejectedUnproven;
  }

  addRead(samples: number): void {
    this.#read += samples;
    this.#progress.samplesRead += samples;
  }

  /** Of the samples that were read: those of a plain response in place of a stream, and how many of them may have been altered at most. */
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

  /** @param unproven how many of them may be in the destination */
  addRejected(reason: RejectReason, samples: number, unproven = 0): void {
    this.#rejectedUnproven += unproven;
    this.#progress.samplesRejectedUnproven += unproven;
    this.#rejected.set(reason, (this.#rejected.get(reason) ?? 0) + samples);
    const { samplesRejected } = this.#progress;
    samplesRejected[reason] = (samplesRejected[reason] ?? 0) + samples;
  }

  /** Samples whose fate is decided: acknowledged, found present, or left out. */
  get accounted(): number {
    const { written, filtered, conflicting } = this.#counts;
    return written + filtered + conflicting + this.#counts['already-present'] + this.rejected;
  }

  /** The part of the window's samples whose fate is decided, from 0 to 1; an estimate until all of it is read. */
  get share(): number {
    const expected = this.volume.estimate(this.#read);
    return expected > 0 ? Math.min(1, this.accounted / expected) : 0;
  }

  get isBalanced(): boolean {
    return this.accounted === this.#read;
  }

  /** @throws MigrationError `accounting` when a sample is unaccounted for */
  close(): void {
    if (this.isBalanced) return;
    throw new MigrationError('accounting', `${this.#read} samples were read but ${this.accounted} are accounted for`, {
      hint: 'this is a bug in prom-migrator; the window was not marked as finished and will be copied again',
    });
  }

  /** Takes the window out of the run's counts: it will be read again from its start. */
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
 * The sums over all windows up to the mark, over all runs. Not the run's own counts: those have samples of later windows in flight, which a
 * run that resumes at the mark counts again.
 */
export class Ledger {
  readonly #progress: Readonly<MigrationProgress>;
  /** Of the windows that this run has finished. */
  #finished: Counts = NO_COUNTS;
  readonly #samplesBefore: number;

  /** @param samplesBefore what the destination had at the mark where this run began */
  constructor(progress: Readonly<MigrationProgress>, samplesBefore: number) {
    this.#progress = progress;
    this.#samplesBefore = samplesBefore;
  }

  add(window: Counts): void {
    this.#finished = addCounts(this.#finished, window);
  }

  /** What the mark after the window that was added last has to say. */
  mark(): Pick<Mark, 'samples' | 'counts'> {
    const { samplesWritten, samplesAlreadyPresent } = this.#finished;
    const samples = this.#samplesBefore + samplesWritten + samplesAlreadyPresent;
    const { earlier, bytesRead, bytesWritten, retries } = this.#progress;
    if (earlier === 'unknown') return { samples, counts: undefined };
    // Bytes and retries belong to no window: as they are now.
    return { samples, counts: addCounts(earlier, { ...this.#finished, bytesRead, bytesWritten, retries }) };
  }
}
