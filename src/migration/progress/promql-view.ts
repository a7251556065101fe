// Reads the destination through its PromQL API, and through VictoriaMetrics' export where available (`progress.protocol: PromQL`).

import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { QueryClient } from '../../remote/query-client.ts';
import type { QuerySeries } from '../../remote/query-response.ts';
import { encodeLabels } from '../../wire/labels.ts';
import type { Matcher } from '../plan/migration-plan.ts';
import { DoesNotFit } from '../../remote/does-not-fit.ts';
import { addTimes, type PresentTimes } from './present-times.ts';
import { freshMatcher, markMatchers } from './progress-mark.ts';
import { formatSelector } from '../../api/selector.ts';
import {
  ANY_DATA,
  type FurthestSample,
  type ProgressSample,
  type ReachingRange,
  type ReadRange,
} from './read-range.ts';
import { ReadableView } from './readable-view.ts';
import type { ViewOptions } from './view-options.ts';
import { APPEARING_MS, FLUSHING_MS } from './settling.ts';

/** The maximum number of marks in one read. */
const MAX_MARKS_AT_ONCE = 500;
/** For a growing list. */
const BYTES_PER_TIME = 16;
const MAX_MARK_RESPONSE_BYTES = 8 * 1024 * 1024;

export class PromqlView extends ReadableView {
  readonly #client: QueryClient;
  /** VictoriaMetrics' export also shows stale markers, which no PromQL result does. Undefined until it was tried. */
  #exports: boolean | undefined;
  #isPrometheus: boolean | undefined;

  constructor(options: ViewOptions) {
    super(options);
    this.#client = new QueryClient(options.endpoint, options.hooks);
  }

