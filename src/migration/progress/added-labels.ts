// The labels that a destination adds to every series it shows: external labels of a Prometheus, or those of a Thanos Receive together with its
// tenant label. They are derived from the progress series, whose own labels are known exactly: any other label on it was added. Pure and
// immutable.

import { decodeLabels, encodeLabels, type LabelBytes } from '../../wire/labels.ts';
import { labelKey } from '../../wire/label-hash.ts';

type LabelSet = ReadonlyMap<string, string>;

/** Labels of the progress series itself, whatever the manifest says. */
const OWN_NAMES = ['__name__', 'migration', 'id', 'shard', 'end', 'probe', 'count'];

export class AddedLabels {
  /**
   * One set for each way in which the progress series was shown; an empty set where it was shown as written. There are several if receivers
   * with different external labels show the same series and the querier does not deduplicate.
   */
  readonly #sets: ReadonlyMap<string, LabelSet>;
  readonly #names: ReadonlySet<string>;
  /** Labels that the user gave the progress series. Whether the destination adds them too can't be seen there. */
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

  /** What is known after a progress series was shown with these labels; the same object if nothing is new. */
  learnedFrom(shown: Iterable<readonly [name: string, value: string]>): AddedLabels {
    const added = [...shown].filter(([name]) => !OWN_NAMES.includes(name) && !this.#unclear.has(name));
    const key = labelKey(encodeLabels(added));
    if (this.#sets.has(key)) return this;
    return new AddedLabels(new Map([...this.#sets, [key, new Map(added)]]), this.#unclear);
  }

  /** Whether a progress series was seen. */
  get isKnown(): boolean {
    return this.#sets.size > 0;
  }

  /** Whether, as far as is known, series are shown as they were written. */
  get areNone(): boolean {
    return this.#names.size === 0;
  }

  isAdded(name: string): boolean {
    return this.#names.has(name);
  }

  /**
   * Whether a series that is written with these labels has a label that the destination also adds. The destination then shows its own value
   * (Thanos) or the written one (Prometheus). What it shows may belong to another series, so it proves nothing.
   */
  clashWith(written: LabelBytes): boolean {
    return !this.areNone && decodeLabels(written).some(([name]) => this.#names.has(name));
  }

  /** The keys of the series that may have been written, if the destination shows one with these labels. */
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

  /** Whether the same series is shown in several ways, as by receivers with different external labels. */
  get areSeveral(): boolean {
    return this.#sets.size > 1;
  }

  /** The labels that a series was written with, as far as they can be told from how it is shown. */
  writtenOf(shown: LabelBytes): LabelBytes {
    if (this.areNone) return shown;
    const keys = this.originalsOf(shown).sort((a, b) => a.length - b.length);
    const key = keys[0] ?? this.baseOf(shown);
    return key === undefined ? shown : Buffer.from(key, 'latin1');
  }

  /**
   * The key without any label that the destination adds or may add, whatever its value: what was sent to a receiver whose external labels
   * differ from those seen so far. Undefined if nothing was removed.
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
