// Divides the range of a migration into stretches: parts that are copied independently of one another, each with a mark series of its own. Pure.
//
// The marks say which parts an earlier run has copied, however it had divided the range: with another length of stretches, an earlier end, or
// not at all. What they cover is never copied again. A stretch begins wherever an earlier one may have stopped, because what was written
// behind a mark is looked for only from the start of a stretch.

import { MAX_STRETCHES, STRETCH_UNIT_MS, shortestStretchText, stretchCount } from '../../api/stretch-count.ts';
import { MigrationError } from '../report/migration-error.ts';

export interface TimeRange {
  readonly startMs: number;
  /** Exclusive. */
  readonly endMs: number;
}

/** How far the marks of one shard reach. */
export interface ShardReach {
  readonly shard: string;
  /** Everything from the start of the shard up to and including this time is in the destination. */
  readonly throughMs: number;
}

export interface Stretch {
  /** The label `shard` of its marks. */
  readonly shard: string;
  /** Where its marks begin: the time in its shard's name. */
  readonly startMs: number;
  /** Everything before it is in the destination; `startMs` if nothing is. */
  readonly fromMs: number;
  /** Exclusive. */
  readonly endMs: number;
  /** Whether an earlier run may have written samples after `fromMs`. */
  readonly mayHoldSamples: boolean;
}

export interface Division {
  /** What remains to be copied, the oldest first. */
  readonly stretches: readonly Stretch[];
  /** How many stretches of that length the marks cover completely. */
  readonly finished: number;
}

export interface DivisionOptions {
  readonly range: TimeRange;
  readonly lengthMs: number;
  /** The furthest mark of each shard, of all earlier runs. */
  readonly marks: readonly ShardReach[];
  /** How far behind its last mark a run may have written. */
  readonly uncertainMs: number;
  /** Whether a run may have written behind the start of the range without a mark. */
  readonly startMayHoldSamples: boolean;
}

/** The first shard begins with the range, whenever that is. A migration that is not divided has only this one. */
export const FIRST_SHARD = '0';
/** By default. A destination gets about a dozen series for each stretch. */
const DEFAULT_MAX_STRETCHES = 256;
/** At its end a stretch with differences waits until they have settled. So a verification has only as many as keep all threads busy. */
const MAX_COMPARED_PER_THREAD = 8;

/**
 * The length of stretches for a range: a power of two of `STRETCH_UNIT_MS`, so that a range that becomes longer keeps its borders.
 * @param givenMs spec.execution.stretch
 * @throws MigrationError `too-many-stretches` if the range has too many of the given length
 */
export function stretchLengthMs(range: TimeRange, givenMs: number | undefined): number {
  const count = (lengthMs: number) => stretchCount(range, lengthMs);
  if (givenMs !== undefined) {
    if (count(givenMs) <= MAX_STRETCHES) return givenMs;
    throw new MigrationError(
      'too-many-stretches',
      `the range has ${count(givenMs)} stretches of spec.execution.stretch; at most ${MAX_STRETCHES} are possible`,
      {
        hint: `set spec.execution.stretch to at least ${shortestStretchText(range)}, or remove it to let it be chosen`,
      },
    );
  }
  let lengthMs = STRETCH_UNIT_MS;
  while (count(lengthMs) > DEFAULT_MAX_STRETCHES) lengthMs *= 2;
  return lengthMs;
}

/**
 * The length of stretches for a verification, which need not be those of the copy. Their borders are.
 * @param givenMs spec.execution.stretch
 */
export function comparedLengthMs(range: TimeRange, givenMs: number | undefined, parallelism: number): number {
  let lengthMs = stretchLengthMs(range, givenMs);
  if (givenMs !== undefined) return lengthMs;
  while (stretchCount(range, lengthMs) > MAX_COMPARED_PER_THREAD * Math.max(1, parallelism)) lengthMs *= 2;
  return lengthMs;
}

export function shardOf(startMs: number, range: TimeRange): string {
  return startMs === range.startMs ? FIRST_SHARD : new Date(startMs).toISOString();
}