  /**
   * Prometheus shows what it has acknowledged immediately. Others may hide it: VictoriaMetrics until it flushes, Mimir with ingest storage until
   * its ingesters have consumed it.
   */
  async show(signal: AbortSignal): Promise<number> {
    if (this.#isPrometheus !== true && (await this.#client.flush(signal))) return FLUSHING_MS;
    this.#isPrometheus ??= await this.#client.isPrometheus(signal);
    return this.#isPrometheus ? 0 : APPEARING_MS;
  }

  /**
   * VictoriaMetrics' index contains every series whose samples it has acknowledged, including those of hidden rows, because its flush waits for
   * the index. The index has a resolution of days.
   */
  async isUntouched(fromMs: number, toMs: number, signal: AbortSignal): Promise<boolean> {
    if (this.#exports !== true) return false;
    const { plan, clock } = this.options;
    const marks = { matchers: markMatchers(plan), fromMs: plan.startMs, toMs: Math.max(toMs, clock.now()) };
    const indexed = await Promise.all([
      this.#mayHaveIndexed({ matchers: ANY_DATA, fromMs, toMs }, signal),
      this.#mayHaveIndexed(marks, signal),
    ]);
    return !indexed.includes(true);
  }

  close(): void {
    this.#client.close();
  }

  get convertsHistograms(): boolean {
    return this.#exports === true;
  }

  get dropsNan(): boolean {
    return this.#exports === true;
  }

  protected get hidesStaleMarkers(): boolean {
    return this.#exports !== true;
  }

  protected async readProgress(range: ReadRange, signal: AbortSignal): Promise<ProgressSample[]> {
    const { fromMs, toMs } = range;
    if (toMs - fromMs > 1) {
      const counts = await this.#queryProgress(range, signal, 'count_over_time');
      const count = counts.reduce((sum, { samples }) => sum + Number(samples[0]?.[1] ?? 0), 0);
      if (count > MAX_MARKS_AT_ONCE) throw new DoesNotFit(`${count} progress marks are too many to read at once`);
      if (count === 0) return [];
    }
    const series = await this.#queryProgress(range, signal);
    return series.flatMap(({ metric, samples }) => {
      return samples
        .filter(([timeMs]) => timeMs >= fromMs && timeMs < toMs)
        .map(([timeMs, value]) => ({ labels: metric, timeMs, value: Number(value) }));
    });
  }

  /** The values of a progress series never become smaller, so the largest one belongs to the furthest mark. */
  protected async readFurthest(range: ReadRange, signal: AbortSignal): Promise<FurthestSample[]> {
    const series = await this.#queryProgress(range, signal, 'max_over_time');
    return series.flatMap(({ metric, samples: [sample] }) =>
      sample === undefined ? [] : [{ labels: metric, timeMs: undefined, value: Number(sample[1]) }],
    );
  }

  protected async readTimes(range: ReachingRange, present: PresentTimes, signal: AbortSignal): Promise<void> {
    const { matchers, fromMs, toMs, untilMs } = range;
    if (this.#exports !== false) {
      try {
        await this.retried(signal, (attempt) => this.#readExported(range, present, { attempt, signal }));
        this.#exports = true;
        return;
      } catch (error) {
        this.#noteExport(error);
      }
    }
    await this.retried(signal, async (attempt) => {
      const options = { attempt, signal, maxBytes: this.options.maxResponseBytes };
      const promql = this.#rangeSelector({ matchers, fromMs, toMs: untilMs });
      const piece = { fromMs, toMs, times: 0 };
      for await (const { metric, timesMs } of this.#client.rangeTimes(promql, untilMs, { fromMs, toMs }, options)) {
        const times = present.of(encodeLabels(Object.entries(metric)));
        if (times !== undefined) this.#add(times, timesMs, piece);
      }
    });
  }

  /** Only VictoriaMetrics' export shows it in its first line. The request ends after that line. */
  protected async hasSeries({ matchers, fromMs, toMs }: ReadRange, signal: AbortSignal): Promise<boolean | undefined> {
    if (this.#exports === false) return undefined;
    const selector = this.#selector(matchers);
    try {
      const isShown = await this.retried(signal, async (attempt) => {
        const options = { attempt, signal, maxBytes: this.options.maxResponseBytes };
        for await (const _ of this.#client.exportSeries([selector], fromMs, toMs, options)) return true;
        return false;
      });
      this.#exports = true;
      return isShown;
    } catch (error) {
      this.#noteExport(error);
      return undefined;
    }
  }

  /** True if unknown. */
  async #mayHaveIndexed({ matchers, fromMs, toMs }: ReadRange, signal: AbortSignal): Promise<boolean> {
    const maxBytes = this.options.maxResponseBytes;
    try {
      return await this.retried(signal, (attempt) =>
        this.#client.hasSeries(this.#selector(matchers), fromMs, toMs, { attempt, signal, maxBytes }),
      );
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RemoteError) return true;
      throw error;
    }
  }

  async #queryProgress(range: ReadRange, signal: AbortSignal, call?: string): Promise<readonly QuerySeries[]> {
    const selector = this.#rangeSelector(range);
    const promql = call === undefined ? selector : `${call}(${selector})`;
    const result = await this.retried(signal, (attempt) =>
      this.#client.query(promql, range.toMs, { attempt, signal, maxBytes: MAX_MARK_RESPONSE_BYTES }),
    );
    return result.series;
  }

  /**
   * Evaluated at `toMs`, the selector covers [fromMs, toMs) in every store, plus one millisecond at either end in some: a range includes both
   * ends in Prometheus 2, excludes the start in Prometheus 3 and VictoriaMetrics, and excludes the end in M3.
   */
  #rangeSelector({ matchers, fromMs, toMs }: ReadRange): string {
    return `${this.#selector(matchers)}[${toMs - fromMs + 1}ms]`;
  }

  async #readExported(
    { matchers, fromMs, toMs, untilMs }: ReachingRange,
    present: PresentTimes,
    options: { signal: AbortSignal; attempt: number },
  ): Promise<void> {
    const maxBytes = this.options.maxResponseBytes;
    const piece = { fromMs, toMs, times: 0 };
    const exported = this.#client.exportSeries([this.#selector(matchers)], fromMs, untilMs, { ...options, maxBytes });
    for await (const { metric, timesMs } of exported) {
      const times = present.of(encodeLabels(Object.entries(metric)));
      if (times !== undefined) this.#add(times, timesMs, piece);
    }
  }

  /** @throws DoesNotFit when the response shows more samples than the memory limit allows */
  #add(to: number[], timesMs: readonly number[], piece: { fromMs: number; toMs: number; times: number }): void {
    const { maxResponseBytes } = this.options;
    const before = to.length;
    addTimes(to, timesMs, piece.fromMs, piece.toMs);
    piece.times += to.length - before;
    if (piece.times * BYTES_PER_TIME > maxResponseBytes)
      throw new DoesNotFit(`the samples of a response take more than ${maxResponseBytes} bytes`);
  }

  /** @throws the error unless it means that there is no export */
  #noteExport(error: unknown): void {
    if (!(error instanceof RemoteError) || error.code !== 'export-not-offered') throw error;
    this.#exports = false;
  }

  #selector(matchers: readonly Matcher[]): string {
    return formatSelector([...matchers, freshMatcher(this.options.random)]);
  }
}
