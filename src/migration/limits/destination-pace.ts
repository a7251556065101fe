// Keeps the writes just below the rate that the destination allows (followed-rate.ts). Without it most of them would be refused, and each would
// wait for its Retry-After.

import type { RemoteError } from '../../remote/meaning/remote-error.ts';
import type { Clock } from '../../telemetry/clock.ts';
import type { MigrationProgress } from '../report/observer.ts';
import { FollowedRate } from './followed-rate.ts';
import type { Amounts, LimitUnit, SentRequest } from './limit-units.ts';
import { RateLimit } from './rate-limit.ts';

/** What is saved up while nothing is sent: at most this, and at most a part of the destination's burst. */
const MAX_SAVED_MS = 500;
const SHARE_OF_BURST = 0.5;
/** The migration counts as held for this long after a request had to wait. */
const HELD_MS = 5_000;
/** What one request costs at most of the time of those behind it. */
const LONGEST_WAIT_MS = 10_000;

export interface DestinationPaceOptions {
  readonly clock: Clock;
  readonly progress: Pick<MigrationProgress, 'heldBy'>;
}

export class DestinationPace {
  readonly #clock: Clock;
  readonly #progress: Pick<MigrationProgress, 'heldBy'>;
  readonly #followed = new FollowedRate();
  /** Another one for each unit. */
  #rate: RateLimit;
  #heldAtMs = Number.NEGATIVE_INFINITY;
  /** Of everything accepted. */
  #samplesPerRequest = 0;
  #samplesPerByte = 0;

  constructor({ clock, progress }: DestinationPaceOptions) {
    this.#clock = clock;
    this.#progress = progress;
    this.#rate = new RateLimit(undefined, clock);
  }

  /** Whether a limit was met. */
  get isFollowing(): boolean {
    return this.#followed.perSecond !== undefined;
  }

  /** Resolves when a request may be sent. @throws the signal's reason */
  async take(amounts: Amounts, signal: AbortSignal): Promise<SentRequest> {
    const cameAtMs = this.#clock.monotonicMs();
    let rate: RateLimit;
    do {
      this.#adopt();
      rate = this.#rate;
      const { unit, perSecond = Number.POSITIVE_INFINITY } = this.#followed;
      // What is learned from small requests must not hold a large one for hours: its refusal says more.
      await rate.take(Math.min(amounts[unit], (perSecond * LONGEST_WAIT_MS) / 1000), signal);
    } while (rate !== this.#rate);
    const sentAtMs = this.#clock.monotonicMs();
    if (this.isFollowing && sentAtMs > cameAtMs) this.#heldAtMs = sentAtMs;
    const request = { amounts, sentAtMs };
    this.#followed.sent(request);
    this.#show(sentAtMs);
    return request;
  }

  accepted(request: SentRequest): void {
    const { samples, requests, bytes } = request.amounts;
    this.#followed.accepted(request);
    this.#samplesPerRequest = mean(this.#samplesPerRequest, samples / requests);
    this.#samplesPerByte = mean(this.#samplesPerByte, samples / bytes);
  }

  /** @param error a refusal because of a rate limit */
  refused(request: SentRequest, { message, code, retryAfterMs = 0 }: RemoteError): void {
    const refusedAtMs = this.#clock.monotonicMs();
    const limited = code === 'ingestion-limited' ? limitIn(message) : { unit: undefined, stated: undefined };
    const { unit } = this.#followed;
    if (!this.#followed.refused({ ...request, ...limited, refusedAtMs, retryAfterMs })) return;
    const before = this.#rate;
    if (this.#followed.unit !== unit) this.#rate = new RateLimit(undefined, this.#clock);
    this.#adopt();
    this.#rate.drain();
    // What waited in the other unit waits again.
    if (before !== this.#rate) before.set(undefined);
    this.#heldAtMs = refusedAtMs;
    this.#show(refusedAtMs);
  }

  /** The requests were refused for another reason than their rate. */
  forget(): void {
    this.#followed.forget();
    this.#rate.set(undefined);
    this.rest();
  }

  /** Nothing is written for a while. */
  rest(): void {
    this.#progress.heldBy = undefined;
  }

  #adopt(): void {
    const { perSecond, burst } = this.#followed;
    if (perSecond === undefined) return;
    this.#rate.set(perSecond, Math.min(MAX_SAVED_MS, (SHARE_OF_BURST * burst * 1000) / perSecond));
  }

  #show(nowMs: number): void {
    const { perSecond } = this.#followed;
    const isHeld = perSecond !== undefined && nowMs - this.#heldAtMs < HELD_MS;
    this.#progress.heldBy = isHeld ? { side: 'destination', samplesPerSecond: this.#inSamples(perSecond) } : undefined;
  }

  #inSamples(perSecond: number): number {
    switch (this.#followed.unit) {
      case 'samples':
        return perSecond;
      case 'requests':
        return perSecond * this.#samplesPerRequest;
      case 'bytes':
        return perSecond * this.#samplesPerByte;
    }
  }
}

/** Of the last few dozen. */
function mean(before: number, next: number): number {
  return before === 0 ? next : before + (next - before) / 32;
}

/**
 * What a destination says that it limits. Cortex: `ingestion rate limit (25000) exceeded while adding 3 samples`; Mimir: `the tenant exceeded the
 * ingestion rate limit, set to 25000 items/s`, and `the request rate limit, set to 50 requests/s`.
 */
function limitIn(message: string): { readonly unit: LimitUnit | undefined; readonly stated: number | undefined } {
  if (/request[ -]rate/i.test(message)) return { unit: 'requests', stated: undefined };
  const found = /ingestion rate limit(?: \(|, set to )([\d.e+]+)/i.exec(message);
  const stated = Number(found?.[1]);
  const unit = /ingestion[ -]rate/i.test(message) ? 'samples' : undefined;
  return { unit, stated: stated > 0 && Number.isFinite(stated) ? stated : undefined };
}
