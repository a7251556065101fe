// Whether to request the source's stream of chunks or plain samples (SAMPLES). Plain samples lose the sign of −0 and, from some versions of
// Prometheus, bounds of histogram buckets, so they are read only where the stream is unusable.

import type { TimeRange } from './open-window.ts';
import { reactToUndecodable } from './read-failure.ts';

/** `Auto`: a stream, or SAMPLES if the source does not stream; `Decoded`: a protocol with one form only, which arrives decoded. */
export type SourceForm = 'Auto' | 'Samples' | 'Decoded';

export interface RequestMode {
  readonly samplesOnly: boolean;
  /** SAMPLES are read because the stream is unusable: some of them may differ from what the source has. */
  readonly insteadOfStream: boolean;
}

export interface UndecodableReaction {
  /** How many times the window has failed with this problem. */
  readonly times: number;
  readonly reaction: ReturnType<typeof reactToUndecodable>;
}

export class SampleMode {
  /**
   * - `stream`: requested, except where it was undecodable
   * - `chosen`: SAMPLES, by spec.source.readMode
   * - `no-stream`: SAMPLES, because the source does not stream
   * - `unusable-stream`: SAMPLES, because the end of a stream can't be detected (a proxy that speaks HTTP/1.0)
   * - `decoded`: the protocol has one form only
   */
  #mode: 'stream' | 'chosen' | 'no-stream' | 'unusable-stream' | 'decoded';
  /** The last window that the writer could not decode. */
  #undecodable: { readonly untilMs: number; readonly problem: string; readonly times: number } | undefined;
  #samplesUntilMs = Number.NEGATIVE_INFINITY;

  constructor(form: SourceForm) {
    this.#mode = form === 'Samples' ? 'chosen' : form === 'Decoded' ? 'decoded' : 'stream';
  }

  /** @param spanSamplesUntilMs before this time the stream of these names could not be decoded */
  at(fromMs: number, spanSamplesUntilMs: number): RequestMode {
    const undecodable = fromMs < spanSamplesUntilMs || fromMs < this.#samplesUntilMs;
    return {
      samplesOnly: this.#mode !== 'decoded' && (undecodable || this.#mode !== 'stream'),
      insteadOfStream: this.#mode === 'unusable-stream' || (undecodable && this.#mode === 'stream'),
    };
  }

  /** Whether there is no other form to read in. */
  isLast(fromMs: number, spanSamplesUntilMs: number): boolean {
    return this.#mode === 'decoded' || this.at(fromMs, spanSamplesUntilMs).samplesOnly;
  }

  /**
   * Whether the source sends plain samples in general, not only where its stream is unusable.
   * @param mode how a response was requested
   * @param streamed whether it was a stream: a source may send SAMPLES instead
   */
  isPlain({ samplesOnly }: RequestMode, streamed: boolean): boolean {
    if (this.#mode === 'decoded' || streamed) return false;
    return this.#mode !== 'stream' || !samplesOnly;
  }

  /** @param streams whether the source streams, but not in a usable way */
  giveUpStreams(streams: boolean): void {
    this.#mode = streams ? 'unusable-stream' : 'no-stream';
  }

  undecodable(window: TimeRange, problem: string): UndecodableReaction {
    const before = this.#undecodable;
    const again = before !== undefined && before.problem === problem && window.fromMs < before.untilMs;
    const times = again ? before.times + 1 : 1;
    this.#undecodable = { untilMs: window.toMs, problem, times };
    // A source may send SAMPLES instead of a stream. They count as a stream until SAMPLES were requested.
    const reaction = reactToUndecodable(times, this.isLast(window.fromMs, Number.NEGATIVE_INFINITY));
    if (reaction === 'samples-only') this.#samplesUntilMs = window.toMs;
    return { times, reaction };
  }
}
