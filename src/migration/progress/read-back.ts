// What of an uncertain window the destination has already: for each series that is about to be written, the timestamps that are there.
// Called by window-writer.ts for the windows that an earlier run may have had in flight when it ended.

import type { Endpoint } from '../../remote/endpoint.ts';
import type { QueryClient } from '../../remote/query-client.ts';
import type { ReadClient } from '../../remote/read-client.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { WireError } from '../../wire/errors.ts';
import { canonicalLabels, decodeLabels, encodeLabels, labelKey } from '../../wire/labels.ts';
import { SampleColumns } from '../../wire/sample-columns.ts';
import { MemoryBudget } from '../limits/memory-budget.ts';
import { toMigrationError } from '../migration-error.ts';
import type { Matcher } from '../plan/migration-plan.ts';
import { formatSelector, freshMatcher } from './progress-mark.ts';
import { DoesNotFit, hasNoSeries, type ReadQuery, Reservation, readAnswer } from '../read/read-answer.ts';
import type { Retrier } from '../limits/retrier.ts';

/** The series that are asked about, by `labelKey` of their canonical labels, and what timestamps of them were found. */
export interface PresentTimes {
  /** To be added to; undefined for a series that nobody asks about. */
  get(key: string): number[] | undefined;
  keys(): Iterable<string>;
}

/** Lists the series only when the destination shows any at all: it is empty most of the time, and they may be a million. */
class WantedTimes implements PresentTimes {
  readonly #list: () => Iterable<string>;
  #times: Map<string, number[]> | undefined;

  constructor(list: () => Iterable<string>) {
    this.#list = list;
  }

  get(key: string): number[] | undefined {
    return this.#all().get(key);
  }

  keys(): Iterable<string> {
    return this.#all().keys();
  }

  found(): Map<string, Float64Array> {
    const sorted = new Map<string, Float64Array>();
    for (const [key, times] of this.#times ?? []) {
      if (times.length > 0) sorted.set(key, Float64Array.from(new Set(times)).sort());
    }
    return sorted;
  }

  #all(): Map<string, number[]> {
    if (this.#times === undefined) {
      this.#times = new Map();
      for (const key of this.#list()) this.#times.set(key, []);
    }
    return this.#times;
  }
}

/**
 * No PromQL answer shows stale markers; a Prometheus with external labels of its own shows other label sets than were written, so nothing
 * can be compared.
 */
export type Hidden = 'nothing' | 'stale-markers' | 'everything';

export interface ReadBack {
  /** Adds what the destination has of the metrics `names` in [fromMs, toMs) to `present`. @throws DoesNotFit when it is too much at once */
  add(
    names: readonly string[],
    fromMs: number,
    toMs: number,
    present: PresentTimes,
    signal: AbortSignal,
  ): Promise<void>;
  /** What of the samples that are there it may not have shown. */
  readonly hides: Hidden;
  /**
   * Whether the destination has no sample at all in [fromMs, toMs), of whatever series: then nothing has to be compared. False when it has
   * any, or does not tell.
   */
  isEmpty(fromMs: number, toMs: number, signal: AbortSignal): Promise<boolean>;
}

const anySeries: Matcher = { kind: '=~', name: '__name__', value: '.+' };

const namesAtOnce = 100;
/** Regular expressions are sent in the URL or a form; servers bound them. */
const nameBytesAtOnce = 4000;

/**
 * The timestamps that the destination has in [fromMs, toMs) of the series `keys`, whose metric names are `names`.
 * @param keys called when the destination shows a series of those names, and then once
 * @returns ascending timestamps by series
 */
export async function presentTimes(
  readBack: ReadBack,
  names: readonly string[],
  keys: () => Iterable<string>,
  fromMs: number,
  toMs: number,
  signal: AbortSignal,
): Promise<Map<string, Float64Array>> {
  const wanted = new WantedTimes(keys);
  for (const group of nameGroups(names)) await addInPieces(readBack, group, fromMs, toMs, wanted, signal);
  return wanted.found();
}

