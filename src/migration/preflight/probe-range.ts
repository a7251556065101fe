// Chooses the windows that are read to estimate a range: spread over it, at most 24, each as long as the time for them allows. The first ones are
// short, because nothing is known about the source yet.

import { DoesNotFit } from '../../remote/does-not-fit.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import type { Clock } from '../../telemetry/clock.ts';
import { Deadline } from '../../telemetry/deadline.ts';
import type { ProbeWindow } from './probe-window.ts';

export interface ProbeOptions {
  readonly startMs: number;
  readonly endMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** For all windows. The last one may end later. */
  readonly budgetMs?: number;
  readonly longestMs?: number;
  readonly read: (fromMs: number, toMs: number, signal: AbortSignal) => Promise<ProbeWindow>;
}

export interface Probed {
  /** In the order of time. They do not overlap. */
  readonly windows: readonly ProbeWindow[];
  /** Windows that could not be read even when they were short. */
  readonly tooLarge: readonly { readonly fromMs: number; readonly toMs: number; readonly reason: string }[];
}

export const MAX_PROBES = 24;
/** The others find out how long a window may be. */
const MAX_STRATA = 20;
/** Of a source with very many series, a shorter window has fewer of them. */
const FIRST_MS = 5000;
/** With several scrapes: a window this long shows most series, if it does not take too long. */
const NORMAL_MS = 60_000;
const NORMAL_COST_MS = 5000;
const SHORTEST_MS = 1000;
const GROWTH = 16;
/** Places that follow each other at this distance, modulo 1, are spread evenly, whatever period the data has. */
const GOLDEN = 0.618_033_988_75;
/** Of the time for a window. */
const SAFETY = 0.7;
const BUDGET_MS = 12_000;
/** Fewer say little about a range, and are accepted only if more would take too long. */
const FEWEST = 4;
const FEWEST_OF_SLOW = 2;
/** No window is begun that would most likely end after this time. */
const LONGEST_MS = 22_000;
/** A window whose content is not like that of the others is given up after this many times its share. */
const PATIENCE = 5;

/** @throws what `read` throws, except for windows that are too large or take too long; the signal's reason */
export async function probeRange(options: ProbeOptions): Promise<Probed> {
  const probing = new Probing(options);
  await probing.findLength();
  for (const stratum of inSpreadOrder(probing.strata)) {
    if (probing.isOver) break;
    await probing.readStratum(stratum);
  }
  return probing.result();
}

/** Any beginning of the order is spread over the whole: 0, 10, 5, 15 of 20. */
export function inSpreadOrder(count: number): number[] {
  const reversed = (index: number): number => {
    let [value, part] = [0, 0.5];
    for (let rest = index; rest > 0; rest >>= 1, part /= 2) if (rest & 1) value += part;
    return value;
  };
  const places = Array.from({ length: count }, (_, index) => reversed(index));
  const ranked = places.toSorted((a, b) => a - b);
  return places.map((place) => ranked.indexOf(place));
}

/** At most so many of the items, from the first to the last. */
export function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from(
    { length: count },
    (_, index) => items[Math.floor((index * (items.length - 1)) / (count - 1))] as T,
  );
}

interface Cost {
  readonly lengthMs: number;
  readonly tookMs: number;
}

/** Of all windows that are about as long: a burst in one of them does not make the following ones short. Much shorter windows have other costs. */
function averaged(before: Cost, last: Cost): Cost {
  if (before.lengthMs < last.lengthMs / 2) return last;
  return { lengthMs: before.lengthMs + last.lengthMs, tookMs: before.tookMs + last.tookMs };
}

class Probing {
  readonly #options: ProbeOptions;
  readonly #startedMs: number;
  readonly #budgetMs: number;
  /** The parts of the range of which one window each is read. */
  readonly strata: number;
  readonly #stratumMs: number;
  readonly #windows = new Map<number, ProbeWindow>();
  readonly #tooLarge: { fromMs: number; toMs: number; reason: string }[] = [];
  readonly #place: number;
  #lengthMs: number;
  #reads = 0;
  /** How long the last window took. */
  #lastMs = 0;
  #cost: Cost = { lengthMs: 0, tookMs: 0 };

  constructor(options: ProbeOptions) {
    const { startMs, endMs, clock, random, budgetMs = BUDGET_MS } = options;
    this.#options = options;
    this.#startedMs = clock.monotonicMs();
    this.#place = random();
    this.#budgetMs = budgetMs;
    // Windows that are shorter than a scrape interval would have other series each.
    this.strata = Math.max(1, Math.min(MAX_STRATA, Math.floor((endMs - startMs) / NORMAL_MS)));
    this.#stratumMs = Math.max(1, (endMs - startMs) / this.strata);
    this.#lengthMs = this.#bounded(FIRST_MS);
  }

