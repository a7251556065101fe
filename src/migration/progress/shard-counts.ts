// The counts of a migration from those of its shards. Pure.

import { startOfShard, type TimeRange } from '../plan/stretches.ts';
import { addCounts, type Counts, NO_COUNTS } from '../report/counts.ts';
import type { Mark } from './progress-mark.ts';

/** The counts of all shards; unknown if those of one are, or if two cover the same time. */
export function countsOfShards(marks: readonly Mark[], range: Pick<TimeRange, 'startMs'>): Counts | 'unknown' {
  if (overlap(marks, range)) return 'unknown';
  let sum: Counts = NO_COUNTS;
  for (const { counts } of marks) {
    if (counts === undefined) return 'unknown';
    sum = addCounts(sum, counts);
  }
  return sum;
}

/**
 * Whether two shards cover the same time: an older version, which knows only the first shard, has copied what other shards cover, or a run did
 * not see the marks of another. Then their sum would count samples twice.
 */
function overlap(marks: readonly Mark[], range: Pick<TimeRange, 'startMs'>): boolean {
  const spans = marks.flatMap(({ shard, throughMs }) => {
    const startMs = startOfShard(shard, range);
    return startMs === undefined || throughMs < startMs ? [] : { startMs, throughMs };
  });
  spans.sort((a, b) => a.startMs - b.startMs);
  return spans.some(({ startMs }, index) => startMs <= (spans[index - 1]?.throughMs ?? Number.NEGATIVE_INFINITY));
}
