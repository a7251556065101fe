// How to split a read-back that is too large: first by metric name, then by the values of a label in which the wanted series differ, down to one
// series, then by time. Time comes last because a shorter range has the same labels, and the labels of a metric with many series can be most
// of a response. Pure.

import { decodeLabels } from '../../wire/labels.ts';
import type { Matcher } from '../plan/migration-plan.ts';
import { nameGroups, namesMatcher } from '../series/name-groups.ts';
import { ALL_NAMES, hasName, type NamePartition, partitionMatchers, splitNames } from '../series/name-partition.ts';

/** Some series of [fromMs, toMs). */
export interface SeriesPiece {
  readonly names: readonly string[];
  /** For each label the interval of its values. A series without the label has the empty value. */
  readonly values: ReadonlyMap<string, NamePartition>;
  /** All labels of the single remaining series. */
  readonly only?: readonly (readonly [name: string, value: string])[];
  readonly fromMs: number;
  readonly toMs: number;
}

/** The number of series that are inspected to choose a label. */
const MAX_SAMPLED_SERIES = 1000;

/** The initial pieces. */
export function piecesOf(names: readonly string[], fromMs: number, toMs: number): SeriesPiece[] {
  return nameGroups(names).map((group) => ({ names: group, values: new Map(), fromMs, toMs }));
}

/** A piece for each of its names. */
export function singleNames(piece: SeriesPiece): SeriesPiece[] {
  return piece.names.map((name) => ({ ...piece, names: [name] }));
}

export function pieceMatchers({ names, values, only }: SeriesPiece): Matcher[] {
  const intervals = [...values].flatMap(([label, interval]) => {
    const isGiven = only?.some(([name]) => name === label) === true;
    return isGiven ? [] : partitionMatchers(interval, label);
  });
  if (only === undefined) return [namesMatcher(names), ...intervals];
  // The intervals exclude series that have all of these labels and additional ones.
  return [...only.map(([name, value]) => ({ kind: '=', name, value }) as const), ...intervals];
}

/**
 * Two pieces that together contain every wanted series of this one; one piece if only one series is wanted; none if no series is.
 * @param wanted the wanted series, by `labelKey`
 * @param options the labels that the destination changes, which therefore select nothing; whether a shorter time makes the read smaller
 * @returns undefined if the piece can't be split further
 */
export function splitPiece(
  piece: SeriesPiece,
  wanted: Iterable<string>,
  options: { isAdded: (label: string) => boolean; canSplitTime: boolean },
): SeriesPiece[] | undefined {
  const { names, fromMs, toMs } = piece;
  if (names.length > 1) {
    const middle = names.length >> 1;
    return [
      { ...piece, names: names.slice(0, middle) },
      { ...piece, names: names.slice(middle) },
    ];
  }
  if (piece.only === undefined) {
    const sample = sampleOf(piece, wanted);
    const [first] = sample;
    if (first === undefined) return [];
    if (sample.length === 1) return [{ ...piece, only: [...first].filter(([label]) => !options.isAdded(label)) }];
    const halves = splitByLabel(piece, sample, options.isAdded);
    if (halves !== undefined) return halves;
  }
  if (!options.canSplitTime || toMs - fromMs <= 1) return undefined;
  const middleMs = fromMs + Math.floor((toMs - fromMs) / 2);
  return [
    { ...piece, toMs: middleMs },
    { ...piece, fromMs: middleMs },
  ];
}

type Labels = ReadonlyMap<string, string>;

/** Wanted series of the piece, sampled from the whole list and not from its beginning, where neighbours have much in common. */
function sampleOf(piece: SeriesPiece, wanted: Iterable<string>): Labels[] {
  let sample: Labels[] = [];
  let stride = 1;
  let index = 0;
  for (const key of wanted) {
    const labels = new Map(decodeLabels(Buffer.from(key, 'latin1')));
    if (!isInPiece(piece, labels)) continue;
    if (index++ % stride !== 0) continue;
    sample.push(labels);
    if (sample.length <= MAX_SAMPLED_SERIES) continue;
    sample = sample.filter((_, at) => at % 2 === 0);
    stride *= 2;
  }
  return sample;
}

function isInPiece({ names, values }: SeriesPiece, labels: Labels): boolean {
  if (!names.includes(labels.get('__name__') ?? '')) return false;
  for (const [label, interval] of values) if (!hasName(interval, labels.get(label) ?? '')) return false;
  return true;
}

/** Splits in the middle of the values of the label with the most values. */
function splitByLabel(
  piece: SeriesPiece,
  sample: readonly Labels[],
  isAdded: (label: string) => boolean,
): SeriesPiece[] | undefined {
  const valuesOf = new Map<string, Set<string>>();
  for (const labels of sample) {
    for (const label of labels.keys()) if (!isAdded(label)) valuesOf.set(label, new Set());
  }
  for (const [label, values] of valuesOf) for (const labels of sample) values.add(labels.get(label) ?? '');
  const byCount = [...valuesOf].filter(([, values]) => values.size > 1).sort(([, a], [, b]) => b.size - a.size);
  for (const [label, values] of byCount) {
    const halves = splitNames(piece.values.get(label) ?? ALL_NAMES, values);
    // Very long values can't be separated by a cut: all of them would be in one half.
    if (halves?.every((half) => [...values].some((value) => hasName(half, value)))) {
      return halves.map((half) => ({ ...piece, values: new Map([...piece.values, [label, half]]) }));
    }
  }
  return undefined;
}
