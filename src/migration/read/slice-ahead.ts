// The request for the next slice while the companion still reads the other side of the current one: without it, the source would wait for the
// destination, and the destination for the source.

import type { Slice } from './slice.ts';

/** A request to the source. */
export interface Asked {
  readonly slice: Slice;
  /** Ends the request, and releases what it holds. */
  drop(reason: unknown): Promise<void>;
}

export class SliceAhead<A extends Asked> {
  #asked: A | undefined;

  /** Keeps a request until it is taken or dropped. One at a time. */
  keep(asked: A): void {
    this.#asked = asked;
  }

  /** The request for this slice; undefined if it was not requested. A request for another one is dropped. */
  async take(slice: Slice): Promise<A | undefined> {
    const asked = this.#asked;
    if (asked === undefined) return undefined;
    if (isSame(asked.slice, slice)) {
      this.#asked = undefined;
      return asked;
    }
    await this.drop();
    return undefined;
  }

  async drop(): Promise<void> {
    const asked = this.#asked;
    this.#asked = undefined;
    await asked?.drop(new Error('another slice is read instead'));
  }
}

function isSame(one: Slice, other: Slice): boolean {
  return (
    one.fromMs === other.fromMs &&
    one.toMs === other.toMs &&
    one.names === other.names &&
    one.samplesOnly === other.samplesOnly &&
    one.insteadOfStream === other.insteadOfStream &&
    one.uncertain === other.uncertain &&
    one.attempt === other.attempt
  );
}
