// The labels that a destination adds to every series it shows: external labels of a Prometheus, those of a Thanos Receive and its label for
// the tenant. They are read off the progress series, whose own labels are known exactly: whatever else it is shown with was added. Pure;
// an object never changes.

import { decodeLabels, encodeLabels, type LabelBytes } from '../../wire/labels.ts';
import { labelKey } from '../../wire/label-hash.ts';

type LabelSet = ReadonlyMap<string, string>;

/** Labels of the progress series itself, whatever the manifest says. */
const OWN_NAMES = ['__name__', 'migration', 'id', 'shard', 'end', 'probe', 'count'];

export class AddedLabels {
  /**
   * One set for each way in which the progress series was shown; an empty set where it was shown as it was written. There are several where
   * receivers with different external labels show the same series and the querier does not deduplicate.
   */
  readonly #sets: ReadonlyMap<string, LabelSet>;
  readonly #names: ReadonlySet<string>;
  /** Labels that the user gave the progress series: whether the destination adds them too can't be seen there. */
  readonly #unclear: ReadonlySet<string>;

  private constructor(sets: ReadonlyMap<string, LabelSet>, unclear: ReadonlySet<string>) {
    this.#sets = sets;
    this.#names = new Set([...sets.values()].flatMap((set) => [...set.keys()]));
    this.#unclear = unclear;
  }

  /** @param progressLabels the labels that the user gave the progress series */
  static unknown(progressLabels: Readonly<Record<string, string>>): AddedLabels {
    return new AddedLabels(new Map(), new Set(Object.keys(progressLabels)));
  }

  /** What is known after a progress series was shown with these labels: the same object when that is nothing new. */
  learnedFrom(shown: Iterable<readonly [name: string, value: string]>): AddedLabels {
    const added = [...shown].filter(([name]) => !OWN_NAMES.includes(name) && !this.#unclear.has(name));
    const key = labelKey(encodeLabels(added));
    if (this.#sets.has(key)) return this;
    return new AddedLabels(new Map([...this.#sets, [key, new Map(added)]]), this.#unclear);
  }

  /** Whether a progress series was ever seen. */
  get isKnown(): boolean {
    return this.#sets.size > 0;
  }

  /** Whether series are shown as they were written, for all that is known. */
  get areNone(): boolean {
    return this.#names.size === 0;
  }

  isAdded(name: string): boolean {
    return this.#names.has(name);
  }

  /**
   * Whether a series that is written with these labels has a label of an added name. The destination shows its own value there (Thanos), or
   * the written one (Prometheus), so what it shows may belong to another series: it proves nothing.
   */
  clashWith(written: LabelBytes): boolean {
    return !this.areNone && decodeLabels(written).some(([name]) => this.#names.has(name));
  }

  /** The keys of the series that may have been written, if it is shown with these labels. */
  originalsOf(shown: LabelBytes): string[] {
    if (this.areNone) return [labelKey(shown)];
    const labels = decodeLabels(shown);
    const values = new Map(labels);
    const keys: string[] = [];
    for (const set of this.#sets.values()) {
      if ([...set].some(([name, value]) => values.get(name) !== value)) continue;
      keys.push(keyWithout(labels, (name) => set.has(name)));
    }
    return keys;
  }

  /**
   * The key without any label that the destination adds or may add, whatever its value: what a receiver with other external labels than
   * those seen so far would have been given. Undefined when nothing was left out.
   */
  baseOf(labels: LabelBytes): string | undefined {
    const decoded = decodeLabels(labels);
    const mayBeAdded = (name: string) => this.#names.has(name) || this.#unclear.has(name);
    return decoded.some(([name]) => mayBeAdded(name)) ? keyWithout(decoded, mayBeAdded) : undefined;
  }
}

function keyWithout(labels: readonly (readonly [string, string])[], left: (name: string) => boolean): string {
  return labelKey(encodeLabels(labels.filter(([name]) => !left(name))));
}
