// The progress of a verification whose stretches are compared side by side, as one.

import type { Division, Stretch } from '../plan/stretches.ts';
import type { MigrationProgress, ResultError } from '../report/observer.ts';
import type { Difference, ExpectedChange, VerificationCounts, VerificationProgress } from '../report/verification.ts';
import type { ComparedRange } from '../verify/compared-range.ts';
import { addCounts, earliest, initialVerification, noCounts } from '../verify/verification-counts.ts';
import type { ComparedShard } from '../verify/verification-runs.ts';
import { waitingFor } from './merged-progress.ts';

/** One stretch, from the division to its end. */
interface Part {
  readonly stretch: Stretch;
  /** Of earlier starts. */
  readonly earlier: ComparedShard | undefined;
  isRunning: boolean;
  progress: Readonly<MigrationProgress> | undefined;
}

/** What the stretches have found that are over. */
interface Found {
  readonly counts: VerificationCounts;
  first: readonly Difference[];
  firstPresent: readonly Difference[];
  bytesRead: number;
  retries: number;
}

export interface MergedVerificationOptions {
  /** Of the migration. Gets what the verification reports. */
  readonly progress: MigrationProgress;
  readonly range: ComparedRange;
  readonly division: Division;
  /** What earlier starts have compared. */
  readonly earlier: readonly ComparedShard[];
}

export class MergedVerification {
  readonly progress: MigrationProgress;
  readonly verification: VerificationProgress;
  limited: string | undefined;
  readonly #parts = new Map<string, Part>();
  readonly #over: Found;
  readonly #total: number;
  #finished: number;
  readonly #failed: NonNullable<MigrationProgress['stretches']>['failed'][number][] = [];

  constructor({ progress, range, division, earlier }: MergedVerificationOptions) {
    this.progress = progress;
    this.verification = { ...initialVerification(range.fromMs, range.toMs), isDivided: true };
    const { retries } = progress;
    this.#over = { counts: noCounts(), first: [], firstPresent: [], bytesRead: 0, retries };
    for (const stretch of division.stretches) {
      const before = earlier.find(({ shard }) => shard === stretch.shard);
      this.#parts.set(stretch.shard, { stretch, earlier: before, isRunning: false, progress: undefined });
    }
    for (const { shard, counts } of earlier) if (!this.#parts.has(shard)) addCounts(this.#over.counts, counts);
    this.#total = division.finished + division.stretches.length;
    this.#finished = division.finished;
    this.refresh();
    if (earlier.length > 0) this.verification.resumedFromMs = this.verification.throughMs;
    progress.verification = this.verification;
    progress.endMs = range.toMs;
    progress.phase = 'Verifying';
  }

  started({ shard }: Stretch): void {
    this.#partOf(shard).isRunning = true;
    this.refresh();
  }

  reported({ shard }: Stretch, progress: Readonly<MigrationProgress>): void {
    this.#partOf(shard).progress = progress;
    this.refresh();
  }

  ended(stretch: Stretch, progress: Readonly<MigrationProgress>): void {
    const part = this.#partOf(stretch.shard);
    part.isRunning = false;
    part.progress = progress;
    if (progress.phase === 'Succeeded') {
      this.#parts.delete(stretch.shard);
      this.#finished++;
      addTo(this.#over, part);
    }
    this.refresh();
  }

  failed({ startMs }: Stretch, { code, message }: ResultError): void {
    this.#failed.push({ startMs, code, message });
    this.refresh();
  }

  /** Everything that is missing is expected. */
  expectMissing(reason: ExpectedChange): void {
    const { missing, expected, firstPresent } = this.verification;
    this.verification.expected = { ...expected, [reason]: (expected[reason] ?? 0) + missing };
    this.verification.missing = 0;
    this.verification.first = firstPresent;
  }

  /** Recomputes the sums. */
  refresh(): void {
    const parts = [...this.#parts.values()];
    const running = parts.filter(({ isRunning }) => isRunning);
    const found: Found = { ...this.#over, counts: noCounts() };
    addCounts(found.counts, this.#over.counts);
    for (const part of parts) addTo(found, part);
    const { endMs } = this.verification;
    const { counts, first, firstPresent, bytesRead, retries } = found;
    Object.assign(this.verification, counts, { first, firstPresent, bytesRead });
    this.verification.throughMs = Math.min(endMs, ...parts.map(throughOf));
    const leftMs = parts.reduce((sum, part) => sum + part.stretch.endMs - reachedOf(part), 0);
    this.verification.reachedMs = Math.max(this.verification.reachedMs, endMs - leftMs);
    this.verification.finished = parts.length === 0;
    const reports = running.flatMap(({ progress }) => progress ?? []);
    Object.assign(this.progress, {
      retries,
      windowMs: Math.max(0, ...reports.map(({ windowMs }) => windowMs)),
      inFlightBytes: reports.reduce((sum, { inFlightBytes }) => sum + inFlightBytes, 0),
      waitingFor: waitingFor(reports),
    });
    this.progress.stretches = {
      total: this.#total,
      finished: this.#finished,
      failed: [...this.#failed],
      ...(this.limited !== undefined && { limited: this.limited }),
      running: running.map((part) => ({
        startMs: part.stretch.startMs,
        endMs: part.stretch.endMs,
        completedRatio: (reachedOf(part) - part.stretch.startMs) / (part.stretch.endMs - part.stretch.startMs),
      })),
    };
  }

  #partOf(shard: string): Part {
    const part = this.#parts.get(shard);
    if (part === undefined) throw new Error(`there is no stretch ${shard}`);
    return part;
  }
}

/** Its verification begins with the counts of earlier starts. */
function addTo(found: Found, { earlier, progress }: Part): void {
  found.retries += progress?.retries ?? 0;
  const verification = progress?.verification;
  const counts = verification ?? earlier?.counts;
  if (counts !== undefined) addCounts(found.counts, counts);
  if (verification === undefined) return;
  found.first = earliest(found.first, verification.first);
  found.firstPresent = earliest(found.firstPresent, verification.firstPresent);
  found.bytesRead += verification.bytesRead;
}

function throughOf({ stretch, progress }: Part): number {
  return Math.max(stretch.fromMs, progress?.verification?.throughMs ?? 0);
}

function reachedOf({ stretch, progress }: Part): number {
  return Math.max(stretch.fromMs, progress?.verification?.reachedMs ?? 0);
}
