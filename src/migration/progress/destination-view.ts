// Everything that a run reads from its destination, as one interface. remote-read-view.ts, promql-view.ts and no-view.ts implement it, one for
// each `destination.progress.protocol`.

import type { LabelBytes } from '../../wire/labels.ts';
import type { Mark } from './progress-mark.ts';
import type { Look } from './settling.ts';

/**
 * Samples that a view may not have shown although the destination has them. PromQL results do not contain stale markers. If nothing can be
 * compared, everything is hidden.
 */
export type Hidden = 'nothing' | 'stale-markers' | 'everything';

/** Series, and the time range in which to look for their samples. */
export interface SeriesRange {
  /** The metric names of all the series. */
  readonly names: readonly string[];
  /** The series, by `labelKey` of their canonical labels. Called when the destination shows any series of those names, usually once. */
  readonly keys: () => Iterable<string>;
  /** Half open: [fromMs, toMs). */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface DestinationView {
  /** Whether the destination can be read. If not, no marks are written, because no run could read them. */
  readonly readable: boolean;

  /** The latest mark of this copy in [fromMs, toMs), of any shard; undefined without a mark. */
  latestMark(fromMs: number, toMs: number, signal: AbortSignal): Promise<Mark | undefined>;

  /** The furthest mark of each shard, in no order. A run marks a stretch when it begins, so a shard without a mark was not begun. */
  ledger(toMs: number, signal: AbortSignal): Promise<readonly Mark[]>;

  /** Whether the mark of exactly this time can be read. */
  showsMark(throughMs: number, signal: AbortSignal): Promise<boolean>;

  /**
   * The timestamps that the destination has for these series: ascending, by series. Series without any are omitted.
   * @throws RemoteError when the destination refuses the read; MigrationError; the signal's reason on abort
   */
  presentTimes(range: SeriesRange, signal: AbortSignal): Promise<ReadonlyMap<string, Float64Array>>;

  /**
   * Whether the destination has no sample of any series in [fromMs, toMs), so that there is nothing to compare. False if it has some, or if
   * that is unknown.
   */
  isEmpty(fromMs: number, toMs: number, signal: AbortSignal): Promise<boolean>;

  /**
   * Whether the destination has no mark of this copy and, in [fromMs, toMs), no sample of any other series, including samples that it does not
   * show yet. False if that is unknown.
   */
  isUntouched(fromMs: number, toMs: number, signal: AbortSignal): Promise<boolean>;

  /** What `presentTimes` may have missed of the series with these canonical labels. */
  hides(labels: Uint8Array): Hidden;

  /** Whether the destination responds 2xx but drops NaN values that are not stale markers, as VictoriaMetrics does. */
  readonly dropsNan: boolean;

  /** Whether the destination may store a native histogram as float series, as VictoriaMetrics does. */
  readonly convertsHistograms: boolean;

  /**
   * Looks at the destination until nothing is missing, or until everything sent more than a moment ago must be visible.
   * @throws the signal's reason on abort
   */
  settled<T>(look: Look<T>, signal: AbortSignal): Promise<T>;

  /** Makes the destination show what it has acknowledged, if it can. @returns how long something may stay hidden despite that */
  show(signal: AbortSignal): Promise<number>;

  /** Closes all connections, including those in use. */
  close(): void;
}

/** How a destination that can be read shows what was written. */
export interface Appearance {
  /** The labels that a series was written with, from those that the destination shows. */
  writtenLabels(shown: LabelBytes): LabelBytes;

  /** Whether the destination shows a series that was written once several times, each with other labels. */
  readonly showsCopies: boolean;

  /** Where a range has to end so that the destination shows all that it has before `toMs`. */
  rangeEndMs(toMs: number): number;

  /**
   * Finds out which labels the destination adds to series, and whether it shows old ranges, if no mark has shown it yet. Writes one sample beside
   * the progress series.
   */
  learnHowItShows(timeMs: number, signal: AbortSignal): Promise<void>;

  /**
   * Finds out whether the destination hides ranges of that age behind newer data. The latest mark does not show it if stretches were copied side by
   * side: then older data may have arrived later. Writes one sample beside the progress series, unless there is one of that time.
   */
  learnWhatItHides(timeMs: number, signal: AbortSignal): Promise<void>;
}
