// What a verification has to report about a destination, kept by the test from what it planted. Pure.

import { type Label, labelText } from '../test/support/series-set.ts';

export const DIFFERENCE_KINDS = ['missing', 'extra', 'different', 'repeated'] as const;

export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

/** The value of one sample: a float as its bits, a native histogram as its canonical text. */
export type Value = bigint | string;

/** One sample that is not the same on both sides. */
export interface Truth {
  /** As the destination has them. */
  readonly labels: readonly Label[];
  readonly timeMs: number;
  readonly kind: DifferenceKind;
  readonly source: Value | undefined;
  readonly destination: Value | undefined;
}

/** Two differences with the same key are the same sample with the same kind of difference. */
export function keyOf({ labels, timeMs, kind }: Pick<Truth, 'labels' | 'timeMs' | 'kind'>): string {
  return `${kind} ${timeMs} ${labelText(labels)}`;
}

export function countKinds(differences: Iterable<{ readonly kind: DifferenceKind }>): Record<DifferenceKind, number> {
  const counts = { missing: 0, extra: 0, different: 0, repeated: 0 };
  for (const { kind } of differences) counts[kind]++;
  return counts;
}