  get isOver(): boolean {
    const { size } = this.#windows;
    if (this.#reads >= MAX_PROBES) return true;
    if (size >= FEWEST_OF_SLOW && this.#leftMs() - this.#lastMs < this.#budgetMs - LONGEST_MS) return true;
    return size >= FEWEST && this.#leftMs() <= 0;
  }

  /** Reads windows that are longer each time, until one takes its share of the time. */
  async findLength(): Promise<void> {
    const order = inSpreadOrder(this.strata);
    for (let pilot = 0; pilot < MAX_PROBES - MAX_STRATA; pilot++) {
      const lengthMs = this.#lengthMs;
      const stratum = order[pilot % order.length] as number;
      const window = await this.readStratum(stratum);
      if (window === undefined || this.#lengthMs <= lengthMs * 2) return;
      // A longer window of the same part of the range says more.
      this.#windows.delete(stratum);
    }
  }

  async readStratum(stratum: number): Promise<ProbeWindow | undefined> {
    if (this.#windows.has(stratum)) return undefined;
    const { startMs, endMs, signal } = this.#options;
    const place = (this.#place + stratum * GOLDEN) % 1;
    let reason = '';
    while (this.#reads < MAX_PROBES) {
      const lengthMs = this.#lengthMs;
      const roomMs = this.#stratumMs - lengthMs;
      const fromMs = Math.min(endMs - 1, Math.floor(startMs + stratum * this.#stratumMs + place * Math.max(0, roomMs)));
      const toMs = Math.min(endMs, Math.max(fromMs + 1, Math.floor(fromMs + lengthMs)));
      const outcome = await this.#tryRead(fromMs, toMs, signal);
      if (typeof outcome !== 'string') {
        this.#windows.set(stratum, outcome);
        this.#adapt(outcome);
        return outcome;
      }
      reason = outcome;
      if (lengthMs <= SHORTEST_MS) {
        this.#tooLarge.push({ fromMs, toMs, reason });
        return undefined;
      }
      this.#lengthMs = Math.max(SHORTEST_MS, lengthMs / GROWTH);
    }
    return undefined;
  }

  result(): Probed {
    const windows = [...this.#windows.values()].sort((a, b) => a.fromMs - b.fromMs);
    return { windows, tooLarge: this.#tooLarge };
  }

  /** @returns why the window is too large */
  async #tryRead(fromMs: number, toMs: number, outer: AbortSignal): Promise<ProbeWindow | string> {
    const { clock, read } = this.#options;
    this.#reads++;
    using deadline = new Deadline(outer);
    // A short window takes as long as it takes: a shorter one has the same chunks.
    const mayExpire = toMs - fromMs > NORMAL_MS;
    if (mayExpire) deadline.start(clock, PATIENCE * this.#shareMs(), new Error('the window takes too long'));
    try {
      return await read(fromMs, toMs, deadline.signal);
    } catch (error) {
      outer.throwIfAborted();
      if (deadline.expired) return 'takes too long to read';
      if (error instanceof DoesNotFit) return error.message;
      if (error instanceof RemoteError && (error.class === 'too-large' || error.class === 'ambiguous'))
        return error.message;
      throw error;
    }
  }

  #adapt({ fromMs, toMs, seconds }: ProbeWindow): void {
    const tookMs = Math.max(1, seconds * 1000);
    this.#lastMs = tookMs;
    this.#cost = averaged(this.#cost, { lengthMs: toMs - fromMs, tookMs });
    const lengthMs = toMs - fromMs;
    const byShare = Math.min(lengthMs * GROWTH, (SAFETY * this.#shareMs() * this.#cost.lengthMs) / this.#cost.tookMs);
    const normal = Math.min(NORMAL_MS, lengthMs * Math.min(GROWTH, NORMAL_COST_MS / tookMs));
    this.#lengthMs = this.#bounded(Math.max(byShare, normal, Math.min(FIRST_MS, lengthMs)));
  }

  /** The time for each of the windows that are left. */
  #shareMs(): number {
    const left = Math.max(1, Math.min(this.strata - this.#windows.size, MAX_PROBES - this.#reads));
    return Math.max(this.#budgetMs / (2 * MAX_STRATA), this.#leftMs() / left);
  }

  #leftMs(): number {
    return this.#startedMs + this.#budgetMs - this.#options.clock.monotonicMs();
  }

  #bounded(lengthMs: number): number {
    return Math.max(1, Math.min(lengthMs, this.#stratumMs, this.#options.longestMs ?? Number.POSITIVE_INFINITY));
  }
}
