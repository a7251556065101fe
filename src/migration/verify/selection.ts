// Which series of the destination belong to the copy: what to request for a part of a window, and which series count as extra. Pure.

import { decodeLabels, type LabelBytes } from '../../wire/labels.ts';
import type { Matcher, MigrationPlan } from '../plan/migration-plan.ts';
import { PROGRESS_METRIC } from '../progress/progress-mark.ts';
import { nameGroups, namesMatcher } from '../series/name-groups.ts';
import { type NamePartition, partitionMatchers } from '../series/name-partition.ts';

/** Selects fewer series than the plan. */
export interface SelectedSeries {
  /** By their names in the source. */
  readonly matcher?: Matcher | undefined;
  /** By the hash of the labels that they are written with. */
  readonly has?: ((hash: number) => boolean) | undefined;
  /** Whether the others are kept too: their labels may show which labels the destination adds. */
  readonly keepsOthers?: boolean;
}

const NOT_PROGRESS: Matcher = { kind: '!=', name: '__name__', value: PROGRESS_METRIC };

export class Selection {
  readonly #plan: Pick<MigrationPlan, 'selectors' | 'relabelings' | 'externalLabels'>;
  /**
   * Whether the selectors select the same series in the destination as in the source. Relabelling and external labels can change what a selector
   * sees.
   */
  readonly #holds: boolean;

  constructor(plan: Pick<MigrationPlan, 'selectors' | 'relabelings' | 'externalLabels'>) {
    this.#plan = plan;
    const external = Object.keys(plan.externalLabels);
    const selectsExternal = plan.selectors.some((matchers) => matchers.some(({ name }) => external.includes(name)));
    this.#holds = plan.relabelings.length === 0 && !selectsExternal;
  }

  /** Whether `selectorsFor` needs the metric names of the series that are looked for. */
  get needsNames(): boolean {
    return !this.#holds;
  }

  /**
   * @param partition the metric names of the part, if the names are the same on both sides
   * @param names the metric names in the destination of the series that are looked for
   */
  selectorsFor(partition: NamePartition, names: ReadonlySet<string> | undefined): (readonly Matcher[])[] {
    if (this.#holds) {
      const inPart = partitionMatchers(partition);
      return this.#plan.selectors.map((matchers) => [...matchers, ...inPart, NOT_PROGRESS]);
    }
    return nameGroups(names ?? new Set()).map((group) => [namesMatcher(group), NOT_PROGRESS]);
  }

  /**
   * Whether a series that the source does not have counts as extra: it is selected, and has the external labels that every copied series has. With
   * relabelling that can't be told, so only additional samples of copied series are extra.
   */
  isExtra(labels: LabelBytes): boolean {
    if (!this.#holds) return false;
    const external = Object.entries(this.#plan.externalLabels);
    if (external.length === 0) return true;
    const own = new Map(decodeLabels(labels));
    return external.every(([name, value]) => own.get(name) === value);
  }
}
