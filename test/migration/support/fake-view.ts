// A destination view for unit tests: shows the given samples, and counts the waits.

import type { DestinationView, Hidden, SeriesRange } from '../../../src/migration/progress/destination-view.ts';
import type { Look } from '../../../src/migration/progress/settling.ts';
import { labelKey } from '../../../src/wire/label-hash.ts';

export class FakeView implements DestinationView {
  readonly readable = true;
  readonly convertsHistograms: boolean = false;
  readonly dropsNan: boolean = false;
  waits = 0;
  readonly #shown: readonly (readonly [labels: Uint8Array, ...timesMs: number[]])[];
  readonly #hides: Hidden;

  /** @param shown the timestamps of each series */
  constructor(shown: readonly (readonly [labels: Uint8Array, ...timesMs: number[]])[], hides: Hidden = 'nothing') {
    this.#shown = shown;
    this.#hides = hides;
  }

  latestMark(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  ledger(): Promise<[]> {
    return Promise.resolve([]);
  }

  showsMark(): Promise<boolean> {
    return Promise.resolve(true);
  }

  presentTimes({ keys, fromMs, toMs }: SeriesRange): Promise<ReadonlyMap<string, Float64Array>> {
    const wanted = new Set(keys());
    const present = new Map<string, Float64Array>();
    for (const [labels, ...timesMs] of this.#shown) {
      const within = timesMs.filter((timeMs) => timeMs >= fromMs && timeMs < toMs);
      if (wanted.has(labelKey(labels)) && within.length > 0) present.set(labelKey(labels), Float64Array.from(within));
    }
    return Promise.resolve(present);
  }

  isEmpty(): Promise<boolean> {
    return Promise.resolve(false);
  }

  hides(): Hidden {
    return this.#hides;
  }

  isUntouched(): Promise<boolean> {
    return Promise.resolve(false);
  }

  async settled<T>({ look, isComplete }: Look<T>): Promise<T> {
    const first = await look();
    if (isComplete(first)) return first;
    this.waits++;
    return look();
  }

  show(): Promise<number> {
    return Promise.resolve(0);
  }

  close(): void {}
}
