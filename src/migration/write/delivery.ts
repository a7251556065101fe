// Brings one batch to the destination: retries what passes, halves what is too large, bisects what is refused down to the samples that
// are really bad, and counts each sample once. Called by lanes.ts, one batch a lane at a time.

import { type RejectReason, RemoteError } from '../../remote/meaning/remote-error.ts';
import type { WriteClient } from '../../remote/write-client.ts';
import { countLostInInfluxdb } from '../../wire/requests/influxdb-gaps.ts';
import { formatLabels, labelKey } from '../../wire/labels.ts';
import { compress } from '../../wire/snappy/snappy.ts';
import { hasOnlyStaleMarkers } from '../../wire/requests/stale-marker.ts';
import { bisectWriteRequest, summarizeWriteRequest } from '../../wire/requests/write-request.ts';
import type { WindowAccount } from './accounting.ts';
import type { LostAnswers } from './lost-answers.ts';
import { MigrationError, toMigrationError } from '../migration-error.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { MigrationObserver, MigrationProgress } from '../observer.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import { uncertainMs } from '../progress/progress-mark.ts';
import type { Retrier } from '../limits/retrier.ts';

/** A write request on its way, a `WriteBatch` or part of one. The message itself is asked for only when something goes wrong with it. */
export interface OutgoingRequest {
  readonly samples: number;
  /** The snappy block that is sent. */
  body(): Uint8Array;
  /** The WriteRequest that it holds. */
  request(): Uint8Array;
}

/** What a batch needs to know of the window that it belongs to. */
export interface DeliveryWindow {
  readonly fromMs: number;
  readonly toMs: number;
  readonly account: WindowAccount;
  /** The series, by `labelKey`, of which the destination showed something when the window was compared with it; undefined when it was not. */
  shown: Set<string> | undefined;
  /** The destination's answer to a probe at the window's end: everything of this window is too old. */
  tooOld: 'unknown' | 'some' | 'all';
  /** The first refusal, with the hint that names the destination's setting. */
  firstRejection: RemoteError | undefined;
}

export interface DeliveryOptions {
  readonly plan: MigrationPlan;
  readonly client: WriteClient;
  readonly retrier: Retrier;
  readonly observer: MigrationObserver;
  readonly progress: MigrationProgress;
  readonly samplesRate: RateLimit;
  readonly bytesRate: RateLimit;
  /** Writes one sample beside the progress series at the window's last millisecond. */
  readonly probe: (window: DeliveryWindow, signal: AbortSignal) => Promise<void>;
  readonly lostAnswers: LostAnswers;
}

/** How often the same batch may be answered with a 500 before it is suspected to be the cause. */
const serverErrorsBeforeBisecting = 6;
/** With `rejectedSamples: Fail` the search for further bad samples ends here. */
const rejectionsBeforeStopping = 100;
const namedRejections = 10;
const smallestBatchBytes = 16 * 1024;
const lossInInfluxdb =
  'the destination is InfluxDB: it accepts NaN, stale markers, infinite values and native histograms with a 204 and stores none of them';

export class Delivery {
  /** Batches are cut at these; a destination that says "too large" lowers them for good. */
  maxBatchBytes = 1024 * 1024;
  maxBatchSamples: number;
  readonly #options: DeliveryOptions;
  readonly #limited: boolean;
  #delivered = 0;
  #named = 0;
  #lost = 0;
  readonly #warned = new Set<string>();

  constructor(options: DeliveryOptions) {
    this.#options = options;
    const { samplesPerWrite, samplesPerSecond, bytesPerSecond } = options.plan.limits;
    this.#limited = samplesPerSecond !== undefined || bytesPerSecond !== undefined;
    // No burst larger than a second's worth.
    this.maxBatchSamples = Math.max(1, Math.min(samplesPerWrite, samplesPerSecond ?? samplesPerWrite));
    if (bytesPerSecond !== undefined) this.maxBatchBytes = Math.min(this.maxBatchBytes, Math.max(1024, bytesPerSecond));
  }

