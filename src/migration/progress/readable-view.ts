// What the two views of a readable destination have in common: they search for marks, read samples back, and learn how it shows them.

import { RemoteError } from '../../remote/meaning/remote-error.ts';
import type { LabelBytes } from '../../wire/labels.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import { AddedLabels } from './added-labels.ts';
import type { Appearance, DestinationView, Hidden, SeriesRange } from './destination-view.ts';
import { searchMark } from './mark-search.ts';
import { isTooLarge, type LearnedQueries, PresentTimes, readInPieces } from './present-times.ts';
import { damagedResponse } from './damaged-response.ts';
import { readLedger } from './mark-ledger.ts';
import { type Mark, markMatchers, probeMatchers } from './progress-mark.ts';
import {
  ANY_DATA,
  type FurthestSample,
  type ProgressSample,
  type ReachingRange,
  type ReadRange,
} from './read-range.ts';
import { pieceMatchers } from './series-pieces.ts';
import { type Look, lookUntilSettled, type Visibility } from './settling.ts';
import { UnclearSeries } from './unclear-series.ts';
import type { ViewOptions } from './view-options.ts';
import { hasSampleAt, seeProbe } from './view-probe.ts';

export abstract class ReadableView implements DestinationView, Appearance {
  readonly readable = true;
  protected readonly options: ViewOptions;
  #added: AddedLabels;
  /**
   * Thanos Query queries a Receive only for ranges that reach into its in-order head. Data that is older than the head is not shown for any
   * range that ends before the head, until the out-of-order head is compacted. Once this was seen, every range reaches to now.
   */
  #hidesOldRanges = false;
  readonly #learned: LearnedQueries = { singleNames: false };
  /** An earlier run of this copy has written: there are marks, or a probe older than this run's own. */
  #begun: boolean;
  #probed: Promise<void> | undefined;
  readonly #unclear = new UnclearSeries();

  constructor(options: ViewOptions) {
    this.options = options;
    this.#added = AddedLabels.unknown(options.plan.progressLabels);
    this.#begun = options.isResumed ?? false;
  }

  /** Samples of the progress series. @throws DoesNotFit, or RemoteError `too-large`, when there are too many */
  protected abstract readProgress(range: ReadRange, signal: AbortSignal): Promise<readonly ProgressSample[]>;

  /** The furthest sample of each series of the progress metric, or all of them. Throws like `readProgress`. */
  protected abstract readFurthest(range: ReadRange, signal: AbortSignal): Promise<readonly FurthestSample[]>;

  /** Adds the timestamps that the destination shows. @throws DoesNotFit, or RemoteError `too-large`, when they are too many at once */
  protected abstract readTimes(range: ReachingRange, present: PresentTimes, signal: AbortSignal): Promise<void>;

  /** Whether any series matches; undefined if that can't be found out without reading all of them. */
  protected abstract hasSeries(range: ReadRange, signal: AbortSignal): Promise<boolean | undefined>;

  protected abstract readonly hidesStaleMarkers: boolean;
  abstract readonly convertsHistograms: boolean;
  abstract readonly dropsNan: boolean;

  abstract isUntouched(fromMs: number, toMs: number, signal: AbortSignal): Promise<boolean>;
  abstract show(signal: AbortSignal): Promise<number>;
  abstract close(): void;

