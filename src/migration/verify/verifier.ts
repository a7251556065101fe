// Compares both sides window by window. A range with differences is compared again later, and the differences that are still there count.
// Everything else counts immediately.

import type { Clock } from '../../telemetry/clock.ts';
import type { Matcher, MigrationPlan } from '../plan/migration-plan.ts';
import type { MigrationObserver, MigrationProgress } from '../report/observer.ts';
import type { VerificationCounts, VerificationProgress } from '../report/verification.ts';
import { namesMatcher } from '../series/name-groups.ts';
import { CountedRanges } from './counted-ranges.ts';
import type { SeriesVisitor } from './part-comparison.ts';
import type { Findings } from './findings.ts';
import { RangeComparison, type Reader } from './range-comparison.ts';
import { type Recheck, Rechecks } from './rechecks.ts';
import type { Repair } from './repair.ts';
import { ShownDestination } from './shown-destination.ts';
import type { Sides } from './sides.ts';
import { addCounts, noCounts } from './verification-counts.ts';
import { LearnedMeanwhile, mergedTooLarge, WindowComparison } from './window-comparison.ts';
import type { WindowOutcome } from './window-outcome.ts';

export interface VerifierOptions {
  readonly plan: MigrationPlan;
  readonly sides: Sides;
  readonly clock: Clock;
  readonly observer: MigrationObserver;
  /** Of the requests and waits. */
  readonly progress: MigrationProgress;
  readonly verification: VerificationProgress;
  /** Gets every difference. */
  readonly findings: Findings;
  /** Writes what is missing; undefined if nothing is to be repaired. */
  readonly repair: Repair | undefined;
  /** Called when everything before `verification.throughMs` has been compared. */
  readonly advanced: () => void;
  /** Start no new window. */
  readonly stop: AbortSignal;
  readonly signal: AbortSignal;
}

export class Verifier {
  readonly #options: VerifierOptions;
  readonly #windows: WindowComparison;
  readonly #ranges: RangeComparison;
  readonly #rechecks: Rechecks;
  /** Everything before it has been compared, differences that wait excluded. */
  #comparedToMs: number;
  readonly #counted = new CountedRanges();
  readonly #shown: ShownDestination;
  readonly #findings: Findings;

  constructor(options: VerifierOptions) {
    this.#options = options;
    const { verification, findings, plan } = options;
    this.#rechecks = new Rechecks(plan.verification.settleMs);
    this.#findings = findings;
    this.#shown = new ShownDestination(options.sides.view, options.clock);
    this.#windows = new WindowComparison({ ...options, report: (difference) => findings.add(difference) });
    this.#ranges = new RangeComparison({ ...options, windows: this.#windows });
    this.#comparedToMs = verification.throughMs;
  }

  /**
   * Compares [fromMs, toMs) completely, or until `stop` is aborted.
   * @throws MigrationError when a side can't be read; the signal's reason
   */
  async run(fromMs: number, toMs: number): Promise<void> {
    const { stop } = this.#options;
    const reader = this.#windows.reader({});
    let atMs = fromMs;
    while (atMs < toMs && !stop.aborted) {
      atMs = await this.#compareFrom(reader, atMs, toMs);
      while (await this.#recheckNext(this.#rechecks.areTooMany));
    }
    while (await this.#recheckNext(true));
  }

  /**
   * Compares windows until one of the ranges that wait is due: looking at it again needs the memory of the windows that are read ahead.
   * @returns where to continue
   */
  async #compareFrom(reader: Reader, fromMs: number, toMs: number): Promise<number> {
    const { stop, signal, clock } = this.#options;
    const look = { visitorOf: this.#first, only: undefined };
    let atMs = fromMs;
    try {
      await this.#ranges.compare(reader, { fromMs, toMs }, look, async ({ outcome, left, window }) => {
        this.#count(window, outcome.counts);
        await this.#findings.keep(signal);
        const sinceMs = clock.monotonicMs();
        for (const range of [...outcome.differing, ...left])
          this.#rechecks.add({ ...range, sinceMs, looks: 0, repaired: false });
        atMs = window.toMs;
        this.#comparedToMs = atMs;
        this.#advance();
        return !stop.aborted && !this.#isRecheckDue;
      });
      return atMs;
    } catch (error) {
      if (error instanceof LearnedMeanwhile) return error.fromMs;
      return await this.#ranges.resumeAfter(error, reader);
    } finally {
      this.#findings.discard();
    }
  }

