// The destination seen by remote_read (`progress.protocol: RemoteRead`).

import type { Endpoint } from '../../remote/endpoint.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { ReadClient } from '../../remote/read-client.ts';
import type { ClientContext } from '../../remote/http/http.ts';
import type { Clock } from '../../telemetry/clock.ts';
import { WireError } from '../../wire/errors.ts';
import { canonicalLabels, decodeLabels, labelKey } from '../../wire/labels.ts';
import { SampleColumns } from '../../wire/sample-columns.ts';
import { MemoryBudget } from '../limits/memory-budget.ts';
import { Reservation } from '../limits/reservation.ts';
import type { Retrier } from '../limits/retrier.ts';
import { toMigrationError } from '../migration-error.ts';
import type { Matcher, MigrationPlan } from '../plan/migration-plan.ts';
import { hasNoSeries, type ReadQuery, readAnswer } from '../read/read-answer.ts';
import type { DestinationView, Hidden, SeriesRange } from './destination-view.ts';
import { findLatestMark } from './mark-search.ts';
import { addTimes, collectPresentTimes, namesMatcher, type PresentTimes } from './present-times.ts';
import { LatestMark, type Mark, markMatchers } from './progress-mark.ts';
import { settle } from './settling.ts';

export interface RemoteReadViewOptions {
  readonly plan: MigrationPlan;
  readonly endpoint: Endpoint;
  readonly hooks: ClientContext;
  readonly retrier: Retrier;
  readonly clock: Clock;
  /** The most that one response may take; a larger one is asked for in pieces. */
  readonly maxResponseBytes: number;
}

type LabelSet = ReadonlyMap<string, string>;
type Range = Pick<ReadQuery, 'fromMs' | 'toMs' | 'samplesOnly'>;

const ANY_SERIES: Matcher = { kind: '=~', name: '__name__', value: '.+' };
const MAX_FOREIGN_SERIES = 10;

export class RemoteReadView implements DestinationView {
  readonly readable = true;
  readonly #options: RemoteReadViewOptions;
  readonly #client: ReadClient;
  // Not the source's: a window that holds part of that one and waits for more could wait for a reader that does the same.
  readonly #markBudget: MemoryBudget;
  readonly #budget: MemoryBudget;
  #turn: Promise<void> = Promise.resolve();
  #hides: Hidden = 'nothing';

  constructor(options: RemoteReadViewOptions) {
    this.#options = options;
    this.#client = new ReadClient(options.endpoint, options.hooks);
    this.#markBudget = new MemoryBudget(options.maxResponseBytes);
    this.#budget = new MemoryBudget(options.maxResponseBytes);
  }

