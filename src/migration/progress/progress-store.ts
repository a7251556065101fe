// Reads the marks of a migration back from its destination, by remote_read or by PromQL. The latest mark is looked for backwards in
// stretches that double, so that years of marks are never read whole. Called by migrate.ts at the start and after the first mark.

import type { Endpoint } from '../../remote/endpoint.ts';
import type { QueryClient } from '../../remote/query-client.ts';
import type { ReadClient } from '../../remote/read-client.ts';
import { decodeLabels } from '../../wire/labels.ts';
import { SampleColumns } from '../../wire/sample-columns.ts';
import type { MemoryBudget } from '../limits/memory-budget.ts';
import type { Matcher, MigrationPlan } from '../plan/migration-plan.ts';
import { formatSelector, freshMatcher, frozenEndOf, laterMark, type Mark, markMatchers } from './progress-mark.ts';
import { Reservation, readAnswer } from '../read/read-answer.ts';
import type { Retrier } from '../limits/retrier.ts';

/** Looks for the latest mark within [fromMs, toMs). */
export interface MarkReader {
  latest(fromMs: number, toMs: number, signal: AbortSignal): Promise<Mark | undefined>;
}

const firstStretchMs = 3_600_000;

/** The latest mark in [fromMs, toMs), or undefined when there is none. */
export async function findMark(
  reader: MarkReader,
  fromMs: number,
  toMs: number,
  signal: AbortSignal,
): Promise<Mark | undefined> {
  let endMs = toMs;
  for (let stretchMs = firstStretchMs; endMs > fromMs; stretchMs *= 2) {
    const startMs = Math.max(fromMs, endMs - stretchMs);
    const mark = await reader.latest(startMs, endMs, signal);
    if (mark !== undefined) return mark;
    endMs = startMs;
  }
  return undefined;
}

export class RemoteReadMarks implements MarkReader {
  readonly #plan: MigrationPlan;
  readonly #endpoint: Endpoint;
  readonly #client: ReadClient;
  readonly #budget: MemoryBudget;
  readonly #retrier: Retrier;

  constructor(options: {
    plan: MigrationPlan;
    endpoint: Endpoint;
    client: ReadClient;
    budget: MemoryBudget;
    retrier: Retrier;
  }) {
    this.#plan = options.plan;
    this.#endpoint = options.endpoint;
    this.#client = options.client;
    this.#budget = options.budget;
    this.#retrier = options.retrier;
  }

  async latest(fromMs: number, toMs: number, signal: AbortSignal): Promise<Mark | undefined> {
    const query = {
      matchers: markMatchers(this.#plan),
      fromMs,
      toMs,
      samplesOnly: true,
    };
    const { maxFrameBytes } = this.#plan.source;
    const reservation = new Reservation(this.#budget);
    try {
      const { cursor } = await this.#retrier.persist(this.#endpoint, signal, (attempt) => {
        reservation.release();
        return readAnswer(this.#client, query, { attempt, signal, reservation, maxFrameBytes });
      });
      let latest: Mark | undefined;
      const columns = new SampleColumns();
      while (cursor.next()) {
        columns.clear();
        cursor.decode(fromMs, toMs, columns);
        const endMs = frozenEndOf(Object.fromEntries(decodeLabels(cursor.labels)));
        const values = new Float64Array(columns.floatBits.buffer, columns.floatBits.byteOffset, columns.floats);
        for (let i = 0; i < columns.floats; i++) {
          latest = laterMark(latest, {
            throughMs: columns.floatTimesMs[i] as number,
            samples: values[i] as number,
            endMs,
          });
        }
      }
      return latest;
    } finally {
      reservation.release();
    }
  }
}

/** As many marks as are read at once; a stretch with more is halved first. */
const marksAtOnce = 500;
const markAnswerBytes = 8 * 1024 * 1024;

export class PromqlMarks implements MarkReader {
  readonly #matchers: readonly Matcher[];
  readonly #endpoint: Endpoint;
  readonly #client: QueryClient;
  readonly #retrier: Retrier;
  readonly #random: () => number;

  constructor(options: {
    plan: MigrationPlan;
    endpoint: Endpoint;
    client: QueryClient;
    retrier: Retrier;
    random: () => number;
  }) {
    this.#matchers = markMatchers(options.plan);
    this.#random = options.random;
    this.#endpoint = options.endpoint;
    this.#client = options.client;
    this.#retrier = options.retrier;
  }

  async latest(fromMs: number, toMs: number, signal: AbortSignal): Promise<Mark | undefined> {
    let [lowMs, highMs] = [fromMs, toMs];
    let count = await this.#count(lowMs, highMs, signal);
    while (count > marksAtOnce && highMs - lowMs > 1) {
      const middleMs = lowMs + Math.floor((highMs - lowMs) / 2);
      const later = await this.#count(middleMs, highMs, signal);
      if (later > 0) lowMs = middleMs;
      else highMs = middleMs;
      count = later > 0 ? later : await this.#count(lowMs, highMs, signal);
    }
    if (count === 0) return undefined;
    let latest: Mark | undefined;
    for (const { metric, samples } of await this.#query(lowMs, highMs, signal)) {
      const endMs = frozenEndOf(metric);
      for (const [throughMs, value] of samples) {
        // Prometheus 2 closes a range at both ends.
        if (throughMs < fromMs || throughMs >= toMs) continue;
        latest = laterMark(latest, { throughMs, samples: Number(value), endMs });
      }
    }
    return latest;
  }

  async #count(fromMs: number, toMs: number, signal: AbortSignal): Promise<number> {
    const series = await this.#query(fromMs, toMs, signal, 'count_over_time');
    return series.reduce((sum, { samples }) => sum + Number(samples[0]?.[1] ?? 0), 0);
  }

  async #query(fromMs: number, toMs: number, signal: AbortSignal, call?: string) {
    const range = `${formatSelector([...this.#matchers, freshMatcher(this.#random)])}[${toMs - fromMs}ms]`;
    const promql = call === undefined ? range : `${call}(${range})`;
    const result = await this.#retrier.persist(this.#endpoint, signal, (attempt) =>
      this.#client.query(promql, toMs - 1, { attempt, signal, maxBytes: markAnswerBytes }),
    );
    return result.series;
  }
}
