// Delivers one batch to the destination: retries transient failures, halves requests that are too large, searches a refused request for the bad
// samples, and counts each sample once.

import { RemoteError } from '../../remote/meaning/remote-error.ts';
import type { WriteClient, WriteResult } from '../../remote/write-client.ts';
import { hasOnlyStaleMarkers } from '../../wire/requests/only-stale-markers.ts';
import { bisectWriteRequest, writeRequestLabels } from '../../wire/requests/write-request.ts';
import { countLostInInfluxdb } from '../../wire/requests/influxdb-gaps.ts';
import type { DestinationPace } from '../limits/destination-pace.ts';
import type { SentRequest } from '../limits/limit-units.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import type { Retrier } from '../limits/retrier.ts';
import type { WarningCode } from '../report/migration-codes.ts';
import { toMigrationError } from '../report/migration-error.ts';
import type { MigrationObserver, MigrationProgress } from '../report/observer.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { DestinationView } from '../progress/destination-view.ts';
import { type Attempt, type DeliveryWindow, type OutgoingRequest, outgoingRequest } from './attempt.ts';
import { BatchLimits } from './batch-limits.ts';
import { HistogramCheck } from './histogram-check.ts';
import { Probe } from './probe.ts';
import { missingOf, readBack } from './read-back.ts';
import { Receiver } from './receiver.ts';
import { Rejections } from './rejections.ts';
import { UnprovenSamples } from './unproven-samples.ts';
import { reactToWriteFailure, WriteFailures, type WriteReaction } from './write-failure.ts';

export interface DeliveryOptions {
  readonly plan: MigrationPlan;
  readonly client: WriteClient;
  readonly view: DestinationView;
  readonly retrier: Retrier;
  readonly observer: MigrationObserver;
  readonly progress: MigrationProgress;
  readonly samplesRate: RateLimit;
  readonly bytesRate: RateLimit;
  readonly pace: DestinationPace;
}

const LOSS_IN_INFLUXDB =
  'the destination is InfluxDB: it accepts NaN, stale markers, infinite values and native histograms with a 204 but stores none of them';

export class Delivery {
  readonly limits: BatchLimits;
  readonly #options: DeliveryOptions;
  readonly #isLimited: boolean;
  readonly #probe: Probe;
  readonly #receiver: Receiver;
  readonly #unproven: UnprovenSamples;
  readonly #histograms: HistogramCheck;
  #delivered = 0;
  /** Of the last request. */
  #sentAtMs = 0;
  #lost = 0;
  readonly #warned = new Set<WarningCode>();

  constructor(options: DeliveryOptions) {
    this.#options = options;
    const { plan, view, observer } = options;
    this.limits = new BatchLimits(plan.limits);
    this.#isLimited = plan.limits.samplesPerSecond !== undefined || plan.limits.bytesPerSecond !== undefined;
    const rejections = new Rejections(options);
    this.#probe = new Probe(options);
    this.#receiver = new Receiver(this.#probe, view);
    this.#unproven = new UnprovenSamples({ plan, view, rejections, observer });
    this.#histograms = new HistogramCheck({ view, observer, rejections });
  }

  /**
   * @param outgoing must not change until the returned promise settles
   * @throws MigrationError when the destination refuses the request, or bad samples end the migration; the signal's reason on abort
   */
  deliver(outgoing: OutgoingRequest, window: DeliveryWindow, signal: AbortSignal): Promise<void> {
    return this.#deliver({ outgoing, window, signal, repeated: false, isPart: false });
  }

  /** Called once all of a window was delivered: counts the samples that no response has proved. The window's account can be closed then. */
  async conclude(window: DeliveryWindow, signal: AbortSignal): Promise<void> {
    await this.#unproven.resolve(window, signal);
    await this.#histograms.conclude(window, signal);
  }

