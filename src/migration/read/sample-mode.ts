// Whether the source is asked for its stream of chunks or for plain samples (SAMPLES). Plain samples lose the sign of −0 and, from some
// versions of Prometheus, bounds of histogram buckets, so they are read only where the stream can't be. Owned by window-planner.ts.

import type { TimeRange } from './open-window.ts';
import { reactToUndecodable } from './read-failure.ts';

export interface RequestMode {
  readonly samplesOnly: boolean;
  /** SAMPLES are read because the stream could not be used: some of them may differ from what the source has. */
  readonly insteadOfStream: boolean;
}

export interface UndecodableReaction {
  /** How often the window has failed with this problem. */
  readonly times: number;
  readonly reaction: ReturnType<typeof reactToUndecodable>;
}

export class SampleMode {
  /**
   * - `stream`: asked for, except where it was undecodable
   * - `chosen`: SAMPLES, by spec.source.readMode
   * - `no-stream`: SAMPLES, because the source has no stream
   * - `unusable-stream`: SAMPLES, because the end of a stream can't be seen (a proxy that speaks HTTP/1.0)
   */
  #mode: 'stream' | 'chosen' | 'no-stream' | 'unusable-stream';
  /** The window that the writer could not decode last. */
  #undecodable: { readonly untilMs: number; readonly problem: string; readonly times: number } | undefined;
  #samplesUntilMs = Number.NEGATIVE_INFINITY;

  constructor(readMode: 'Auto' | 'Samples') {
    this.#mode = readMode === 'Samples' ? 'chosen' : 'stream';
  }

  /** Where the window that is read again ends; nothing before `fromMs` is. */
  rereadUntilMs(fromMs: number): number | undefined {
    const untilMs = this.#undecodable?.untilMs;
    return untilMs !== undefined && untilMs > fromMs ? untilMs : undefined;
  }

  /** @param spanSamplesUntilMs before it the stream of these names could not be decoded */
  at(fromMs: number, spanSamplesUntilMs: number): RequestMode {
    const undecodable = fromMs < spanSamplesUntilMs || fromMs < this.#samplesUntilMs;
    return {
      samplesOnly: undecodable || this.#mode !== 'stream',
      insteadOfStream: this.#mode === 'unusable-stream' || (undecodable && this.#mode === 'stream'),
    };
  }

  /** @param streams whether there is a stream, only not a usable one */
  giveUpStreams(streams: boolean): void {
    this.#mode = streams ? 'unusable-stream' : 'no-stream';
  }

  undecodable(window: TimeRange, problem: string): UndecodableReaction {
    const before = this.#undecodable;
    const again = before !== undefined && before.problem === problem && window.fromMs < before.untilMs;
    const times = again ? before.times + 1 : 1;
    this.#undecodable = { untilMs: window.toMs, problem, times };
    // A source may send SAMPLES in place of a stream: these count as one until they were asked for.
    const reaction = reactToUndecodable(times, this.at(window.fromMs, Number.NEGATIVE_INFINITY).samplesOnly);
    if (reaction === 'samples-only') this.#samplesUntilMs = window.toMs;
    return { times, reaction };
  }
}
