// Every question that a run has for its destination, in one interface: remote-read-view.ts, promql-view.ts and no-view.ts implement it, one
// for each `destination.progress.protocol`.

import type { Mark } from './progress-mark.ts';
import type { Look } from './settling.ts';

/**
 * Which samples a view may not have shown although they are there. PromQL results do not contain stale markers; where nothing can be
 * compared, everything is hidden.
 */
export type Hidden = 'nothing' | 'stale-markers' | 'everything';

/** Series, and the range of time in which their samples are looked for. */
export interface SeriesRange {
  /** The metric names of all the series. */
  readonly names: readonly string[];
  /** The series, by `labelKey` of their canonical labels. Called when the destination shows anything of those names, mostly once. */
  readonly keys: () => Iterable<string>;
  /** Half open: [fromMs, toMs). */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface DestinationView {
  /** Whether the destination can be read at all. If not, no marks are kept, because nobody could read them. */
  readonly readable: boolean;

  /** The latest mark of this copy in [fromMs, toMs); undefined when there is none. */
  latestMark(fromMs: number, toMs: number, signal: AbortSignal): Promise<Mark | undefined>;

  /** Whether the mark of exactly this time can be read. */
  showsMark(throughMs: number, signal: AbortSignal): Promise<boolean>;

  /**
   * The timestamps that the destination has of these series: ascending, by series; a series without any is left out.
   * @throws RemoteError when the destination refuses to be read; MigrationError; the signal's reason on abort
   */
  presentTimes(range: SeriesRange, signal: AbortSignal): Promise<ReadonlyMap<string, Float64Array>>;

  /**
   * Whether the destination has no sample in [fromMs, toMs), of any series: then there is nothing to compare. False when it has some, and
   * when that can't be found out.
   */
  isEmpty(fromMs: number, toMs: number, signal: AbortSignal): Promise<boolean>;

  /**
   * Whether the destination has neither a mark of this copy nor, in [fromMs, toMs), a sample of any other series, not even one that it does not
   * show yet. False when that can't be found out.
   */
  isUntouched(fromMs: number, toMs: number, signal: AbortSignal): Promise<boolean>;

  /** What `presentTimes` may have missed of the series with these canonical labels. */
  hides(labels: Uint8Array): Hidden;

  /** Whether the destination drops NaN that is no stale marker behind a 2xx, as VictoriaMetrics does. */
  readonly dropsNan: boolean;

  /** Whether the destination may keep a native histogram as series of floats, as VictoriaMetrics does. */
  readonly convertsHistograms: boolean;

  /**
   * Looks at the destination until nothing is missing, or everything that was sent more than a moment ago must have been seen. Rejects with
   * the signal's reason when it is aborted.
   */
  settled<T>(look: Look<T>, signal: AbortSignal): Promise<T>;

  /** Makes the destination show what it has acknowledged, where it can. @returns for how long something may stay hidden all the same */
  show(signal: AbortSignal): Promise<number>;

  /** Ends all connections, those in use too. */
  close(): void;
}