  /** At the end of a run: reports the samples that the destination acknowledged but is known not to store. */
  reportLost(): void {
    if (this.#lost === 0) return;
    const message = `${LOSS_IN_INFLUXDB}: ${this.#lost} of the samples that count as written`;
    this.#options.observer.event({ type: 'warning', code: 'not-stored', message });
  }

  async #deliver(first: Attempt): Promise<void> {
    // Filled before the limit was lowered.
    if (first.outgoing.samples > this.limits.maxSamples) return await this.#divide(first, undefined);
    let attempt = first;
    const failures = new WriteFailures(this.#delivered);
    for (;;) {
      const error = await this.#send(attempt, failures.attempts + 1);
      if (error === undefined) return;
      failures.add(error, this.#delivered);
      if (error.class === 'rejected' && (await this.#receiver.learn(attempt, error))) return this.#accept(attempt);
      const reaction = this.#reactionTo(error, attempt, failures);
      if (reaction === 'fail') throw toMigrationError(error);
      // A destination that refuses some samples may have stored the others. The receiver tracks that.
      const isUncertain = error.traits.arrival === 'unknown';
      if (isUncertain) attempt = { ...attempt, repeated: true };
      if (reaction === 'reject') return await this.#unproven.add(attempt, error);
      const isTooMuch = await this.#wait(reaction, error, attempt, failures);
      const rest = await this.#withoutPresent(attempt, error);
      if (rest !== attempt) return await this.#deliverRest(attempt, rest);
      if (isTooMuch) return await this.#divide(attempt, error);
    }
  }

  #reactionTo(error: RemoteError, { outgoing, window }: Attempt, failures: WriteFailures): WriteReaction {
    return reactToWriteFailure(error, {
      samples: outgoing.samples,
      serverErrors: failures.serverErrors,
      rateLimits: failures.rateLimits,
      overLimit: outgoing.samples > this.limits.maxSamples,
      tookOthers: failures.tookOthers || this.#delivered > failures.deliveredBefore,
      tolerated: this.#options.retrier.toleratesRefusal(error),
      others: this.#receiver.others(error, window),
    });
  }

  /** @returns undefined if the destination acknowledged the request */
  async #send(attempt: Attempt, number: number): Promise<RemoteError | undefined> {
    const { progress, samplesRate, bytesRate, pace, retrier, client } = this.#options;
    const { outgoing, signal } = attempt;
    const body = outgoing.body();
    const amounts = { samples: outgoing.samples, requests: 1, bytes: body.length };
    let sent: SentRequest | undefined;
    const write = async (): Promise<WriteResult> => {
      if (this.#isLimited || pace.isFollowing) progress.waitingFor = 'rate limit';
      await samplesRate.take(outgoing.samples, signal);
      await bytesRate.take(body.length, signal);
      sent = await pace.take(amounts, signal);
      this.#sentAtMs = sent.sentAtMs;
      progress.waitingFor = 'destination';
      const result = await client.write(body, { attempt: number, signal });
      pace.accepted(sent);
      this.limits.accepted(outgoing.samples, sent.sentAtMs);
      return result;
    };
    progress.inFlightWrites++;
    try {
      let result = await write();
      // A proxy can replace a 200 with a 202. An HA tracker sends a 202 again, and every store that hides stale markers ignores a repetition.
      if (result.unproven !== undefined && this.#hides(outgoing.request())) result = await write();
      retrier.responded('destination');
      progress.bytesWritten += body.length;
      await this.#acknowledged(attempt, result);
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof RemoteError)) throw error;
      if (sent !== undefined && error.traits.smaller === 'when-repeated') pace.refused(sent, error);
      return error;
    } finally {
      progress.inFlightWrites--;
    }
  }

  /** Whether a read-back can show nothing of the request. */
  #hides(request: Uint8Array): boolean {
    const { view } = this.#options;
    const [labels] = writeRequestLabels(request);
    return labels !== undefined && view.hides(labels) === 'stale-markers' && hasOnlyStaleMarkers(request);
  }

  async #acknowledged(attempt: Attempt, { unproven, influxdb }: WriteResult): Promise<void> {
    if (unproven !== undefined) return await this.#unproven.add(attempt, unproven);
    if (influxdb) this.#countLost(attempt.outgoing.request());
    else this.#histograms.acknowledged(attempt.outgoing, attempt.window);
    this.#accept(attempt);
  }

