// What of an uncertain window the destination has already: for each series that is about to be written, the timestamps that are there.
// Called by window-writer.ts for the windows that an earlier run may have had in flight when it ended.

import type { Endpoint } from '../remote/endpoint.ts';
import type { QueryClient } from '../remote/query-client.ts';
import type { ReadClient } from '../remote/read-client.ts';
import { RemoteError } from '../remote/remote-error.ts';
import { WireError } from '../wire/errors.ts';
import { canonicalLabels, decodeLabels, encodeLabels, labelKey } from '../wire/labels.ts';
import { SampleColumns } from '../wire/sample-columns.ts';
import { MemoryBudget } from './memory-budget.ts';
import { toMigrationError } from './migration-error.ts';
import type { Matcher } from './migration-plan.ts';
import { formatSelector, freshMatcher } from './progress-mark.ts';
import { DoesNotFit, type ReadQuery, Reservation, readAnswer } from './read-answer.ts';
import type { Retrier } from './retrier.ts';

/** Timestamps per series, by `labelKey` of the canonical labels. */
export type PresentTimes = Map<string, number[]>;

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
}

/**
 * How long the destination is given before its marks and samples are believed to be all that was written: VictoriaMetrics 1.145 shows
 * a new series two to four seconds after it took it, and a request of a killed run may still be on its way in.
 */
export const settlingMs = { RemoteRead: 500, PromQL: 5000, None: 0 } as const;

const namesAtOnce = 100;
/** Regular expressions are sent in the URL or a form; servers bound them. */
const nameBytesAtOnce = 4000;

/**
 * The timestamps that the destination has in [fromMs, toMs) of the series `keys`, whose metric names are `names`.
 * @returns ascending timestamps by series
 */
export async function presentTimes(
  readBack: ReadBack,
  names: readonly string[],
  keys: ReadonlySet<string>,
  fromMs: number,
  toMs: number,
  signal: AbortSignal,
): Promise<Map<string, Float64Array>> {
  const wanted: PresentTimes = new Map([...keys].map((key) => [key, []]));
  for (const group of nameGroups(names)) await addInPieces(readBack, group, fromMs, toMs, wanted, signal);
  const sorted = new Map<string, Float64Array>();
  for (const [key, times] of wanted) if (times.length > 0) sorted.set(key, Float64Array.from(new Set(times)).sort());
  return sorted;
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
        if (!present.has(key)) {
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
