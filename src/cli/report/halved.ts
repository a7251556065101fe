// Makes a list of neighbours shorter by merging pairs of them. Pure.

export interface Merging<T> {
  readonly max: number;
  readonly merge: (a: T, b: T) => T;
  /** Whether two neighbours may ever be merged. */
  readonly mayMerge: (a: T, b: T) => boolean;
  /** Whether two neighbours are of the same kind. Others stay apart as long as enough pairs can be merged. */
  readonly areAlike: (a: T, b: T) => boolean;
}

export function halved<T>(items: readonly T[], { max, merge, mayMerge, areAlike }: Merging<T>): T[] {
  const kept = mergedPairs(items, merge, (a, b) => mayMerge(a, b) && areAlike(a, b));
  return kept.length <= max * 0.75 ? kept : mergedPairs(kept, merge, mayMerge);
}

function mergedPairs<T>(items: readonly T[], merge: (a: T, b: T) => T, mayMerge: (a: T, b: T) => boolean): T[] {
  const result: T[] = [];
  let isWhole = true;
  for (const item of items) {
    const last = result.at(-1);
    if (!isWhole && last !== undefined && mayMerge(last, item)) {
      result[result.length - 1] = merge(last, item);
      isWhole = true;
    } else {
      result.push(item);
      isWhole = false;
    }
  }
  return result;
}
