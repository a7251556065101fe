// The destination seen by its PromQL API, and by VictoriaMetrics' export where that is offered (`progress.protocol: PromQL`).

import type { Endpoint } from '../../remote/endpoint.ts';
import type { ClientContext } from '../../remote/http/http.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { QueryClient } from '../../remote/query-client.ts';
import type { Clock } from '../../telemetry/clock.ts';
import { encodeLabels, labelKey } from '../../wire/labels.ts';
import type { Retrier } from '../limits/retrier.ts';
import type { Matcher, MigrationPlan } from '../plan/migration-plan.ts';
import type { DestinationView, Hidden, SeriesRange } from './destination-view.ts';
import { findLatestMark } from './mark-search.ts';
import { addTimes, collectPresentTimes, namesMatcher, type PresentTimes } from './present-times.ts';
import { formatSelector, freshMatcher, LatestMark, type Mark, markMatchers } from './progress-mark.ts';
import { settle } from './settling.ts';

export interface PromqlViewOptions {
  readonly plan: MigrationPlan;
  readonly endpoint: Endpoint;
  readonly hooks: ClientContext;
  readonly retrier: Retrier;
  readonly clock: Clock;
  readonly random: () => number;
  /** The most that one response, or one line of an export, may take; a larger one is asked for in pieces. */
  readonly maxResponseBytes: number;
}

const ANY_SERIES: Matcher = { kind: '=~', name: '__name__', value: '.+' };
/** As many samples of the progress series as are read at once, those of counts too; a stretch with more is halved first. */
const MAX_MARKS_AT_ONCE = 500;
const MAX_MARK_RESPONSE_BYTES = 8 * 1024 * 1024;

export class PromqlView implements DestinationView {
  readonly readable = true;
  readonly #options: PromqlViewOptions;
  readonly #client: QueryClient;
  /** VictoriaMetrics' export also shows stale markers, which no PromQL result does; undefined until it was tried. */
  #exports: boolean | undefined;

  constructor(options: PromqlViewOptions) {
    this.#options = options;
    this.#client = new QueryClient(options.endpoint, options.hooks);
  }

  latestMark(fromMs: number, toMs: number, signal: AbortSignal): Promise<Mark | undefined> {
    return findLatestMark((from, to) => this.#latestMark(from, to, signal), fromMs, toMs);
  }

  async showsMark(throughMs: number, signal: AbortSignal): Promise<boolean> {
    return (await this.#latestMark(throughMs, throughMs + 1, signal)) !== undefined;
  }

  presentTimes(range: SeriesRange, signal: AbortSignal): Promise<ReadonlyMap<string, Float64Array>> {
    return collectPresentTimes(range, (names, fromMs, toMs, present) =>
      this.#addTimes(this.#selector([namesMatcher(names)]), fromMs, toMs, present, signal),
    );
  }

  async isEmpty(fromMs: number, toMs: number, signal: AbortSignal): Promise<boolean> {
    const selector = this.#selector([ANY_SERIES]);
    const options = { attempt: 1, signal, maxBytes: this.#options.maxResponseBytes };
    try {
      // The first line says it, and to look no further ends the request.
      for await (const _ of this.#client.exportSeries([selector], fromMs, toMs - 1, options)) return false;
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RemoteError) return false;
      throw error;
    }
  }

  hides(): Hidden {
    return this.#exports === true ? 'nothing' : 'stale-markers';
  }

  settle(signal: AbortSignal): Promise<void> {
    return settle(this.#options.clock, (during) => this.show(during), signal);
  }

  show(signal: AbortSignal): Promise<boolean> {
    return this.#client.flush(signal);
  }

  close(): void {
    this.#client.close();
  }

  async #latestMark(fromMs: number, toMs: number, signal: AbortSignal): Promise<Mark | undefined> {
    let [lowMs, highMs] = [fromMs, toMs];
    let count = await this.#countMarks(lowMs, highMs, signal);
    while (count > MAX_MARKS_AT_ONCE && highMs - lowMs > 1) {
      const middleMs = lowMs + Math.floor((highMs - lowMs) / 2);
      const later = await this.#countMarks(middleMs, highMs, signal);
      if (later > 0) lowMs = middleMs;
      else highMs = middleMs;
      count = later > 0 ? later : await this.#countMarks(lowMs, highMs, signal);
    }
    if (count === 0) return undefined;
    const latest = new LatestMark();
    for (const { metric, samples } of await this.#queryMarks(lowMs, highMs, signal)) {
      for (const [throughMs, value] of samples) {
        // Prometheus 2 closes a range at both ends.
        if (throughMs < fromMs || throughMs >= toMs) continue;
        latest.add(metric, throughMs, Number(value));
      }
    }
    return latest.mark;
  }

  async #countMarks(fromMs: number, toMs: number, signal: AbortSignal): Promise<number> {
    const series = await this.#queryMarks(fromMs, toMs, signal, 'count_over_time');
    return series.reduce((sum, { samples }) => sum + Number(samples[0]?.[1] ?? 0), 0);
  }

  async #queryMarks(fromMs: number, toMs: number, signal: AbortSignal, call?: string) {
    const { plan, endpoint, retrier } = this.#options;
    const range = `${this.#selector(markMatchers(plan))}[${toMs - fromMs}ms]`;
    const promql = call === undefined ? range : `${call}(${range})`;
    const result = await retrier.persist(endpoint, signal, (attempt) =>
      this.#client.query(promql, toMs - 1, { attempt, signal, maxBytes: MAX_MARK_RESPONSE_BYTES }),
    );
    return result.series;
  }

  async #addTimes(
    selector: string,
    fromMs: number,
    toMs: number,
    present: PresentTimes,
    signal: AbortSignal,
  ): Promise<void> {
    const { endpoint, retrier, maxResponseBytes: maxBytes } = this.#options;
    if (this.#exports !== false) {
      try {
        await retrier.persist(endpoint, signal, (attempt) =>
          this.#addExported(selector, fromMs, toMs, present, { attempt, signal }),
        );
        this.#exports = true;
        return;
      } catch (error) {
        if (!(error instanceof RemoteError) || error.code !== 'export-not-offered') throw error;
        this.#exports = false;
      }
    }
    const promql = `${selector}[${toMs - fromMs}ms]`;
    const result = await retrier.persist(endpoint, signal, (attempt) =>
      this.#client.query(promql, toMs - 1, { attempt, signal, maxBytes }),
    );
    for (const { metric, samples, histogramTimesMs } of result.series) {
      const key = labelKey(encodeLabels(Object.entries(metric)));
      const timesMs = samples.map(([timeMs]) => timeMs);
      addTimes(present, key, timesMs, fromMs, toMs);
      addTimes(present, key, histogramTimesMs, fromMs, toMs);
    }
  }

  async #addExported(
    selector: string,
    fromMs: number,
    toMs: number,
    present: PresentTimes,
    options: { signal: AbortSignal; attempt: number },
  ): Promise<void> {
    const maxBytes = this.#options.maxResponseBytes;
    const exported = this.#client.exportSeries([selector], fromMs, toMs - 1, { ...options, maxBytes });
    for await (const { metric, timesMs } of exported) {
      addTimes(present, labelKey(encodeLabels(Object.entries(metric))), timesMs, fromMs, toMs);
    }
  }

  #selector(matchers: readonly Matcher[]): string {
    return formatSelector([...matchers, freshMatcher(this.#options.random)]);
  }
}
