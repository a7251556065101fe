// Every question that a run has for its destination, in one interface: remote-read-view.ts, promql-view.ts and no-view.ts implement it, one
// for each `destination.progress.protocol`.

import type { Mark } from './progress-mark.ts';

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

  /** What `presentTimes` may have missed of the series with these canonical labels. */
  hides(labels: Uint8Array): Hidden;

  /** Whether the destination may keep a native histogram as series of floats, as VictoriaMetrics does. */
  readonly convertsHistograms: boolean;

  /** Resolves when everything that was sent more than a moment ago can be read. Rejects with the signal's reason when it is aborted. */
  settle(signal: AbortSignal): Promise<void>;

  /** Makes the destination show at once what it has acknowledged, where it can. @returns whether it could */
  show(signal: AbortSignal): Promise<boolean>;

  /** Ends all connections, those in use too. */
  close(): void;
}