  latestMark(fromMs: number, toMs: number, signal: AbortSignal): Promise<Mark | undefined> {
    return findLatestMark((from, to) => this.#latestMark(from, to, signal), fromMs, toMs);
  }

  async showsMark(throughMs: number, signal: AbortSignal): Promise<boolean> {
    return (await this.#latestMark(throughMs, throughMs + 1, signal)) !== undefined;
  }

  presentTimes(range: SeriesRange, signal: AbortSignal): Promise<ReadonlyMap<string, Float64Array>> {
    return collectPresentTimes(range, (names, fromMs, toMs, present) =>
      this.#inTurn(() => this.#addTimes(names, fromMs, toMs, present, signal)),
    );
  }

  async isEmpty(fromMs: number, toMs: number, signal: AbortSignal): Promise<boolean> {
    const query = { matchers: [ANY_SERIES], fromMs, toMs, samplesOnly: false };
    try {
      return await hasNoSeries(this.#client, query, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RemoteError || error instanceof WireError) return false;
      throw error;
    }
  }

  hides(): Hidden {
    return this.#hides;
  }

  settle(signal: AbortSignal): Promise<void> {
    return settle(this.#options.clock, undefined, signal);
  }

  show(): Promise<boolean> {
    return Promise.resolve(false);
  }

  close(): void {
    this.#client.close();
  }

  async #latestMark(fromMs: number, toMs: number, signal: AbortSignal): Promise<Mark | undefined> {
    const { plan, endpoint, retrier } = this.#options;
    const query = { matchers: markMatchers(plan), fromMs, toMs, samplesOnly: true };
    const { maxFrameBytes } = plan.source;
    const reservation = new Reservation(this.#markBudget, this.#client.buffers);
    try {
      const { cursor } = await retrier.persist(endpoint, signal, (attempt) => {
        reservation.release();
        return readAnswer(this.#client, query, { attempt, signal, reservation, maxFrameBytes });
      });
      const latest = new LatestMark();
      const columns = new SampleColumns();
      while (cursor.next()) {
        await reservation.grow(cursor.decodedBytes, signal);
        columns.clear();
        cursor.decode(fromMs, toMs, columns);
        const labels = Object.fromEntries(decodeLabels(cursor.labels));
        const values = new Float64Array(columns.floatBits.buffer, columns.floatBits.byteOffset, columns.floats);
        for (let i = 0; i < columns.floats; i++) {
          latest.add(labels, columns.floatTimesMs[i] as number, values[i] as number);
        }
      }
      return latest.mark;
    } finally {
      reservation.release();
    }
  }

  /** One read at a time: two that each hold a part of the budget would wait for each other. */
  #inTurn(read: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(read);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #addTimes(
    names: readonly string[],
    fromMs: number,
    toMs: number,
    present: PresentTimes,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await this.#add(names, { fromMs, toMs, samplesOnly: false }, present, signal);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      try {
        await this.#add(names, { fromMs, toMs, samplesOnly: true }, present, signal);
      } catch (again) {
        // A WireError from here would be taken for the source's.
        throw again instanceof WireError ? toMigrationError(again, 'progress') : again;
      }
    }
  }

  async #add(names: readonly string[], range: Range, present: PresentTimes, signal: AbortSignal): Promise<void> {
    const { plan, endpoint, retrier } = this.#options;
    const { fromMs, toMs } = range;
    const query = { matchers: [namesMatcher(names)], ...range };
    const { maxFrameBytes } = plan.source;
    const reservation = new Reservation(this.#budget, this.#client.buffers);
    try {
      const { cursor } = await retrier.persist(endpoint, signal, (attempt) => {
        reservation.release();
        return readAnswer(this.#client, query, { attempt, signal, reservation, maxFrameBytes });
      });
      const columns = new SampleColumns();
      const foreign: LabelSet[] = [];
      let known = 0;
      while (cursor.next()) {
        const labels = canonicalLabels(cursor.labels);
        const key = labelKey(labels);
        if (present.get(key) === undefined) {
          if (foreign.length < MAX_FOREIGN_SERIES) foreign.push(new Map(decodeLabels(labels)));
          continue;
        }
        known++;
        // What is decoded is many times as large as a chunk of equal values.
        await reservation.grow(cursor.decodedBytes, signal);
        columns.clear();
        cursor.decode(fromMs, toMs, columns);
        addTimes(present, key, columns.floatTimesMs.subarray(0, columns.floats), fromMs, toMs);
        addTimes(present, key, columns.histogramTimesMs, fromMs, toMs);
      }
      // A Prometheus with external labels shows other label sets than were written, so nothing can be compared.
      if (known === 0 && foreign.length > 0 && haveLabelsAdded(foreign, present)) this.#hides = 'everything';
    } finally {
      reservation.release();
    }
  }
}

/** Whether one of the series looks like a wanted one with labels added; otherwise they are neighbours that bear the same metric names. */
function haveLabelsAdded(foreign: readonly LabelSet[], wanted: PresentTimes): boolean {
  for (const key of wanted.keys()) {
    const labels = decodeLabels(Buffer.from(key, 'latin1'));
    if (foreign.some((shown) => labels.every(([name, value]) => shown.get(name) === value))) return true;
  }
  return false;
}
