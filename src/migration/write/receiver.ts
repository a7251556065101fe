// Learns during a run how the destination refuses samples. Prometheus rolls back a whole request because of one bad sample, so the others have
// to be sent again. Cortex, Mimir, Thanos and M3 keep the good part, and would refuse it as a repeat if it were sent again.

import type { RejectReason, RemoteError } from '../../remote/meaning/remote-error.ts';
import type { DestinationView } from '../progress/destination-view.ts';
import type { Attempt, DeliveryWindow } from './attempt.ts';
import type { Probe } from './probe.ts';
import type { WriteAttempts } from './write-failure.ts';

/** After this many single samples of a window are refused for one reason, a probe checks whether every sample is. */
const REFUSALS_BEFORE_PROBING = 3;
const MAX_TRIES = 3;

/** Reasons that may apply to every sample of a window. The other reasons depend on the series, and the probe has a series of its own. */
const GENERAL_REASONS: ReadonlySet<RejectReason> = new Set(['too_old', 'too_far_in_future', 'other']);

export class Receiver {
  readonly #probe: Probe;
  readonly #view: DestinationView;
  #refuses: 'unknown' | 'the bad part' | 'the whole request' = 'unknown';
  #tries = 0;
  #lastProbe: Promise<unknown> = Promise.resolve();

  constructor(probe: Probe, view: DestinationView) {
    this.#probe = probe;
    this.#view = view;
  }

  /** What is known of the other samples of a refused request. */
  others(error: RemoteError, window: DeliveryWindow): WriteAttempts['others'] {
    if (window.refusals.get(error.code)?.ofAll === true) return 'refused';
    // A read-back would take another value at the same time for the sample, so these have to be found one by one.
    const findable = error.reason !== 'duplicate_timestamp';
    return this.#refuses === 'the bad part' && findable ? 'kept' : 'lost';
  }

  /**
   * Learns from a refused request.
   * @returns whether its samples are there after all, because the destination accepted them when they were sent again
   */
  learn(attempt: Attempt, error: RemoteError): Promise<boolean> {
    const learned = this.#lastProbe.then(() => this.#learn(attempt, error));
    this.#lastProbe = learned.catch(() => undefined);
    return learned;
  }

  async #learn({ outgoing, window, signal }: Attempt, error: RemoteError): Promise<boolean> {
    if (error.class !== 'rejected') return false;
    const { code, reason = 'other' } = error;
    const refusal = window.refusals.get(code) ?? { samples: 0, probed: false, ofAll: false };
    window.refusals.set(code, refusal);
    if (outgoing.samples === 1) refusal.samples++;
    // One sample that is too old is reason enough to probe the window's end.
    const isProbeDue = reason === 'too_old' || refusal.samples >= REFUSALS_BEFORE_PROBING;
    if (isProbeDue && !refusal.probed && GENERAL_REASONS.has(reason)) {
      refusal.probed = true;
      refusal.ofAll = await this.#refusesAll(window, error, signal);
    }
    const isLesson = outgoing.samples === 1 && this.#refuses === 'unknown' && !refusal.ofAll;
    if (!isLesson || !this.#view.readable || this.#tries >= MAX_TRIES) return false;
    this.#tries++;
    return await this.#sendBeside(outgoing.request(), window, signal);
  }

  /** If both ends of the window are refused, or the one that is more likely to be accepted, the whole window is. */
  async #refusesAll(window: DeliveryWindow, error: RemoteError, signal: AbortSignal): Promise<boolean> {
    const { reason } = error;
    const ends = [
      ...(reason === 'too_far_in_future' ? [] : [window.toMs - 1]),
      ...(reason === 'too_old' ? [] : [window.fromMs]),
    ];
    for (const timeMs of ends) {
      const refusal = await this.#probe.send(timeMs, signal);
      if (refusal === undefined || !isSameRefusal(refusal, error)) return false;
    }
    return true;
  }

  async #sendBeside(refused: Uint8Array, window: DeliveryWindow, signal: AbortSignal): Promise<boolean> {
    const timeMs = window.toMs - 1;
    // If the probe alone is refused, it would be missing in either case.
    if ((await this.#probe.send(timeMs, signal)) !== undefined) return false;
    const outcome = await this.#probe.sendBeside(refused, timeMs, signal);
    if (outcome === 'kept') this.#refuses = 'the bad part';
    if (outcome === 'rolled-back') this.#refuses = 'the whole request';
    return outcome === 'accepted';
  }
}

/** Two unknown error texts may have different meanings, unless they differ only in the parts that come from the samples. */
function isSameRefusal(a: RemoteError, b: RemoteError): boolean {
  if (a.code !== b.code) return false;
  return a.reason !== 'other' || withoutData(a.message) === withoutData(b.message);
}

function withoutData(message: string): string {
  return message.replaceAll(/\{[^}]*\}?|"[^"]*"?|\S*\d\S*/g, '');
}
