// The marks of a verification, in the destination and in the form of a copy's marks: an interrupted verification resumes there. A mark is
// written only while no difference was found. So a resumed verification finds every difference again, and has the same result as one that
// was not interrupted.

import type { Clock } from '../../telemetry/clock.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { MarkValues } from '../progress/progress-mark.ts';
import { type Counts, NO_COUNTS } from '../report/counts.ts';
import { MigrationError } from '../report/migration-error.ts';
import type { MigrationObserver } from '../report/observer.ts';
import {
  type ExpectedChange,
  isMatching,
  type ResumedVerification,
  type VerificationCounts,
  type VerificationProgress,
} from '../report/verification.ts';
import type { MarkAccess } from './sides.ts';
import { noCounts } from './verification-counts.ts';

export interface VerificationMarksOptions {
  readonly plan: MigrationPlan;
  /** Reads and writes marks that belong to a plan with this id. */
  readonly access: (plan: MigrationPlan) => MarkAccess;
  readonly observer: MigrationObserver;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** How long to compare without a mark: what an interruption may cost. */
const INTERVAL_MS = 10_000;
const LAST_MARK_MS = 5_000;

export class VerificationMarks {
  readonly #options: VerificationMarksOptions;
  #access: MarkAccess | undefined;
  #lastMs: number;
  #writing: Promise<void> | undefined;
  #isRefused = false;
  readonly #closed = new AbortController();
  readonly #signal: AbortSignal;

  constructor(options: VerificationMarksOptions) {
    this.#options = options;
    this.#lastMs = options.clock.monotonicMs();
    this.#signal = AbortSignal.any([options.signal, this.#closed.signal]);
  }

  /**
   * Where the last verification of [startMs, toMs) was interrupted. A finished one left a mark at the end: then a new one begins, with marks of its
   * own.
   */
  async find(startMs: number, toMs: number, signal: AbortSignal): Promise<ResumedVerification | undefined> {
    const { plan, access } = this.#options;
    for (let run = 1; ; run++) {
      this.#access?.close();
      this.#access = access({ ...plan, id: `${plan.id}-verification-${plan.verification.onExtra}-${run}` });
      const mark = await this.#access.latestMark(startMs, toMs, signal);
      if (mark !== undefined && mark.throughMs + 1 >= toMs) continue;
      return mark?.counts && { throughMs: mark.throughMs + 1, counts: countsOf(mark.counts) };
    }
  }

  /** Marks how far the verification has got, if it is time. Returns at once. */
  advanced(verification: VerificationProgress): void {
    const { clock } = this.#options;
    const isFinished = verification.throughMs >= verification.endMs;
    const hasMarks = this.#writing !== undefined || verification.resumedFromMs !== undefined;
    const isTime = clock.monotonicMs() - this.#lastMs >= INTERVAL_MS && verification.throughMs > verification.startMs;
    const isClean = isMatching(verification) && verification.extra === 0 && verification.repaired === 0;
    // The last mark shows a later verification that this one is over, whatever it has found.
    if (this.#isRefused || !(isFinished ? hasMarks : isTime && isClean)) return;
    this.#lastMs = clock.monotonicMs();
    const mark = markOf(verification);
    this.#writing = (this.#writing ?? Promise.resolve()).then(() => this.#write(mark));
  }

  /** Waits for the last mark, but not for a destination that does not accept writes. */
  async close(): Promise<void> {
    if (this.#writing !== undefined) {
      const over = new AbortController();
      const late = this.#options.clock.sleep(LAST_MARK_MS, over.signal).then(
        () => this.#closed.abort(),
        () => undefined,
      );
      await this.#writing;
      over.abort();
      await late;
    }
    this.#access?.close();
  }

  async #write(mark: MarkValues): Promise<void> {
    const { observer } = this.#options;
    const signal = this.#signal;
    if (this.#isRefused || signal.aborted) return;
    try {
      if (await this.#access?.write(mark, signal)) return;
    } catch (error) {
      if (!(error instanceof MigrationError)) return;
    }
    this.#isRefused = true;
    if (signal.aborted) return;
    const message =
      'the destination does not accept marks of that age, so a verification that is interrupted starts over';
    observer.event({ type: 'warning', code: 'verification-not-resumable', message });
  }
}

/** The counts of a copy in which every sample that is equal counts as written, and each expected change as a rejection. */
function markOf(verification: VerificationProgress): MarkValues {
  const { throughMs, samplesCompared, seriesCompared, equal, expected, bytesRead } = verification;
  const counts: Counts = {
    ...NO_COUNTS,
    samplesRead: samplesCompared,
    samplesWritten: equal,
    samplesRejected: { ...expected },
    series: seriesCompared,
    windows: 1,
    bytesRead,
  };
  return { throughMs: throughMs - 1, samples: equal, counts };
}

function countsOf({ samplesRead, samplesWritten, samplesRejected, series }: Counts): VerificationCounts {
  return {
    ...noCounts(),
    seriesCompared: series,
    samplesCompared: samplesRead,
    equal: samplesWritten,
    expected: { ...samplesRejected } as Partial<Record<ExpectedChange, number>>,
  };
}
