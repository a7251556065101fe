// The marks of a verification, in the destination and in the form of a copy's marks: an interrupted verification resumes there. A mark is
// written only while no difference was found. So a resumed verification finds every difference again, and has the same result as one that
// was not interrupted. If the range is divided, that holds for each stretch: one with differences leaves no mark at its end.

import type { Clock } from '../../telemetry/clock.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import { FIRST_SHARD } from '../plan/stretches.ts';
import type { MarkValues } from '../progress/progress-mark.ts';
import { type Counts, NO_COUNTS } from '../report/counts.ts';
import { MigrationError } from '../report/migration-error.ts';
import type { MigrationObserver } from '../report/observer.ts';
import { isMatching, type ResumedVerification, type VerificationProgress } from '../report/verification.ts';
import type { MarkAccess } from './sides.ts';
import { verificationCountsOf } from './verification-counts.ts';
import { covers, type OpenMarks, planOfRun } from './verification-runs.ts';

/** One shard of one run. */
interface MarkedPart {
  readonly run: number;
  readonly shard: string;
  readonly startMs: number;
  /** How long the verification had been running before this part. */
  readonly ranMs: number;
}

export interface VerificationMarksOptions {
  readonly plan: MigrationPlan;
  readonly access: OpenMarks;
  /** Set if the marks are those of a part of the range. */
  readonly part?: MarkedPart;
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
  readonly #beganMs: number;
  #lastMs: number;
  #writing: Promise<void> | undefined;
  #isRefused = false;
  readonly #closed = new AbortController();
  readonly #signal: AbortSignal;

  constructor(options: VerificationMarksOptions) {
    this.#options = options;
    const { part, plan, access, clock } = options;
    this.#lastMs = clock.monotonicMs();
    this.#beganMs = this.#lastMs - (part?.ranMs ?? 0);
    if (part !== undefined) {
      const stretch = { shard: part.shard, frozenEndMs: undefined };
      this.#access = access({ ...planOfRun(plan, part.run), startMs: part.startMs, stretch });
    }
    this.#signal = AbortSignal.any([options.signal, this.#closed.signal]);
  }

  /**
   * Where the last verification of [startMs, toMs) was interrupted. A finished one left a mark at the end: then a new one begins, with marks of its
   * own.
   * @returns `in-stretches` if it was divided
   */
  async find(
    startMs: number,
    toMs: number,
    signal: AbortSignal,
  ): Promise<ResumedVerification | 'in-stretches' | undefined> {
    const { plan, access } = this.#options;
    for (let run = 1; ; run++) {
      this.#access?.close();
      this.#access = access(planOfRun(plan, run));
      const mark = await this.#access.latestMark(startMs, toMs, signal);
      if (mark === undefined) return undefined;
      if (mark.shard !== FIRST_SHARD) {
        if (covers(await this.#access.ledger(toMs, signal), { startMs, endMs: toMs })) continue;
        return 'in-stretches';
      }
      if (mark.throughMs + 1 >= toMs) continue;
      return mark.counts && { throughMs: mark.throughMs + 1, counts: verificationCountsOf(mark.counts) };
    }
  }

  /** Marks how far the verification has got, if it is time. Returns at once. */
  advanced(verification: VerificationProgress): void {
    const { clock, part } = this.#options;
    const nowMs = clock.monotonicMs();
    const isFinished = verification.throughMs >= verification.endMs;
    const hasMarks = this.#writing !== undefined || verification.resumedFromMs !== undefined;
    const isTime = nowMs - this.#lastMs >= INTERVAL_MS && verification.throughMs > verification.startMs;
    const isClean = isMatching(verification) && verification.extra === 0 && verification.repaired === 0;
    // The last mark of the whole shows a later verification that this one is over, whatever it has found. That of a stretch spares an
    // interrupted one the stretch.
    const isLast = part === undefined ? hasMarks : isClean && (hasMarks || nowMs - this.#beganMs >= INTERVAL_MS);
    if (isFinished ? isLast : isTime && isClean) this.#mark(verification);
  }

  /** All stretches are over. Marks the whole range, if there may be other marks. */
  over(verification: VerificationProgress): void {
    const hasMarks = verification.resumedFromMs !== undefined;
    if (hasMarks || this.#options.clock.monotonicMs() - this.#beganMs >= INTERVAL_MS) this.#mark(verification);
  }

  #mark(verification: VerificationProgress): void {
    if (this.#isRefused) return;
    this.#lastMs = this.#options.clock.monotonicMs();
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