  /**
   * @param outgoing must not change before this settles
   * @param repeated the answer to an earlier attempt was lost: what the destination refuses as a repeat may be there since then
   * @throws MigrationError when the destination refuses, or bad samples end the migration; the signal's reason on abort
   */
  async deliver(
    outgoing: OutgoingRequest,
    window: DeliveryWindow,
    signal: AbortSignal,
    repeated: boolean = false,
  ): Promise<void> {
    const { progress, observer, samplesRate, bytesRate, retrier, plan, lostAnswers } = this.#options;
    const { samples } = outgoing;
    const body = outgoing.body();
    const deliveredBefore = this.#delivered;
    let serverErrors = 0;
    for (let attempt = 1; ; attempt++) {
      if (this.#limited) progress.waitingFor = 'rate limit';
      await samplesRate.take(samples, signal);
      await bytesRate.take(body.length, signal);
      try {
        progress.waitingFor = 'destination';
        const { warning, influxdb } = await this.#write(body, attempt, signal);
        if (warning !== undefined) this.#warnOnce(warning.code, warning.message);
        if (influxdb) this.#countLost(outgoing.request());
        retrier.answered('destination');
        progress.bytesWritten += body.length;
        window.account.add('written', samples);
        this.#delivered++;
        observer.progress(progress);
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof RemoteError)) throw error;
        if (error.status === 500 && error.class === 'transient') serverErrors++;
        const suspect = serverErrors >= serverErrorsBeforeBisecting;
        if (retrier.mayPass(error) && !suspect) {
          await retrier.pause(error, plan.destination, attempt, signal);
          if (!lostAnswers.mayHaveArrived(error)) continue;
          const request = outgoing.request();
          const missing = await lostAnswers.missing(request, signal);
          repeated = true;
          if (missing === request) continue;
          const left = outgoingRequest(missing);
          window.account.add('already-present', samples - left.samples);
          return left.samples === 0 ? undefined : await this.deliver(left, window, signal, repeated);
        }
        if (error.class === 'transient' && samples === 1) {
          // A single sample is blamed only when the destination has taken others meanwhile and refuses it again.
          if (this.#delivered === deliveredBefore) {
            await retrier.pause(error, plan.destination, attempt, signal);
            if (this.#delivered === deliveredBefore && (await this.#takesOthers(window, signal))) this.#delivered++;
            continue;
          }
          return await this.#reject(outgoing.request(), samples, 'other', error, window, signal, repeated);
        }
        return await this.#divide(outgoing.request(), samples, error, window, signal, repeated);
      }
    }
  }