  settled<T>(look: Look<T>, signal: AbortSignal): Promise<T> {
    return lookUntilSettled(look, this.#visibility, signal);
  }

  latestMark(fromMs: number, toMs: number, signal: AbortSignal): Promise<Mark | undefined> {
    return this.#searchMark(this.options.plan, { fromMs, toMs }, signal);
  }

  async ledger(toMs: number, signal: AbortSignal): Promise<readonly Mark[]> {
    const { plan } = this.options;
    const range = { startMs: plan.startMs, endMs: toMs };
    const only = (shard: string) => ({ ...plan, stretch: { shard, frozenEndMs: undefined } });
    const search = (shard: string) => this.#searchMark(only(shard), { fromMs: plan.startMs, toMs }, signal);
    const read = async (fromMs: number, untilMs: number, shard?: string) => {
      // Otherwise a part of the range may show nothing, although it has marks.
      if (untilMs !== toMs) await this.#learnFromProbe(fromMs, signal);
      const matchers = markMatchers(shard === undefined ? plan : only(shard));
      const reach = { matchers, fromMs, toMs: untilMs === toMs ? this.#reach(toMs) : this.rangeEndMs(untilMs) };
      return this.#learn(await this.readFurthest(reach, signal));
    };
    const marks = await readLedger({ range, fromMs: plan.startMs, toMs, read, search });
    await this.#noteMarks(marks, signal);
    return marks;
  }

  async showsMark(throughMs: number, signal: AbortSignal): Promise<boolean> {
    return this.#shows(throughMs, signal, (untilMs) => this.#readMarks(throughMs, untilMs, signal));
  }

  async presentTimes(range: SeriesRange, signal: AbortSignal): Promise<ReadonlyMap<string, Float64Array>> {
    // The run that divided the range has looked at the marks, with a view of its own.
    if (this.options.plan.stretch !== undefined) await this.learnHowItShows(range.fromMs, signal);
    for (;;) {
      const added = this.#added;
      const present = new PresentTimes(range.keys, added);
      const untilMs = this.rangeEndMs(range.toMs);
      const options = {
        isAdded: (label: string) => added.isAdded(label),
        // A range that reaches to now does not become smaller if less of it is kept.
        canSplitTime: untilMs === range.toMs,
        learned: this.#learned,
      };
      await readInPieces(range, present, options, (piece) =>
        this.readTimes(
          {
            ...{ matchers: pieceMatchers(piece), fromMs: piece.fromMs, toMs: piece.toMs },
            untilMs: Math.max(piece.toMs, options.canSplitTime ? piece.toMs : untilMs),
          },
          present,
          signal,
        ),
      );
      if (present.lookExtended) {
        await this.#learnFromProbe(range.fromMs, signal);
        if (this.#added !== added) continue;
        this.#unclear.addAll();
      }
      this.#unclear.add(present.unclear);
      return present.sorted();
    }
  }

  async isEmpty(fromMs: number, toMs: number, signal: AbortSignal): Promise<boolean> {
    // Only newer data can hide older data.
    const nowMs = this.#reachMs();
    const [shown, newer] = await Promise.all([
      this.#tryHasSeries(fromMs, toMs, signal),
      toMs < nowMs ? this.#tryHasSeries(toMs, nowMs, signal) : false,
    ]);
    if (newer !== false) await this.#learnFromProbe(fromMs, signal);
    // All wanted data may be hidden there, and reading everything to check is too much. Without an earlier run of this copy it counts as empty.
    if (this.#hidesOldRanges) return !this.#begun;
    return shown === false;
  }

  writtenLabels(shown: LabelBytes): LabelBytes {
    return this.#added.writtenOf(shown);
  }

  get showsCopies(): boolean {
    return this.#added.areSeveral;
  }

  rangeEndMs(toMs: number): number {
    return this.#hidesOldRanges ? Math.max(toMs, this.#reachMs()) : toMs;
  }

  async learnHowItShows(timeMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#added.isKnown) await this.#learnFromProbe(timeMs, signal);
  }

  async learnWhatItHides(timeMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#hidesOldRanges) await this.#learnFromProbe(timeMs, signal);
  }

  hides(labels: Uint8Array): Hidden {
    if (this.#unclear.has(labels)) return 'everything';
    if (this.#added.clashWith(labels)) return 'everything';
    return this.hidesStaleMarkers ? 'stale-markers' : 'nothing';
  }

  /**
   * Retries a read like any other failing request. Damaged responses are retried too: a proxy that restarts sends them as well as a broken
   * server.
   * @throws RemoteError, always of this side and with a hint; DoesNotFit
   */
  protected retried<T>(signal: AbortSignal, read: (attempt: number) => Promise<T>): Promise<T> {
    const { retrier, endpoint } = this.options;
    return retrier.retry(endpoint, signal, async (attempt) => {
      try {
        return await read(attempt);
      } catch (error) {
        throw damagedResponse(error, attempt) ?? error;
      }
    });
  }

  async #searchMark(
    plan: MigrationPlan,
    { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
    signal: AbortSignal,
  ): Promise<Mark | undefined> {
    const matchers = markMatchers(plan);
    const untilMs = this.#reach(toMs);
    const read = (startMs: number, ended: AbortSignal) =>
      this.#readProgress({ matchers, fromMs: startMs, toMs: untilMs }, ended);
    const found = await searchMark(read, { fromMs, toMs }, signal);
    if (found !== undefined) await this.#noteMarks([found], signal);
    return found;
  }

  async #noteMarks(marks: readonly Mark[], signal: AbortSignal): Promise<void> {
    if (marks.length === 0) return;
    this.#begun = true;
    const latestMs = Math.max(...marks.map(({ throughMs }) => throughMs));
    if (!this.#hidesOldRanges) this.#hidesOldRanges = !(await this.#showsInOwnRange(latestMs, signal));
  }

  get #visibility(): Visibility {
    return { clock: this.options.clock, show: (signal) => this.show(signal) };
  }

  #reachMs(): number {
    return this.options.clock.now() + 1;
  }

  #reach(toMs: number): number {
    return Math.max(toMs, this.#reachMs());
  }

  #readMarks(fromMs: number, toMs: number, signal: AbortSignal): Promise<readonly ProgressSample[]> {
    return this.#readProgress({ matchers: markMatchers(this.options.plan), fromMs, toMs }, signal);
  }

  async #readProgress(range: ReadRange, signal: AbortSignal): Promise<readonly ProgressSample[]> {
    return this.#learn(await this.readProgress(range, signal));
  }

  #learn<T extends Pick<ProgressSample, 'labels'>>(shown: readonly T[]): readonly T[] {
    for (const { labels } of shown) this.#added = this.#added.learnedFrom(Object.entries(labels));
    return shown;
  }

  async #showsInOwnRange(timeMs: number, signal: AbortSignal): Promise<boolean> {
    return hasSampleAt(await this.#readMarks(timeMs, timeMs + 1, signal), timeMs);
  }

  /** Whether a sample of the progress series is visible, in a range of its own or, if that hides it, in one that reaches to now. */
  async #shows(
    timeMs: number,
    signal: AbortSignal,
    read: (untilMs: number) => Promise<readonly ProgressSample[]>,
  ): Promise<boolean> {
    const isShown = async (untilMs: number) => hasSampleAt(await read(untilMs), timeMs);
    const ownMs = timeMs + 1;
    const nowMs = Math.max(ownMs, this.#reachMs());
    if (!this.#hidesOldRanges && (await isShown(ownMs))) return true;
    try {
      if (!(await isShown(nowMs))) return false;
    } catch (error) {
      signal.throwIfAborted();
      // Some stores limit the range of a query. A refused query shows nothing, and the shorter range was readable.
      if (error instanceof RemoteError || isTooLarge(error)) return false;
      throw error;
    }
    // It may also have appeared in the meantime.
    if (!this.#hidesOldRanges && nowMs > ownMs) this.#hidesOldRanges = !(await isShown(ownMs));
    return true;
  }

  #learnFromProbe(timeMs: number, signal: AbortSignal): Promise<void> {
    this.#probed ??= this.#probe(timeMs, signal);
    return this.#probed;
  }

  async #probe(timeMs: number, signal: AbortSignal): Promise<void> {
    const { plan, probe } = this.options;
    const matchers = probeMatchers(plan);
    await seeProbe(timeMs, {
      startMs: plan.startMs,
      nowMs: () => this.#reachMs(),
      read: (fromMs, toMs) => this.#readProgress({ matchers, fromMs, toMs }, signal),
      found: () => {
        this.#begun = true;
      },
      write: () => probe(timeMs, signal),
      shows: (read) => this.#shows(timeMs, signal, read),
      visibility: this.#visibility,
      signal,
    });
  }

  async #tryHasSeries(fromMs: number, toMs: number, signal: AbortSignal): Promise<boolean | undefined> {
    try {
      return await this.hasSeries({ matchers: ANY_DATA, fromMs, toMs }, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RemoteError) return undefined;
      throw error;
    }
  }
}
