// Which samples the destination has already, collected in pieces that fit: names in groups, and time in halves where a group is too much.

import { RemoteError } from '../../remote/meaning/remote-error.ts';
import type { Matcher } from '../plan/migration-plan.ts';
import { DoesNotFit } from '../limits/reservation.ts';
import type { SeriesRange } from './destination-view.ts';

/** The series that are looked for, by `labelKey` of their canonical labels, and what timestamps of them were found. */
export interface PresentTimes {
  /** To be added to; undefined for a series that is not looked for. */
  get(key: string): number[] | undefined;
  keys(): Iterable<string>;
}

/**
 * Adds the timestamps that the destination has of the metrics `names` in [fromMs, toMs).
 * @throws DoesNotFit, or RemoteError `too-large`, when it is too much at once
 */
export type AddTimes = (names: readonly string[], fromMs: number, toMs: number, present: PresentTimes) => Promise<void>;

const MAX_NAMES_AT_ONCE = 100;
/** Regular expressions are sent in the URL or a form; servers bound them. */
const MAX_NAME_BYTES_AT_ONCE = 4000;

/** @returns ascending timestamps by series */
export async function collectPresentTimes(
  { names, keys, fromMs, toMs }: SeriesRange,
  add: AddTimes,
): Promise<Map<string, Float64Array>> {
  const wanted = new WantedTimes(keys);
  for (const group of nameGroups(names)) await addInPieces(add, group, fromMs, toMs, wanted);
  return wanted.found();
}

export function namesMatcher(names: readonly string[]): Matcher {
  if (names.length === 1) return { kind: '=', name: '__name__', value: names[0] as string };
  const alternatives = names.map((name) => name.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&'));
  return { kind: '=~', name: '__name__', value: alternatives.join('|') };
}

export function addTimes(
  present: PresentTimes,
  key: string,
  times: Iterable<number>,
  fromMs: number,
  toMs: number,
): void {
  const known = present.get(key);
  if (known === undefined) return;
  for (const timeMs of times) if (timeMs >= fromMs && timeMs < toMs) known.push(timeMs);
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

async function addInPieces(
  add: AddTimes,
  names: readonly string[],
  fromMs: number,
  toMs: number,
  wanted: PresentTimes,
): Promise<void> {
  try {
    await add(names, fromMs, toMs, wanted);
  } catch (error) {
    const tooLarge = error instanceof DoesNotFit || (error instanceof RemoteError && error.class === 'too-large');
    if (!tooLarge || toMs - fromMs <= 1) throw error;
    const middleMs = fromMs + Math.floor((toMs - fromMs) / 2);
    await addInPieces(add, names, fromMs, middleMs, wanted);
    await addInPieces(add, names, middleMs, toMs, wanted);
  }
}

function nameGroups(names: readonly string[]): string[][] {
  const groups: string[][] = [];
  let bytes = MAX_NAME_BYTES_AT_ONCE;
  for (const name of names) {
    const group = groups.at(-1);
    if (group === undefined || group.length >= MAX_NAMES_AT_ONCE || bytes + name.length > MAX_NAME_BYTES_AT_ONCE) {
      groups.push([name]);
      bytes = name.length;
    } else {
      group.push(name);
      bytes += name.length;
    }
  }
  return groups;
}