async function addInPieces(
  readBack: ReadBack,
  names: readonly string[],
  fromMs: number,
  toMs: number,
  wanted: PresentTimes,
  signal: AbortSignal,
): Promise<void> {
  try {
    await readBack.add(names, fromMs, toMs, wanted, signal);
  } catch (error) {
    const tooLarge = error instanceof DoesNotFit || (error instanceof RemoteError && error.class === 'too-large');
    if (!tooLarge || toMs - fromMs <= 1) throw error;
    const middleMs = fromMs + Math.floor((toMs - fromMs) / 2);
    await addInPieces(readBack, names, fromMs, middleMs, wanted, signal);
    await addInPieces(readBack, names, middleMs, toMs, wanted, signal);
  }
}

function nameGroups(names: readonly string[]): string[][] {
  const groups: string[][] = [];
  let bytes = nameBytesAtOnce;
  for (const name of names) {
    const group = groups.at(-1);
    if (group === undefined || group.length >= namesAtOnce || bytes + name.length > nameBytesAtOnce) {
      groups.push([name]);
      bytes = name.length;
    } else {
      group.push(name);
      bytes += name.length;
    }
  }
  return groups;
}

function namesMatcher(names: readonly string[]): Matcher {
  if (names.length === 1) return { kind: '=', name: '__name__', value: names[0] as string };
  const alternatives = names.map((name) => name.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&'));
  return { kind: '=~', name: '__name__', value: alternatives.join('|') };
}

function addTimes(wanted: PresentTimes, key: string, times: Iterable<number>, fromMs: number, toMs: number): void {
  const known = wanted.get(key);
  if (known === undefined) return;
  for (const timeMs of times) if (timeMs >= fromMs && timeMs < toMs) known.push(timeMs);
}

interface ReadBackOptions {
  readonly endpoint: Endpoint;
  readonly retrier: Retrier;
  /** The most that one answer may take; a larger one is asked for in pieces of time. */
  readonly answerBytes: number;
}

type LabelSet = ReadonlyMap<string, string>;

const foreignSeriesLookedAt = 10;

/** Whether one of the series looks like a wanted one with labels added; otherwise they are neighbours that bear the same metric names. */
function haveLabelsAdded(foreign: readonly LabelSet[], wanted: PresentTimes): boolean {
  for (const key of wanted.keys()) {
    const labels = decodeLabels(Buffer.from(key, 'latin1'));
    if (foreign.some((shown) => labels.every(([name, value]) => shown.get(name) === value))) return true;
  }
  return false;
}

export class RemoteReadBack implements ReadBack {
  hides: Hidden = 'nothing';
  readonly #options: ReadBackOptions & { readonly client: ReadClient; readonly maxFrameBytes: number };
  readonly #budget: MemoryBudget;
  #turn: Promise<void> = Promise.resolve();

  constructor(options: ReadBackOptions & { readonly client: ReadClient; readonly maxFrameBytes: number }) {
    this.#options = options;
    this.#budget = new MemoryBudget(options.answerBytes);
  }

  /** One question at a time: two that each hold a part of the budget would wait for each other. */
  add(
    names: readonly string[],
    fromMs: number,
    toMs: number,
    present: PresentTimes,
    signal: AbortSignal,
  ): Promise<void> {
    const added = this.#turn.then(() => this.#ask(names, fromMs, toMs, present, signal));
    this.#turn = added.catch(() => undefined);
    return added;
  }

  async isEmpty(fromMs: number, toMs: number, signal: AbortSignal): Promise<boolean> {
    const query = { matchers: [anySeries], fromMs, toMs, samplesOnly: false };
    try {
      return await hasNoSeries(this.#options.client, query, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RemoteError || error instanceof WireError) return false;
      throw error;
    }
  }

  async #ask(
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

  async #add(
    names: readonly string[],
    range: Pick<ReadQuery, 'fromMs' | 'toMs' | 'samplesOnly'>,
    present: PresentTimes,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, maxFrameBytes } = this.#options;
    const { fromMs, toMs } = range;
    const query = { matchers: [namesMatcher(names)], ...range };
    const reservation = new Reservation(this.#budget);
    try {
      const { cursor } = await this.#options.retrier.persist(this.#options.endpoint, signal, (attempt) => {
        reservation.release();
        return readAnswer(client, query, { attempt, signal, reservation, maxFrameBytes });
      });
      const columns = new SampleColumns();
      const foreign: LabelSet[] = [];
      let known = 0;
      while (cursor.next()) {
        const labels = canonicalLabels(cursor.labels);
        const key = labelKey(labels);
        if (present.get(key) === undefined) {
          if (foreign.length < foreignSeriesLookedAt) foreign.push(new Map(decodeLabels(labels)));
          continue;
        }
        known++;
        columns.clear();
        cursor.decode(fromMs, toMs, columns);
        addTimes(present, key, columns.floatTimesMs.subarray(0, columns.floats), fromMs, toMs);
        addTimes(present, key, columns.histogramTimesMs, fromMs, toMs);
      }
      if (known === 0 && foreign.length > 0 && haveLabelsAdded(foreign, present)) this.hides = 'everything';
    } finally {
      reservation.release();
    }
  }
}

