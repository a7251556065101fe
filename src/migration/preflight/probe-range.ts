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
const STRATA = 20;
const FIRST_MS = 60_000;
const SHORTEST_MS = 1000;
const GROWTH = 16;
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
  for (const stratum of inSpreadOrder(STRATA)) {
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

class Probing {
  readonly #options: ProbeOptions;
  readonly #startedMs: number;
  readonly #budgetMs: number;
  readonly #stratumMs: number;
  readonly #windows = new Map<number, ProbeWindow>();
  readonly #tooLarge: { fromMs: number; toMs: number; reason: string }[] = [];
  #lengthMs: number;
  #reads = 0;
  /** How long the last window took. */
  #lastMs = 0;

  constructor(options: ProbeOptions) {
    const { startMs, endMs, clock, budgetMs = BUDGET_MS } = options;
    this.#options = options;
    this.#startedMs = clock.monotonicMs();
    this.#budgetMs = budgetMs;
    this.#stratumMs = Math.max(1, (endMs - startMs) / STRATA);
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
    const middle = STRATA / 2;
    for (let pilot = 0; pilot < MAX_PROBES - STRATA; pilot++) {
      const lengthMs = this.#lengthMs;
      const stratum = (middle + pilot * 5) % STRATA;
      const window = await this.readStratum(stratum);
      if (window === undefined || this.#lengthMs <= lengthMs * 2) return;
      // A longer window of the same part of the range says more.
      this.#windows.delete(stratum);
    }
  }

  async readStratum(stratum: number): Promise<ProbeWindow | undefined> {
    if (this.#windows.has(stratum)) return undefined;
    const { startMs, endMs, random, signal } = this.#options;
    const place = random();
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
    const mayExpire = toMs - fromMs > FIRST_MS;
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
    const shareMs = this.#shareMs();
    const tookMs = Math.max(1, seconds * 1000);
    this.#lastMs = tookMs;
    const factor = Math.min(GROWTH, (0.7 * shareMs) / tookMs);
    this.#lengthMs = this.#bounded(Math.max(Math.min(FIRST_MS, toMs - fromMs), (toMs - fromMs) * factor));
  }

  /** The time for each of the windows that are left. */
  #shareMs(): number {
    const left = Math.max(1, Math.min(STRATA - this.#windows.size, MAX_PROBES - this.#reads));
    return Math.max(this.#budgetMs / (2 * STRATA), this.#leftMs() / left);
  }

  #leftMs(): number {
    return this.#startedMs + this.#budgetMs - this.#options.clock.monotonicMs();
  }

  #bounded(lengthMs: number): number {
    return Math.max(1, Math.min(lengthMs, this.#stratumMs, this.#options.longestMs ?? Number.POSITIVE_INFINITY));
  }
}
