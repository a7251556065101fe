// Counts how often the destination's response for a window could not be decoded, and decides what follows. Pure.

import type { TimeRange } from '../read/open-window.ts';
import { reactToUndecodable } from '../read/read-failure.ts';

export class UndecodableWindows {
  #last: (TimeRange & { readonly times: number }) | undefined;

  /**
   * Another failure. Only consecutive ones of the same window count: a window that could be read in the end says nothing about the next one.
   * @param plain the response was SAMPLES
   */
  failed(
    { fromMs, toMs }: TimeRange,
    plain: boolean,
  ): { times: number; reaction: ReturnType<typeof reactToUndecodable> } {
    const last = this.#last;
    const isSame = last !== undefined && fromMs < last.toMs && toMs > last.fromMs;
    const times = isSame ? last.times + 1 : 1;
    this.#last = { fromMs, toMs, times };
    return { times, reaction: reactToUndecodable(times, plain) };
  }

  /** All of the window was read and decoded. */
  passed({ fromMs, toMs }: TimeRange): void {
    const last = this.#last;
    if (last !== undefined && fromMs < last.toMs && toMs > last.fromMs) this.#last = undefined;
  }
}
