// What is learned during a run about how the destination refuses samples. A Prometheus takes back a whole request for one bad sample, so the
// others have to be sent again; Cortex, Mimir, Thanos and M3 keep the good part, so to send it again would only have it refused as a repeat.

import type { RejectReason, RemoteError } from '../../remote/meaning/remote-error.ts';
import type { DestinationView } from '../progress/destination-view.ts';
import type { Attempt, DeliveryWindow } from './attempt.ts';
import type { Probe } from './probe.ts';
import type { WriteAttempts } from './write-failure.ts';

/** So many single samples of a window are refused for one reason until a probe shows whether every sample is. */
const REFUSALS_BEFORE_PROBING = 3;
const MAX_TRIES = 3;

/** Reasons that may hold for every sample of a window. The others depend on the series, and the probe's is another one. */
const GENERAL_REASONS: ReadonlySet<RejectReason> = new Set(['too_old', 'too_far_in_future', 'other']);

export class Receiver {
  readonly #probe: Probe;
  readonly #view: DestinationView;
  #refuses: 'unknown' | 'the bad part' | 'the whole request' = 'unknown';
  #tries = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(probe: Probe, view: DestinationView) {
    this.#probe = probe;
    this.#view = view;
  }

  /** What is known of the samples beside the one that a request was refused for. */
  others(error: RemoteError, window: DeliveryWindow): WriteAttempts['others'] {
    if (window.refusals.get(error.code)?.ofAll === true) return 'refused';
    // Another value at the same time would be taken for the sample when it is read back: these have to be found one by one.
    const findable = error.reason !== 'duplicate_timestamp';
    return this.#refuses === 'the bad part' && findable ? 'kept' : 'lost';
  }

  /**
   * Learns from a refused request what there is to learn.
   * @returns whether its samples are there after all: sent again, they were accepted
   */
  learn(attempt: Attempt, error: RemoteError): Promise<boolean> {
    const learned = this.#turn.then(() => this.#learn(attempt, error));
    this.#turn = learned.catch(() => undefined);
    return learned;
  }

  async #learn({ outgoing, window, signal }: Attempt, error: RemoteError): Promise<boolean> {
    if (error.class !== 'rejected') return false;
    const { code, reason = 'other' } = error;
    const refusal = window.refusals.get(code) ?? { samples: 0, probed: false, ofAll: false };
    window.refusals.set(code, refusal);
    if (outgoing.samples === 1) refusal.samples++;
    // One sample that is too old says enough to look at the window's end.
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

  /** Refused at both ends, or at the one that is more likely to be taken, is refused throughout. */
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
    // What is refused by itself would not be there in either case.
    if ((await this.#probe.send(timeMs, signal)) !== undefined) return false;
    const outcome = await this.#probe.sendBeside(refused, timeMs, signal);
    if (outcome === 'kept') this.#refuses = 'the bad part';
    if (outcome === 'rolled-back') this.#refuses = 'the whole request';
    return outcome === 'accepted';
  }
}

/** Two texts that are not known may mean two things, unless they differ only in what comes from the samples. */
function isSameRefusal(a: RemoteError, b: RemoteError): boolean {
  if (a.code !== b.code) return false;
  return a.reason !== 'other' || withoutData(a.message) === withoutData(b.message);
}

function withoutData(message: string): string {
  return message.replaceAll(/\{[^}]*\}?|"[^"]*"?|\S*\d\S*/g, '');
}