export class PromqlReadBack implements ReadBack {
  readonly #options: ReadBackOptions & { readonly client: QueryClient; readonly random: () => number };
  /** VictoriaMetrics' export also shows stale markers, which no PromQL answer does; undefined until it was tried. */
  #exports: boolean | undefined;

  constructor(options: ReadBackOptions & { readonly client: QueryClient; readonly random: () => number }) {
    this.#options = options;
  }

  get hides(): Hidden {
    return this.#exports === true ? 'nothing' : 'stale-markers';
  }

  async add(
    names: readonly string[],
    fromMs: number,
    toMs: number,
    present: PresentTimes,
    signal: AbortSignal,
  ): Promise<void> {
    const selector = formatSelector([namesMatcher(names), freshMatcher(this.#options.random)]);
    if (this.#exports !== false) {
      try {
        await this.#options.retrier.persist(this.#options.endpoint, signal, (attempt) =>
          this.#addExported(selector, fromMs, toMs, present, { signal, attempt }),
        );
        this.#exports = true;
        return;
      } catch (error) {
        if (!(error instanceof RemoteError) || error.code !== 'export-not-offered') throw error;
        this.#exports = false;
      }
    }
    const promql = `${selector}[${toMs - fromMs}ms]`;
    const result = await this.#options.retrier.persist(this.#options.endpoint, signal, (attempt) =>
      this.#options.client.query(promql, toMs - 1, { attempt, signal, maxBytes: this.#options.answerBytes }),
    );
    for (const { metric, samples, histogramTimesMs } of result.series) {
      const key = labelKey(encodeLabels(Object.entries(metric)));
      addTimes(
        present,
        key,
        samples.map(([timeMs]) => timeMs),
        fromMs,
        toMs,
      );
      addTimes(present, key, histogramTimesMs, fromMs, toMs);
    }
  }

  async isEmpty(fromMs: number, toMs: number, signal: AbortSignal): Promise<boolean> {
    const selector = formatSelector([anySeries, freshMatcher(this.#options.random)]);
    const options = { attempt: 1, signal, maxBytes: this.#options.answerBytes };
    try {
      // The first line tells, and to look no further ends the request.
      for await (const _ of this.#options.client.exportSeries([selector], fromMs, toMs - 1, options)) return false;
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RemoteError) return false;
      throw error;
    }
  }

  async #addExported(
    selector: string,
    fromMs: number,
    toMs: number,
    present: PresentTimes,
    options: { signal: AbortSignal; attempt: number },
  ): Promise<void> {
    const exported = this.#options.client.exportSeries([selector], fromMs, toMs - 1, {
      ...options,
      maxBytes: this.#options.answerBytes,
    });
    for await (const { metric, timesMs } of exported) {
      addTimes(present, labelKey(encodeLabels(Object.entries(metric))), timesMs, fromMs, toMs);
    }
  }
}
