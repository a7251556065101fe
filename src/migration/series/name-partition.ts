// Splits a window by metric name when the shortest window still exceeds a limit of the source or of memory. Partitions are intervals of
// names in code point order, so that two halves always cover the whole, whatever names exist.

import type { Matcher } from '../plan/migration-plan.ts';

/** All metric names `>= from` and `< to` in code point order; `to` undefined: no upper bound. */
export interface NamePartition {
  readonly from: string;
  readonly to: string | undefined;
}

export const ALL_NAMES: NamePartition = { from: '', to: undefined };

const NAME_LABEL = '__name__';
const LAST_CODE_POINT = 0x10ffff;
const FIRST_SURROGATE = 0xd800;
const LAST_SURROGATE = 0xdfff;

/** Go refuses a regex that is nested deeper than 1000 levels, and a bound takes two levels for each character. */
const LONGEST_SEEN_NAME = 256;

/**
 * Two halves of a partition, lower names first; undefined if it contains one exact name only. `seen` are the names in a response (or in the part
 * of it that was read): the cut is then in their middle, which isolates a single heavy metric in two splits. Without usable names, the cut
 * follows the letters of typical metric names. A name is then isolated after at most 9 splits for each of its characters if those are the
 * usual ones (letters, digits, `_` and `:`), or 30 for any characters.
 */
export function splitNames(
  partition: NamePartition,
  seen: Iterable<string> = [],
): [NamePartition, NamePartition] | undefined {
  if (isExactName(partition)) return undefined;
  const cut = middleOfSeen(partition, seen) ?? middleOfLetters(partition);
  return [
    { from: partition.from, to: cut },
    { from: cut, to: partition.to },
  ];
}

/**
 * Matchers on `__name__`, or on another label, that match exactly the values of a partition. They are added to a selector's own. The regexes are
 * RE2 and mean the same whether the server anchors them as `^(?:…)$` (Prometheus 2) or `^(?s:…)$` (Prometheus 3).
 */
export function partitionMatchers(partition: NamePartition, name: string = NAME_LABEL): Matcher[] {
  if (isExactName(partition)) return [{ kind: '=', name, value: partition.from }];
  const matchers: Matcher[] = [];
  if (partition.from !== '') matchers.push({ kind: '=~', name, value: regexFrom(partition.from) });
  if (partition.to !== undefined) matchers.push({ kind: '!~', name, value: regexFrom(partition.to) });
  return matchers;
}

/** Whether a partition contains a name: the same result as its matchers, without a regex. */
export function hasName(partition: NamePartition, name: string): boolean {
  return (
    compareCodePoints(name, partition.from) >= 0 &&
    (partition.to === undefined || compareCodePoints(name, partition.to) < 0)
  );
}

/** Whether a partition has every name. */
export function isAllNames({ from, to }: NamePartition): boolean {
  return from === '' && to === undefined;
}

/** Whether a partition is one name. No name sorts between a name and the same name followed by U+0000. */
export function isExactName({ from, to }: NamePartition): boolean {
  return to === `${from}\0`;
}

/** Matches every name `>= bound` and no other: `b…` is `[c-∞]ANY|b(…)`, one level for each character. */
function regexFrom(bound: string): string {
  // Not `.`, which excludes the newline if the server does not set the s flag.
  const anything = '(?:.|\\n)*';
  let regex = anything;
  for (const codePoint of codePoints(bound).reverse()) {
    const equal = `${escaped(codePoint)}${regex}`;
    const above =
      codePoint === LAST_CODE_POINT ? '' : `[${escaped(codePoint + 1)}-${escaped(LAST_CODE_POINT)}]${anything}|`;
    regex = `(?:${above}${equal})`;
  }
  return regex;
}

function escaped(codePoint: number): string {
  const character = String.fromCodePoint(codePoint);
  return /^[A-Za-z0-9_]$/.test(character) ? character : `\\x{${codePoint.toString(16)}}`;
}

function middleOfSeen(partition: NamePartition, seen: Iterable<string>): string | undefined {
  const names = [...new Set(seen)].filter((name) => isCutPoint(partition, name)).sort(compareCodePoints);
  const middle = names[Math.floor(names.length / 2)];
  if (middle === undefined) return undefined;
  const below = names[Math.floor(names.length / 2) - 1];
  if (below !== undefined) return shortestCut(below, middle);
  // Only one name was seen: what sorts before it is cut off first, then what sorts after it.
  return middle === partition.from ? `${middle}\0` : middle;
}

