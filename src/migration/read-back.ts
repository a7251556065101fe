// What of an uncertain window the destination has already: for each series that is about to be written, the timestamps that are there.
// Called by window-writer.ts for the windows that an earlier run may have had in flight when it ended.

import type { Endpoint } from '../remote/endpoint.ts';
import type { QueryClient } from '../remote/query-client.ts';
import type { ReadClient } from '../remote/read-client.ts';
import { RemoteError } from '../remote/remote-error.ts';
import { canonicalLabels, encodeLabels, labelKey } from '../wire/labels.ts';
import { SampleColumns } from '../wire/sample-columns.ts';
import { MemoryBudget } from './memory-budget.ts';
import type { Matcher } from './migration-plan.ts';
import { formatSelector, freshMatcher } from './progress-mark.ts';
import { DoesNotFit, Reservation, readAnswer } from './read-answer.ts';
import type { Retrier } from './retrier.ts';

/** Timestamps per series, by `labelKey` of the canonical labels. */
export type PresentTimes = Map<string, number[]>;

export interface ReadBack {
  /** Adds what the destination has of the metrics `names` in [fromMs, toMs) to `present`. @throws DoesNotFit when it is too much at once */
  add(
    names: readonly string[],
    fromMs: number,
    toMs: number,
    present: PresentTimes,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Whether what it has not shown is really missing: PromQL hides stale markers, and a Prometheus with external labels of its own shows
   * other label sets than were written.
   */
  readonly showsEverything: boolean;
}

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
  readonly random: () => number;
  /** The most that one answer may take; a larger one is asked for in pieces of time. */
  readonly answerBytes: number;
}

/** Transient failures are waited out; everything else is the caller's. */
async function persistently<T>(
  options: ReadBackOptions,
  signal: AbortSignal,
  ask: (attempt: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask(attempt);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof RemoteError) || error.class !== 'transient') throw error;
      await options.retrier.pause(error, options.endpoint, attempt, signal);
    }
  }
}

export class RemoteReadBack implements ReadBack {
  showsEverything = true;
  readonly #options: ReadBackOptions & { readonly client: ReadClient; readonly maxFrameBytes: number };
  readonly #budget: MemoryBudget;

  constructor(options: ReadBackOptions & { readonly client: ReadClient; readonly maxFrameBytes: number }) {
    this.#options = options;
    this.#budget = new MemoryBudget(options.answerBytes);
  }

  async add(
    names: readonly string[],
    fromMs: number,
    toMs: number,
    present: PresentTimes,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, maxFrameBytes } = this.#options;
    const query = {
      matchers: [namesMatcher(names), freshMatcher(this.#options.random)],
      fromMs,
      toMs,
      samplesOnly: false,
    };
    const reservation = new Reservation(this.#budget);
    try {
      const { cursor } = await persistently(this.#options, signal, (attempt) => {
        reservation.release();
        return readAnswer(client, query, { attempt, signal, reservation, maxFrameBytes });
      });
      const columns = new SampleColumns();
      let shown = 0;
      let known = 0;
      while (cursor.next()) {
        shown++;
        const key = labelKey(canonicalLabels(cursor.labels));
        if (!present.has(key)) continue;
        known++;
        columns.clear();
        cursor.decode(fromMs, toMs, columns);
        addTimes(present, key, columns.floatTimesMs.subarray(0, columns.floats), fromMs, toMs);
        addTimes(present, key, columns.histogramTimesMs, fromMs, toMs);
      }
      if (shown > 0 && known === 0) this.showsEverything = false;
    } finally {
      reservation.release();
    }
  }
}

export class PromqlReadBack implements ReadBack {
  readonly #options: ReadBackOptions & { readonly client: QueryClient };
  /** VictoriaMetrics' export also shows stale markers, which no PromQL answer does; undefined until it was tried. */
  #exports: boolean | undefined;

  constructor(options: ReadBackOptions & { readonly client: QueryClient }) {
    this.#options = options;
  }

  get showsEverything(): boolean {
    return this.#exports === true;
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
        await persistently(this.#options, signal, (attempt) =>
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
    const result = await persistently(this.#options, signal, (attempt) =>
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
