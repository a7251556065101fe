// The series of the samples that `plan --probe-write` writes: labels like those of a mark, and like those of the series with the largest labels.
// They have the name of the progress series, which is never copied from a source and never compared. Pure.

import { decodeLabels } from '../../wire/labels.ts';
import type { Matcher, MigrationPlan } from '../plan/migration-plan.ts';
import { PROGRESS_METRIC } from '../progress/progress-mark.ts';
import type { LabelShape } from './label-shape.ts';

export interface ProbeSeries {
  readonly like: 'mark' | 'widest' | 'longest';
  readonly labels: Readonly<Record<string, string>>;
  /** Select this series and no other. */
  readonly matchers: readonly Matcher[];
}

/** The label that tells these series from marks. */
export const PROBE_VALUE = 'plan';

/** @param timeMs each time has series of its own, so that a later probe of an earlier time is not out of order within its series */
export function probeSeries(
  plan: Pick<MigrationPlan, 'progressLabels'>,
  shape: LabelShape | undefined,
  timeMs: number,
): ProbeSeries[] {
  const at = new Date(timeMs).toISOString();
  const made = (like: ProbeSeries['like'], others: Readonly<Record<string, string>>): ProbeSeries => {
    const own = { __name__: PROGRESS_METRIC, probe: PROBE_VALUE, at, like };
    const matchers = Object.entries(own).map(([name, value]) => ({ kind: '=', name, value }) as const);
    return { like, labels: { ...others, ...own }, matchers };
  };
  const [widest, longest] = shape?.examples ?? [];
  return [
    made('mark', plan.progressLabels),
    ...(shape === undefined || widest === undefined ? [] : [made('widest', withRoom(pairsOf(widest), shape))]),
    ...(shape === undefined || longest === undefined ? [] : [made('longest', longestOf(pairsOf(longest), shape))]),
  ];
}

const OWN_LABELS = ['__name__', 'probe', 'at', 'like'];
/** Labels of marks: with those of the data, a probe could be taken for one. */
const LABELS_OF_MARKS = ['migration', 'id', 'shard', 'end', 'count'];

type Pairs = readonly (readonly [name: string, value: string])[];

function pairsOf(labels: Uint8Array): Pairs {
  return decodeLabels(labels).filter(([name]) => ![...OWN_LABELS, ...LABELS_OF_MARKS].includes(name));
}

/**
 * Without as many labels as are added: more labels than the data has could be refused although the data is not. Those that all series have are
 * kept: an HA tracker decides by them.
 */
function withRoom(pairs: Pairs, { mostLabels, common }: LabelShape): Record<string, string> {
  const others = longestFirst(pairs.filter(([name]) => !Object.hasOwn(common, name)));
  const room = mostLabels - OWN_LABELS.length - Object.keys(common).length;
  return { ...common, ...Object.fromEntries(others.slice(0, Math.max(0, room))) };
}

function longestOf(pairs: Pairs, { common }: LabelShape): Record<string, string> {
  return { ...common, ...Object.fromEntries(longestFirst(pairs).slice(0, 1)) };
}

function longestFirst(pairs: Pairs): Pairs {
  return [...pairs].sort(([, a], [, b]) => b.length - a.length);
}
