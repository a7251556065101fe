// Compares both sides window by window. A window with differences is looked at again after a while, and its differences count when they are still
// there. Everything else is counted at once.

import type { Clock } from '../../telemetry/clock.ts';
import { WireError } from '../../wire/errors.ts';
import { type LabelBytes, metricName } from '../../wire/labels.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import { readAhead } from '../read/read-ahead.ts';
import type { SourceReader } from '../read/source-reader.ts';
import { releasePart } from '../read/window-part.ts';
import { MigrationError } from '../report/migration-error.ts';
import type { MigrationObserver, MigrationProgress } from '../report/observer.ts';
import type { Difference, VerificationProgress } from '../report/verification.ts';
import { namesMatcher } from '../series/name-groups.ts';
import type { DestinationPart } from './destination-reader.ts';
import { lookAgain, type Recheck, RecheckDraft, Rechecks } from './rechecks.ts';
import type { SeriesTally } from './sample-comparison.ts';
import type { Sides } from './sides.ts';
import { addCounts, addTally, noCounts, noteFirst } from './verification-counts.ts';
import { UndecodableWindow, WindowComparison } from './window-comparison.ts';

export interface VerifierOptions {
  readonly plan: MigrationPlan;
  readonly sides: Sides;
  readonly clock: Clock;
  readonly observer: MigrationObserver;
  /** Of the requests and waits. */
  readonly progress: MigrationProgress;
  readonly verification: VerificationProgress;
  /** Gets every difference that counts. */
  readonly report: (difference: Difference) => void;
  /** Writes what is missing in a window; undefined if nothing is to be repaired. */
  readonly repair?: (recheck: Recheck) => Promise<void>;
  /** Start no new window. */
  readonly stop: AbortSignal;
  readonly signal: AbortSignal;
}

const PARTS_READ_AHEAD = 2;
const TRIES_TO_DECODE = 5;

export class Verifier {
  readonly #options: VerifierOptions;
  readonly #windows: WindowComparison;
  readonly #rechecks = new Rechecks();
  /** Of the windows that have been compared, differences that wait excluded. */
  #comparedToMs: number;
  #undecodable = 0;

