// Cuts a partition of metric names into parts that are about equally large, by a sample of its names. Pure.

import { compareCodePoints, isCutPoint, type NamePartition, shortestCut } from './name-partition.ts';

export interface NameShare {
  readonly names: NamePartition;
  /** The fraction of the whole partition that it contains, as the sample shows it. */
  readonly share: number;
  /** The sample has one name of it, which can't be cut. */
  readonly isOneName: boolean;
}

/**
 * Parts of at most `maxShare` of the partition, lower names first; only a single name may be larger. All parts together cover every name of the
 * partition, also those that are not in the sample.
 * @param sampled names of the partition in any order, each as often as corresponds to its size
 */
export function cutIntoShares(partition: NamePartition, sampled: readonly string[], maxShare: number): NameShare[] {
  const weights = new Map<string, number>();
  const usable = sampled.filter((name) => isCutPoint(partition, name));
  for (const name of usable) weights.set(name, (weights.get(name) ?? 0) + 1 / usable.length);
  const names = [...weights.keys()].sort(compareCodePoints);
  const parts: { first: string; last: string; share: number }[] = [];
  const wanted = 1 / Math.ceil(1 / maxShare);
  for (const name of names) {
    const share = weights.get(name) ?? 0;
    const part = parts.at(-1);
    // Up to the border that is nearer to equal parts.
    const fits = part !== undefined && part.share + share <= maxShare && part.share + share / 2 <= wanted;
    if (fits) parts[parts.length - 1] = { ...part, last: name, share: part.share + share };
    else parts.push({ first: name, last: name, share });
  }
  if (parts.length < 2) return [{ names: partition, share: 1, isOneName: names.length === 1 }];
  const cuts = parts.slice(1).map(({ first }, index) => shortestCut(parts[index]?.last ?? '', first));
  return parts.map(({ first, last, share }, index) => ({
    names: { from: cuts[index - 1] ?? partition.from, to: cuts[index] ?? partition.to },
    share,
    isOneName: first === last,
  }));
}
