// Reads how far each shard of a migration has come, with a number of requests that does not grow with the number of marks. A query for the
// largest value of each series returns one value for a shard however many marks it has, but not its time. It follows from the count
// `covered_ms`, if that agrees with the other counts beside the mark. Otherwise the mark is searched for.

import { FIRST_SHARD, startOfShard, type TimeRange } from '../plan/stretches.ts';
import { COUNT_LABEL, COVERED_COUNT } from './mark-counts.ts';
import { isTooLarge, readBackTooLarge } from './present-times.ts';
import { LatestMarks, type Mark } from './progress-mark.ts';
import type { FurthestSample } from './read-range.ts';

export interface LedgerOptions {
  /** The range of the migration: its start is that of the first shard. */
  readonly range: TimeRange;
  /** Half open. Where the marks are looked for. */
  readonly fromMs: number;
  readonly toMs: number;
  /**
   * Of one shard, or of all. @throws DoesNotFit, or RemoteError `too-large`, when there is too much to read at once
   */
  readonly read: (fromMs: number, toMs: number, shard?: string) => Promise<readonly FurthestSample[]>;
  readonly search: (shard: string) => Promise<Mark | undefined>;
}

/** The furthest mark of each shard. */
export async function readLedger(options: LedgerOptions): Promise<Mark[]> {
  const latest = new LatestMarks();
  const unclear = new Set<string>();
  let isTimed = true;
  await readRange(options, options.fromMs, options.toMs, (samples) => {
    isTimed &&= samples.every(({ timeMs }) => timeMs !== undefined);
    for (const shard of addSamples(samples, options.range, latest)) unclear.add(shard);
  });
  // An older version, to which a user has returned for a while, continues the first shard and its counts, but not `covered_ms`.
  const first = isTimed ? undefined : latest.marks.find(({ shard }) => shard === FIRST_SHARD);
  if (first !== undefined && !unclear.has(FIRST_SHARD) && (await hasLater(options, first))) unclear.add(FIRST_SHARD);
  const marks = latest.marks.filter(({ shard }) => !unclear.has(shard));
  const found = await Promise.all([...unclear].map((shard) => options.search(shard)));
  return [...marks, ...found.filter((mark) => mark !== undefined)];
}

async function hasLater({ read, toMs }: LedgerOptions, { shard, throughMs }: Mark): Promise<boolean> {
  // A query may also cover the millisecond before its start.
  const fromMs = throughMs + 2;
  return fromMs < toMs && (await read(fromMs, toMs, shard)).some(({ labels }) => labels[COUNT_LABEL] === undefined);
}

async function readRange(
  options: LedgerOptions,
  fromMs: number,
  toMs: number,
  add: (samples: readonly FurthestSample[]) => void,
): Promise<void> {
  try {
    add(await options.read(fromMs, toMs));
  } catch (error) {
    if (!isTooLarge(error)) throw error;
    if (toMs - fromMs <= 1) throw readBackTooLarge(error);
    const middleMs = fromMs + Math.floor((toMs - fromMs) / 2);
    await readRange(options, fromMs, middleMs, add);
    await readRange(options, middleMs, toMs, add);
  }
}

/** @returns the shards whose furthest mark these samples do not show */
function addSamples(samples: readonly FurthestSample[], range: TimeRange, latest: LatestMarks): Set<string> {
  const unclear = new Set<string>();
  for (const series of seriesOfMarks(samples)) {
    const untimed = series.filter(({ timeMs }) => timeMs === undefined);
    for (const { labels, timeMs, value } of series) if (timeMs !== undefined) latest.add(labels, timeMs, value);
    if (untimed.length === 0) continue;
    const shard = untimed[0]?.labels['shard'] ?? FIRST_SHARD;
    const startMs = startOfShard(shard, range);
    if (startMs === undefined) continue;
    const covered = untimed.find(({ labels }) => labels[COUNT_LABEL] === COVERED_COUNT);
    const timeMs = startMs + (covered?.value ?? 0) - 1;
    const alone = new LatestMarks();
    for (const { labels, value } of untimed) alone.add(labels, timeMs, value);
    if (covered === undefined || alone.latest?.counts === undefined) unclear.add(shard);
    else for (const { labels, value } of untimed) latest.add(labels, timeMs, value);
  }
  return unclear;
}

/** The samples of a mark and of the counts beside it, for each way in which a shard was marked and is shown. */
function seriesOfMarks(samples: readonly FurthestSample[]): Iterable<FurthestSample[]> {
  const groups = new Map<string, FurthestSample[]>();
  for (const sample of samples) {
    const others = Object.entries(sample.labels).filter(([name]) => name !== COUNT_LABEL && name !== '__name__');
    const key = JSON.stringify(others.sort(([a], [b]) => (a < b ? -1 : 1)));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [sample]);
    else group.push(sample);
  }
  return groups.values();
}