  #accept({ outgoing, window }: Attempt): void {
    const { observer, progress } = this.#options;
    window.account.add('written', outgoing.samples);
    this.#delivered++;
    observer.progress(progress);
  }

  /** Handles a reaction that does not end the attempt. @returns whether the request must be divided now */
  async #wait(
    reaction: Exclude<WriteReaction, 'fail' | 'reject'>,
    error: RemoteError,
    { outgoing, window, signal }: Attempt,
    failures: WriteFailures,
  ): Promise<boolean> {
    const { retrier, plan } = this.#options;
    if (reaction === 'divide') return true;
    if (reaction === 'shrink') {
      this.#shrink(error, outgoing);
      return true;
    }
    // The pace already keeps requests apart. Only if the destination accepts nothing at all, the waits become longer.
    const attempts = failures.rateLimits > 0 ? failures.rateLimits : failures.attempts;
    await retrier.pause(error, plan.destination, attempts, signal);
    if (reaction === 'retry' || (reaction === 'test-others' && this.#delivered > failures.deliveredBefore))
      return false;
    // This may be the only request left, so a sample beside the progress series checks what the destination accepts.
    const refusal = await this.#probe.send(window.toMs - 1, signal);
    if (reaction === 'test-others') failures.tookOthers = refusal === undefined || refusal.class === 'rejected';
    if (reaction === 'test-others' || refusal !== undefined) return false;
    this.#shrink(error, outgoing);
    return true;
  }

  #shrink(error: RemoteError, outgoing: OutgoingRequest): void {
    const { samples } = outgoing;
    if (error.class === 'too-large') this.limits.lowerBySize({ bytes: outgoing.request().length, samples });
    else {
      this.limits.lowerByRate(samples, this.#sentAtMs);
      this.#options.pace.forget();
    }
  }

  /** The attempt without the samples that the destination shows, if some may be there; the same attempt if it shows none. */
  async #withoutPresent(attempt: Attempt, error: RemoteError): Promise<Attempt> {
    const { view } = this.#options;
    const { outgoing, signal } = attempt;
    const isUncertain = error.traits.arrival === 'unknown';
    if (!view.readable || !(isUncertain || mayBeRepeat(error, attempt))) return attempt;
    const request = outgoing.request();
    try {
      const missing = missingOf(request, await readBack(view, request, signal));
      return missing === request ? attempt : { ...attempt, outgoing: outgoingRequest(missing) };
    } catch (failure) {
      signal.throwIfAborted();
      // Refused samples can be counted without the read-back too, as an upper bound.
      if (isUncertain || !(failure instanceof RemoteError)) throw failure;
      return attempt;
    }
  }

  async #deliverRest(attempt: Attempt, rest: Attempt): Promise<void> {
    attempt.window.account.add('already-present', attempt.outgoing.samples - rest.outgoing.samples);
    if (rest.outgoing.samples > 0) await this.#deliver({ ...rest, isPart: true });
  }

  /**
   * Delivers a request of several samples in halves.
   * @param error why the destination did not accept the whole request; undefined if it was not sent
   */
  async #divide(attempt: Attempt, error: RemoteError | undefined): Promise<void> {
    const halves = bisectWriteRequest(attempt.outgoing.request()) ?? [];
    for (const half of halves) {
      const part = { ...attempt, outgoing: outgoingRequest(half), isPart: error !== undefined };
      const isRefused = error?.class === 'rejected' && this.#receiver.others(error, attempt.window) !== 'lost';
      if (isRefused) await this.#unproven.add(part, error);
      else await this.#deliver(part);
    }
  }

  #warnOnce(code: WarningCode, message: string): void {
    if (this.#warned.has(code)) return;
    this.#warned.add(code);
    this.#options.observer.event({ type: 'warning', code, message });
  }

  #countLost(request: Uint8Array): void {
    const lost = countLostInInfluxdb(request);
    if (lost === 0) return;
    this.#lost += lost;
    this.#warnOnce('not-stored', `${LOSS_IN_INFLUXDB}; their number is reported at the end`);
  }
}

/** A proxy may have sent the request twice. Then the response is to the second one, and the samples are there since the first. */
function mayBeRepeat({ class: errorClass, reason }: RemoteError, { isPart }: Attempt): boolean {
  if (errorClass !== 'rejected' || isPart) return false;
  return reason === 'out_of_order' || reason === 'too_old' || reason === 'other';
}