  constructor(options: VerifierOptions) {
    this.#options = options;
    const { verification, report } = options;
    this.#windows = new WindowComparison({
      ...options,
      report: (difference) => {
        noteFirst(verification, difference);
        report(difference);
      },
    });
    this.#comparedToMs = verification.throughMs;
  }

  /**
   * Compares [fromMs, toMs) completely, or until `stop` is aborted.
   * @throws MigrationError when a side can't be read; the signal's reason
   */
  async run(fromMs: number, toMs: number): Promise<void> {
    const { stop, signal } = this.#options;
    const reader = this.#windows.reader(undefined);
    let atMs = fromMs;
    while (atMs < toMs && !stop.aborted) {
      try {
        atMs = await this.#compareFrom(reader, atMs, toMs);
      } catch (error) {
        if (!(error instanceof UndecodableWindow)) throw error;
        atMs = error.window.fromMs;
        await this.#readAgain(reader, error, signal);
      }
      while (await this.#recheckNext(this.#rechecks.areTooMany));
    }
    while (!stop.aborted && !this.#rechecks.isEmpty) await this.#recheckNext(true);
  }

  /**
   * Compares windows until one of those that wait is due: looking at it again needs the memory of the windows that are read ahead.
   * @returns where to go on
   */
  async #compareFrom(reader: SourceReader<DestinationPart>, fromMs: number, toMs: number): Promise<number> {
    const { stop, signal } = this.#options;
    const reading = new AbortController();
    const readSignal = AbortSignal.any([signal, stop, reading.signal]);
    const parts = readAhead(reader.windows(fromMs, toMs, readSignal), PARTS_READ_AHEAD, releasePart);
    let counts = noCounts();
    let draft = new RecheckDraft();
    let atMs = fromMs;
    try {
      for await (const part of parts) {
        try {
          await this.#windows.compare(part, (labels, hash, tally) => this.#sort(labels, hash, tally, counts, draft));
        } finally {
          releasePart(part);
        }
        if (!part.last) continue;
        this.#finishWindow(part.window, counts, draft);
        atMs = part.window.toMs;
        if (stop.aborted || this.#isRecheckDue) break;
        counts = noCounts();
        draft = new RecheckDraft();
      }
    } catch (error) {
      // A stop interrupts the read-ahead of the next window. That is not a failure.
      if (!stop.aborted || signal.aborted || error !== stop.reason) throw error;
    } finally {
      reading.abort();
    }
    return atMs;
  }

  get #isRecheckDue(): boolean {
    const nextAtMs = this.#rechecks.nextAtMs ?? Number.POSITIVE_INFINITY;
    return this.#rechecks.areTooMany || nextAtMs <= this.#options.clock.monotonicMs();
  }

  /** @returns whether to report the differences of the series now */
  #sort(
    labels: LabelBytes,
    hash: number,
    tally: SeriesTally,
    counts: ReturnType<typeof noCounts>,
    draft: RecheckDraft,
  ): boolean {
    if (tally.differs && hash >= 0) {
      draft.add(hash, metricName(labels));
      return false;
    }
    addTally(counts, tally);
    return tally.extra > 0;
  }

  #finishWindow(
    window: { fromMs: number; toMs: number },
    counts: ReturnType<typeof noCounts>,
    draft: RecheckDraft,
  ): void {
    const { verification, clock, plan } = this.#options;
    addCounts(verification, counts);
    if (!draft.isEmpty) {
      this.#rechecks.add(draft.finish(window, clock.monotonicMs(), plan.verification.settleMs));
    }
    this.#comparedToMs = window.toMs;
    verification.reachedMs = Math.max(verification.reachedMs, window.toMs);
    this.#advance();
  }

  #advance(): void {
    const { verification, observer, progress } = this.#options;
    verification.throughMs = Math.min(this.#comparedToMs, this.#rechecks.firstFromMs ?? this.#comparedToMs);
    observer.progress(progress);
  }

  /** @returns whether a window was looked at. @param wait for one that is not due yet */
  async #recheckNext(wait: boolean): Promise<boolean> {
    const { clock, signal, stop, progress } = this.#options;
    const nextAtMs = this.#rechecks.nextAtMs;
    if (nextAtMs === undefined) return false;
    const waitMs = nextAtMs - clock.monotonicMs();
    if (waitMs > 0) {
      if (!wait) return false;
      progress.waitingFor = 'the destination to show what it has';
      await this.#sleep(waitMs, AbortSignal.any([signal, stop]));
      if (stop.aborted) return false;
    }
    const recheck = this.#rechecks.takeDue(clock.monotonicMs());
    if (recheck === undefined) return true;
    await this.#recheck(recheck);
    this.#advance();
    return true;
  }

  /** The reader may divide the window. Each piece that it reads counts by itself, and what still differs waits by itself. */
  async #recheck(recheck: Recheck): Promise<void> {
    const { clock, verification, signal } = this.#options;
    const { names, series, fromMs, toMs } = recheck;
    const isFinal = clock.monotonicMs() >= recheck.finalAtMs;
    const only = names === undefined || !this.#windows.keepsNames ? undefined : namesMatcher([...names]);
    const reader = this.#windows.reader(only);
    let counts = noCounts();
    let draft = new RecheckDraft();
    const visit = (labels: LabelBytes, hash: number, tally: SeriesTally) => {
      if (!tally.differs || isFinal) {
        addTally(counts, tally);
        return tally.differs || tally.extra > 0;
      }
      draft.add(hash, metricName(labels));
      return false;
    };
    for await (const part of reader.windows(fromMs, toMs, signal)) {
      try {
        await this.#windows.compare(part, visit, (hash) => series.has(hash));
      } finally {
        releasePart(part);
      }
      if (!part.last) continue;
      addCounts(verification, counts);
      if (!draft.isEmpty) this.#rechecks.add(lookAgain({ ...recheck, ...draft.left(part.window) }));
      counts = noCounts();
      draft = new RecheckDraft();
    }
  }

  async #readAgain(
    reader: SourceReader<DestinationPart>,
    { window, cause }: UndecodableWindow,
    signal: AbortSignal,
  ): Promise<void> {
    if (cause instanceof WireError) {
      await reader.readAgain(window, cause, signal);
      return;
    }
    this.#options.sides.destination.undecodable();
    if (++this.#undecodable < TRIES_TO_DECODE) return;
    throw new MigrationError(
      'destination-undecodable',
      `the destination's response cannot be decoded: ${cause.message}`,
      {
        side: 'progress',
        hint: 'find out what changes response bodies on the way; if it persists, the data in the destination is damaged',
        cause,
      },
    );
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.clock.sleep(ms, signal);
    } catch (error) {
      if (!this.#options.stop.aborted) throw error;
    }
  }
}