/** Where the marks of a shard begin; undefined if no version names a shard like this. */
export function startOfShard(shard: string, range: Pick<TimeRange, 'startMs'>): number | undefined {
  if (shard === FIRST_SHARD) return range.startMs;
  const startMs = Date.parse(shard);
  return Number.isNaN(startMs) || new Date(startMs).toISOString() !== shard ? undefined : startMs;
}

export function divide({ range, lengthMs, marks, uncertainMs, startMayHoldSamples }: DivisionOptions): Division {
  const shards = reachesOf(marks, range);
  const ends = shards.map(({ nextMs }) => nextMs);
  if (startMayHoldSamples) ends.push(range.startMs);
  const isUncertain = (timeMs: number) => ends.some((endMs) => timeMs >= endMs && timeMs < endMs + uncertainMs);
  const borders = new Set([...shards.map(({ startMs }) => startMs), ...ends]);
  const gaps = gapsBetween(shards, range);
  const stretches = gaps.flatMap((gap) =>
    cut(gap, lengthMs, borders).map(({ startMs: fromMs, endMs }): Stretch => {
      // Of two shards that reach to the same place, the later one has begun there.
      const continued = shards.findLast(({ nextMs }) => nextMs === fromMs);
      const shard = continued?.shard ?? shardOf(fromMs, range);
      return {
        shard,
        startMs: continued?.startMs ?? fromMs,
        fromMs,
        endMs,
        mayHoldSamples: isUncertain(fromMs),
      };
    }),
  );
  return { stretches, finished: finishedCells(gaps, range, lengthMs) };
}

/** What the stretches have to copy. */
export function remainingOf(stretches: readonly Stretch[]): TimeRange[] {
  const ranges: TimeRange[] = [];
  for (const { fromMs: startMs, endMs } of stretches) {
    const last = ranges.at(-1);
    if (last?.endMs === startMs) ranges[ranges.length - 1] = { startMs: last.startMs, endMs };
    else ranges.push({ startMs, endMs });
  }
  return ranges;
}

interface Reach {
  readonly shard: string;
  readonly startMs: number;
  /** The first millisecond that is not covered. */
  readonly nextMs: number;
}

function reachesOf(marks: readonly ShardReach[], range: TimeRange): Reach[] {
  const reaches = marks.flatMap(({ shard, throughMs }): Reach[] => {
    const startMs = startOfShard(shard, range);
    if (startMs === undefined || startMs < range.startMs || startMs >= range.endMs) return [];
    return [{ shard, startMs, nextMs: Math.min(Math.max(startMs, throughMs + 1), range.endMs) }];
  });
  return reaches.sort((a, b) => a.startMs - b.startMs);
}

/** What no shard covers. */
function gapsBetween(reaches: readonly Reach[], { startMs, endMs }: TimeRange): TimeRange[] {
  const gaps: TimeRange[] = [];
  let atMs = startMs;
  for (const reach of reaches) {
    if (reach.startMs > atMs) gaps.push({ startMs: atMs, endMs: reach.startMs });
    atMs = Math.max(atMs, reach.nextMs);
  }
  if (atMs < endMs) gaps.push({ startMs: atMs, endMs });
  return gaps;
}

function cut({ startMs, endMs }: TimeRange, lengthMs: number, borders: ReadonlySet<number>): TimeRange[] {
  const cuts = new Set([...borders].filter((borderMs) => borderMs > startMs && borderMs < endMs));
  for (let atMs = borderAfter(startMs, lengthMs); atMs < endMs; atMs += lengthMs) cuts.add(atMs);
  const ordered = [startMs, ...[...cuts].sort((a, b) => a - b), endMs];
  return ordered.slice(1).map((toMs, index) => ({ startMs: ordered[index] as number, endMs: toMs }));
}

function borderAfter(timeMs: number, lengthMs: number): number {
  return (Math.floor(timeMs / lengthMs) + 1) * lengthMs;
}

function finishedCells(gaps: readonly TimeRange[], range: TimeRange, lengthMs: number): number {
  const touched = new Set<number>();
  for (const { startMs, endMs } of gaps) {
    for (let cell = Math.floor(startMs / lengthMs); cell * lengthMs < endMs; cell++) touched.add(cell);
  }
  return stretchCount(range, lengthMs) - touched.size;
}