/** Whether a seen name can be used to cut the partition. */
export function isCutPoint(partition: NamePartition, name: string): boolean {
  return name.length <= LONGEST_SEEN_NAME && name.isWellFormed() && hasName(partition, name);
}

/** The shortest text that is above `below` and not above `middle`. */
export function shortestCut(below: string, middle: string): string {
  const lower = codePoints(below);
  const upper = codePoints(middle);
  let length = 0;
  while (length < lower.length && lower[length] === upper[length]) length++;
  return String.fromCodePoint(...upper.slice(0, length + 1));
}

/** The cut at the first character that allows one, with about half of the usual names on either side. */
function middleOfLetters(partition: NamePartition): string {
  const from = codePoints(partition.from);
  const to = partition.to === undefined ? undefined : codePoints(partition.to);
  // While every name of the partition begins with the same characters, `to` also bounds the next character.
  let bounded = to !== undefined;
  for (let length = 0; ; length++) {
    const low = from[length];
    const high = bounded ? to?.[length] : undefined;
    const isLastOfLow = low === undefined || length === from.length - 1;
    const isLastOfHigh = to === undefined || length === to.length - 1;

    const first = skipSurrogates(low === undefined ? 0 : low + 1, 1);
    const last = high === undefined ? LAST_CODE_POINT : isLastOfHigh ? skipSurrogates(high - 1, -1) : high;
    if (first <= last) {
      const weightBelow =
        low === undefined ? -WEIGHT_OF_END : weightBefore(low) + (isLastOfLow ? 0 : weightOf(low) / 2);
      const weightAbove =
        high === undefined
          ? weightBefore(LAST_CODE_POINT + 1)
          : weightBefore(high) + (isLastOfHigh ? 0 : weightOf(high) / 2);
      const cut = codePointAtWeight((weightBelow + weightAbove) / 2, first, last);
      return String.fromCodePoint(...from.slice(0, length), cut);
    }
    bounded = bounded && low === high;
  }
}

/** The code point of `first..last` for which the weight below it is nearest to `weight`. */
function codePointAtWeight(weight: number, first: number, last: number): number {
  let low = first;
  let high = last;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (weightBefore(middle) < weight) low = middle + 1;
    else high = middle;
  }
  const isBelowNearer = low > first && weight - weightBefore(low - 1) < weightBefore(low) - weight;
  const nearest = isBelowNearer ? low - 1 : low;
  const whole = skipSurrogates(nearest, 1);
  return whole <= last ? whole : skipSurrogates(nearest, -1);
}

/** How likely each character of a range continues a usual name. Unusual characters have a small weight, so that they can be cut. */
const RANGES: readonly (readonly [first: number, last: number, weightOfEach: number])[] = [
  [0x00, 0x7f, 0.02],
  [0x30, 0x39, 0.5], // 0-9
  [0x3a, 0x3a, 2], // :
  [0x41, 0x5a, 0.4], // A-Z
  [0x5f, 0x5f, 9], // _
  [0x61, 0x7a, 4], // a-z
  [0x80, LAST_CODE_POINT, 0.1 / LAST_CODE_POINT],
];
/** How likely the name ends instead. */
const WEIGHT_OF_END = 4;

/** The weight of all characters below one; grows with each code point. */
function weightBefore(codePoint: number): number {
  let weight = 0;
  for (const [first, last, weightOfEach] of RANGES) {
    weight += Math.max(0, Math.min(codePoint, last + 1) - first) * weightOfEach;
  }
  return weight;
}

function weightOf(codePoint: number): number {
  return weightBefore(codePoint + 1) - weightBefore(codePoint);
}

/** Names are well-formed Unicode: a cut inside the surrogates would not be valid text. */
function skipSurrogates(codePoint: number, direction: 1 | -1): number {
  if (codePoint < FIRST_SURROGATE || codePoint > LAST_SURROGATE) return codePoint;
  return direction === 1 ? LAST_SURROGATE + 1 : FIRST_SURROGATE - 1;
}

function codePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

/** Not `<`, which compares UTF-16 units: there U+1F600 comes before U+FFFD. */
export function compareCodePoints(left: string, right: string): number {
  const a = codePoints(left);
  const b = codePoints(right);
  for (let index = 0; index < a.length && index < b.length; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