  /** The first look: what differs waits for another one. */
  readonly #first = (outcome: WindowOutcome): SeriesVisitor => {
    return (_, hash, tally, sources) => {
      if (tally.differs && hash >= 0) {
        outcome.defer(hash, tally, sources);
        return false;
      }
      outcome.settle(tally);
      return tally.extra > 0;
    };
  };

  /** The last look: what differs counts. */
  readonly #last = (outcome: WindowOutcome): SeriesVisitor => {
    return (_, __, tally) => {
      outcome.settle(tally);
      return tally.differs || tally.extra > 0;
    };
  };

  get #isRecheckDue(): boolean {
    const nextAtMs = this.#rechecks.nextAtMs ?? Number.POSITIVE_INFINITY;
    return this.#rechecks.areTooMany || nextAtMs <= this.#options.clock.monotonicMs();
  }

  #count({ fromMs, toMs }: { fromMs: number; toMs: number }, counts: VerificationCounts): void {
    this.#counted.add({ fromMs, toMs, counts });
    const { samplesCompared, missing, different, repeated, extra } = counts;
    const found = { samplesCompared, missing, different: different + repeated, extra };
    this.#options.observer.event({ type: 'range-compared', fromMs, toMs, ...found });
  }

  #advance(): void {
    const { verification, observer, progress, advanced } = this.#options;
    const { throughMs, counts } = this.#counted.take(
      Math.min(this.#comparedToMs, this.#rechecks.firstFromMs ?? Number.POSITIVE_INFINITY),
    );
    for (const one of counts) addCounts(verification, one);
    verification.throughMs = throughMs;
    verification.reachedMs = Math.max(verification.reachedMs, this.#comparedToMs - this.#rechecks.waitingMs);
    observer.progress(progress);
    advanced();
  }

  /** @returns whether a range was looked at. @param wait for one that is not due yet */
  async #recheckNext(wait: boolean): Promise<boolean> {
    const { clock, signal, stop, progress, observer } = this.#options;
    const nextAtMs = this.#rechecks.nextAtMs;
    if (nextAtMs === undefined || stop.aborted) return false;
    const waitMs = nextAtMs - clock.monotonicMs();
    if (waitMs > 0) {
      if (!wait) return false;
      progress.waitingFor = 'the destination to show what it has';
      observer.progress(progress);
      await clock.sleep(waitMs, AbortSignal.any([signal, stop])).catch((error: unknown) => {
        if (!stop.aborted) throw error;
      });
      progress.waitingFor = '';
      if (stop.aborted) return false;
    }
    const recheck = this.#rechecks.takeDue(clock.monotonicMs());
    if (recheck === undefined) return true;
    await this.#recheck(recheck);
    this.#advance();
    return true;
  }

  async #recheck(recheck: Recheck): Promise<void> {
    const { clock, repair, signal } = this.#options;
    const { names, series } = recheck;
    const isLast = this.#rechecks.isLast(recheck);
    const repairs = isLast && repair !== undefined && !recheck.repaired;
    const only = names === undefined ? undefined : namesMatcher([...names]);
    const has = (hash: number) => series.has(hash);
    await this.#shown.show(recheck.sinceMs, isLast, signal);
    const visitorOf = isLast && !repairs ? this.#last : this.#first;
    const outcomes = await this.#compareAgain(recheck, { matcher: only, has }, visitorOf);
    if (outcomes === undefined) {
      this.#findings.discard();
      return this.#rechecks.add(recheck);
    }
    await this.#findings.keep(signal);
    const left = outcomes.flatMap(({ differing }) => differing);
    const differs = (hash: number) => left.some((range) => range.series.has(hash));
    if (repairs && left.length > 0) await repair.write(recheck, only, differs);
    const sum = noCounts();
    for (const { counts } of outcomes) addCounts(sum, counts);
    if (recheck.repaired) {
      const missing = left.reduce((samples, range) => samples + range.missing, sum.missing);
      sum.repaired = Math.max(0, recheck.missing - missing);
    }
    this.#count(recheck, sum);
    const next = repairs
      ? { sinceMs: clock.monotonicMs(), looks: 0, repaired: true }
      : { sinceMs: recheck.sinceMs, looks: recheck.looks + 1, repaired: recheck.repaired };
    for (const range of left) this.#rechecks.add({ ...range, ...next });
  }

  /**
   * All of a range counts at once, so that it can be read again when a response can't be decoded.
   * @returns undefined after a stop, or if what is known now changes how it is compared
   */
  async #compareAgain(
    range: Recheck,
    selected: { matcher: Matcher | undefined; has: (hash: number) => boolean },
    visitorOf: (outcome: WindowOutcome) => SeriesVisitor,
  ): Promise<Pick<WindowOutcome, 'counts' | 'differing'>[] | undefined> {
    // It remembers which responses were undecodable, so one reader makes all attempts.
    const reader = this.#windows.reader(selected);
    for (;;) {
      const outcomes: Pick<WindowOutcome, 'counts' | 'differing'>[] = [];
      let isWhole = false;
      try {
        await this.#ranges.compare(
          reader,
          range,
          { visitorOf, only: selected.has },
          async ({ outcome, left, window }) => {
            if (left.length > 0 && this.#rechecks.isLast(range)) throw mergedTooLarge(left);
            outcomes.push({ counts: outcome.counts, differing: [...outcome.differing, ...left] });
            isWhole = window.toMs >= range.toMs;
            return true;
          },
        );
        return isWhole ? outcomes : undefined;
      } catch (error) {
        this.#findings.discard();
        if (error instanceof LearnedMeanwhile) return undefined;
        await this.#ranges.resumeAfter(error, reader);
      }
    }
  }
}
