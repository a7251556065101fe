// Writes the progress series: a mark, and beside it the counts of all runs up to that mark.

import { RemoteError } from '../../remote/meaning/remote-error.ts';
import type { WriteClient } from '../../remote/write-client.ts';
import { encodeLabels } from '../../wire/labels.ts';
import { WriteBatch } from '../../wire/requests/write-batch.ts';
import { MigrationError, toMigrationError } from '../report/migration-error.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import { COUNT_LABEL, COVERED_COUNT, seriesOfCounts } from './mark-counts.ts';
import { type MarkValues, markLabels } from './progress-mark.ts';
import type { Retrier } from '../limits/retrier.ts';

interface SeriesSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly timeMs: number;
  readonly value: number;
}

/** A 429 repeated this often may mean a rate limit whose burst is smaller than a mark with its counts. Then each sample is sent separately. */
const RATE_LIMITS_BEFORE_SHRINKING = 4;

export class MarkWriter {
  readonly #plan: MigrationPlan;
  readonly #client: WriteClient;
  readonly #retrier: Retrier;
  readonly #labels: Record<string, string>;

  constructor(options: {
    plan: MigrationPlan;
    client: WriteClient;
    retrier: Retrier;
    frozenEndMs: number | undefined;
  }) {
    this.#plan = options.plan;
    this.#client = options.client;
    this.#retrier = options.retrier;
    this.#labels = markLabels(options.plan, options.frozenEndMs);
  }

  /**
   * Marks everything up to and including `throughMs` as copied. The counts are in the same request, before the mark: a destination that
   * stores only the beginning of it has no mark without its counts. A destination that does not accept so many series (its own limit) gets
   * the mark alone, because resuming matters more than counting.
   * @returns false if the destination rejected the mark, and the plan allows rejected samples to be skipped
   */
  async write({ throughMs, samples, counts }: MarkValues, signal: AbortSignal): Promise<boolean> {
    const marks: SeriesSample[] = [];
    const coveredMs = throughMs + 1 - this.#plan.startMs;
    const beside: [count: string, value: number][] =
      counts === undefined ? [] : [...seriesOfCounts(counts), [COVERED_COUNT, coveredMs]];
    for (const [count, value] of beside) {
      marks.push({ labels: { ...this.#labels, [COUNT_LABEL]: count }, timeMs: throughMs, value });
    }
    marks.push({ labels: this.#labels, timeMs: throughMs, value: samples });
    try {
      await this.#send(marks, signal);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof RemoteError)) throw error;
      if (counts !== undefined) return await this.write({ throughMs, samples, counts: undefined }, signal);
      if (error.class !== 'rejected') throw toMigrationError(error);
      if (this.#plan.rejectedSamples === 'Skip') return false;
      throw new MigrationError('mark-rejected', `the destination rejects the progress mark: ${error.message}`, {
        side: 'destination',
        hint: error.hint,
        cause: error,
      });
    }
  }

  /** @throws RemoteError with the reason when the destination does not accept a sample of `timeMs` */
  async probe(timeMs: number, signal: AbortSignal): Promise<void> {
    await this.#send([{ labels: { ...this.#labels, probe: '1' }, timeMs, value: 0 }], signal);
  }

  async #send(marks: readonly SeriesSample[], signal: AbortSignal): Promise<void> {
    const batch = new WriteBatch(1024);
    for (const { labels, timeMs, value } of marks)
      batch.appendSample(encodeLabels(Object.entries(labels)), timeMs, value);
    const body = batch.body();
    await this.#retrier.retry(this.#plan.destination, signal, async (attempt) => {
      try {
        await this.#client.write(body, { attempt, signal });
      } catch (error) {
        const mayBeTooMany =
          error instanceof RemoteError &&
          error.traits.smaller === 'when-repeated' &&
          attempt >= RATE_LIMITS_BEFORE_SHRINKING;
        if (!mayBeTooMany || marks.length === 1 || signal.aborted) throw error;
        for (const mark of marks) await this.#send([mark], signal);
      }
    });
  }
}