  async #write(body: Uint8Array, attempt: number, signal: AbortSignal) {
    const { client, progress } = this.#options;
    progress.inFlightWrites++;
    try {
      return await client.write(body, { attempt, signal });
    } finally {
      progress.inFlightWrites--;
    }
  }

  #warnOnce(code: string, message: string): void {
    if (this.#warned.has(code)) return;
    this.#warned.add(code);
    this.#options.observer.event({ type: 'warning', code, message });
  }

  #countLost(request: Uint8Array): void {
    const lost = countLostInInfluxdb(request);
    if (lost === 0) return;
    this.#lost += lost;
    this.#warnOnce('not-stored', `${lossInInfluxdb}; how many is said at the end`);
  }

  /** At the end of a run: what the destination has acknowledged and is known not to store. */
  tellLost(): void {
    if (this.#lost === 0) return;
    const message = `${lossInInfluxdb}: ${this.#lost} of the samples that count as written`;
    this.#options.observer.event({ type: 'warning', code: 'not-stored', message });
  }

  /** The destination took nothing, or not all, of the request, and sending the same again would not change that. */
  async #divide(
    request: Uint8Array,
    samples: number,
    error: RemoteError,
    window: DeliveryWindow,
    signal: AbortSignal,
    repeated: boolean,
  ): Promise<void> {
    switch (error.class) {
      case 'too-large':
        this.maxBatchBytes = Math.min(this.maxBatchBytes, Math.max(smallestBatchBytes, request.length >> 1));
        this.maxBatchSamples = Math.min(this.maxBatchSamples, Math.max(1, samples >> 1));
        break;
      case 'rejected':
      case 'ambiguous':
      case 'transient':
        if (error.reason === 'too_old') await this.#probe(window, signal);
        if (error.reason === 'too_old' && window.tooOld === 'all')
          return await this.#reject(request, samples, 'too_old', error, window, signal, repeated);
        break;
      case 'refused':
      case 'unsupported':
      case 'aborted':
        throw toMigrationError(error);
    }
    const halves = bisectWriteRequest(request);
    if (halves === undefined)
      return await this.#reject(request, samples, error.reason ?? 'other', error, window, signal, repeated);
    for (const half of halves) await this.deliver(outgoingRequest(half), window, signal, repeated);
  }

  /** This may be the only batch that is left: then a sample beside the progress series shows whether the destination takes any. */
  async #takesOthers(window: DeliveryWindow, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#options.probe(window, signal);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof RemoteError)) throw error;
      return error.class === 'rejected';
    }
  }

  /** One refused sample can't tell of the others; the end of the window can: where that is too old, all of it is. */
  async #probe(window: DeliveryWindow, signal: AbortSignal): Promise<void> {
    if (window.tooOld !== 'unknown' || this.#options.plan.rejectedSamples === 'Fail') return;
    window.tooOld = 'some';
    try {
      await this.#options.probe(window, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RemoteError && error.reason === 'too_old') window.tooOld = 'all';
    }
  }

  /** Whether a sample that is refused as a repeat is there, although it was not seen when it was looked for. */
  async #mayBeHidden(
    request: Uint8Array,
    window: DeliveryWindow,
    signal: AbortSignal,
    repeated: boolean,
  ): Promise<boolean> {
    const { lostAnswers, plan } = this.#options;
    const { firstLabels } = summarizeWriteRequest(request);
    const hidden = lostAnswers.hides(firstLabels);
    if (hidden !== 'stale-markers') return hidden === 'everything';
    if (!hasOnlyStaleMarkers(request)) return false;
    if (repeated || window.shown?.has(labelKey(firstLabels)) === true) return true;
    // A series of which nothing is seen was not written before: something else stands in the way of its samples.
    return await lostAnswers.showsLater(request, uncertainMs(plan.destination.ordering), signal);
  }

  async #reject(
    request: Uint8Array,
    samples: number,
    reason: RejectReason,
    error: RemoteError,
    window: DeliveryWindow,
    signal: AbortSignal,
    repeated: boolean,
  ): Promise<void> {
    const { plan, observer, progress } = this.#options;
    const repeat = reason === 'out_of_order' || reason === 'duplicate_timestamp';
    const uncertain = repeated || window.shown !== undefined;
    if (repeat && uncertain && (await this.#mayBeHidden(request, window, signal, repeated))) {
      window.account.add('already-present', samples);
      return;
    }
    window.firstRejection ??= error;
    window.account.addRejected(reason, samples);
    if (this.#named < namedRejections) {
      this.#named++;
      const { firstLabels, firstTimeMs } = summarizeWriteRequest(request);
      const example = { labels: formatLabels(firstLabels), timeMs: firstTimeMs };
      observer.event({ type: 'rejected', reason, samples, answer: error.message, example });
    }
    observer.progress(progress);
    if (plan.rejectedSamples === 'Fail' && window.account.rejected >= rejectionsBeforeStopping)
      throw samplesRejected(window);
  }
}

/** A WriteRequest of which something is sent again, on snappy's plain path. */
function outgoingRequest(request: Uint8Array): OutgoingRequest {
  return {
    samples: summarizeWriteRequest(request).samples,
    body: () => compress(request),
    request: () => request,
  };
}

/** With `rejectedSamples: Fail`: the end of the migration, with the destination's own words and the setting that would help. */
export function samplesRejected(window: DeliveryWindow): MigrationError {
  const { firstRejection: first, account } = window;
  const range = `${new Date(window.fromMs).toISOString()} to ${new Date(window.toMs).toISOString()}`;
  const because = first === undefined ? 'their labels are not valid' : first.message;
  return new MigrationError(
    'samples-rejected',
    `${account.rejected} of the ${account.read} samples of the window ${range} can't be written: ${because}`,
    {
      side: 'destination',
      hint: first?.hint?.includes('spec.rejectedSamples')
        ? first.hint
        : `${first?.hint === undefined ? '' : `${first.hint}; or `}set spec.rejectedSamples to Skip to go on without them`,
      cause: first,
    },
  );
}
