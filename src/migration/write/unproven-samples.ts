// Samples for which the response does not prove whether the destination has them. There are three cases. The destination refused their request,
// and Cortex, Mimir, Thanos and M3 keep the good part of such a request. A proxy may have sent the request twice, so that it is there since the
// first time. Or the response was a 202, as from the HA tracker of Cortex. The samples are read back, and the missing ones count as rejected.
// So each count is exact, or is reported as a bound.

import { type RejectReason, RemoteError } from '../../remote/meaning/remote-error.ts';
import { labelKey } from '../../wire/label-hash.ts';
import {
  summarizeWriteRequest,
  withoutSamples,
  writeRequestLabels,
  writeRequestSamples,
} from '../../wire/requests/write-request.ts';
import type { WarningCode } from '../report/migration-codes.ts';
import type { MigrationEvent, MigrationObserver } from '../report/observer.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { DestinationView } from '../progress/destination-view.ts';
import type { Attempt, DeliveryWindow, Unproven } from './attempt.ts';
import { HiddenMarkers } from './hidden-markers.ts';
import { missingOf, type Present, readBack } from './read-back.ts';
import { REJECTIONS_BEFORE_STOPPING, type Rejections } from './rejections.ts';

/** This many bytes of requests are held for a window until they are read back. */
const MAX_HELD_BYTES = 4 * 1024 * 1024;

export interface UnprovenSamplesOptions {
  readonly plan: MigrationPlan;
  readonly view: DestinationView;
  readonly rejections: Rejections;
  readonly observer: MigrationObserver;
}

interface Compared extends Unproven {
  /** What the destination does not show of the request. */
  readonly missing: Uint8Array;
}

interface Findings {
  readonly window: DeliveryWindow;
  /** What the destination shows; undefined if it can't be read. */
  readonly present: Present | undefined;
  /** The stale markers that are there although they do not show, by series; undefined if the destination can't be read. */
  readonly markers: ReadonlyMap<string, readonly number[]> | undefined;
}

export class UnprovenSamples {
  readonly #options: UnprovenSamplesOptions;
  readonly #markers: HiddenMarkers;
  readonly #warned = new Set<WarningCode>();

  constructor(options: UnprovenSamplesOptions) {
    this.#options = options;
    this.#markers = new HiddenMarkers(options);
  }

  /** Holds the samples of a request until the window is concluded, or until too many bytes are held for it. */
  async add({ outgoing, window, repeated, signal }: Attempt, error: RemoteError): Promise<void> {
    const request = outgoing.request().slice();
    window.unproven.push({ request, samples: outgoing.samples, reason: error.reason ?? 'other', error, repeated });
    window.unprovenBytes += request.length;
    const { plan, rejections } = this.#options;
    const held = window.unproven.reduce((sum, { samples }) => sum + samples, 0);
    const mayStop = plan.rejectedSamples === 'Fail' && (held >= REJECTIONS_BEFORE_STOPPING || refusesAll(window));
    if (window.unprovenBytes < MAX_HELD_BYTES && !mayStop) return;
    await this.#resolve(window, false, signal);
    rejections.stopIfPointless(window);
  }

  /** Finds out which of the held samples are in the destination, and counts all of them. Called when all of the window was sent. */
  resolve(window: DeliveryWindow, signal: AbortSignal): Promise<void> {
    return this.#resolve(window, true, signal);
  }

  async #resolve(window: DeliveryWindow, isWhole: boolean, signal: AbortSignal): Promise<void> {
    const held = window.unproven;
    if (held.length === 0) return;
    window.unproven = [];
    window.unprovenBytes = 0;
    const present = await this.#readBack(Buffer.concat(held.map(({ request }) => request)), signal);
    const compared = held.map((one) => ({ ...one, missing: this.#missingOf(one, present) }));
    const markers = present === undefined ? undefined : await this.#markers.present(compared, window, isWhole, signal);
    for (const one of compared) this.#count(one, { present, markers, window });
  }

  #missingOf(one: Unproven, present: Present | undefined): Uint8Array {
    // Times are compared, not values. A duplicate has another value at a time that is shown, so it can't be found this way.
    const comparable = present !== undefined && one.reason !== 'duplicate_timestamp';
    return comparable ? this.#withoutDropped(one, missingOf(one.request, present)) : one.request;
  }

  /** @returns undefined if nothing can be read back */
  async #readBack(request: Uint8Array, signal: AbortSignal): Promise<Present | undefined> {
    const { view } = this.#options;
    if (!view.readable) return undefined;
    try {
      return await readBack(view, request, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof RemoteError)) throw error;
      const message = `prom-migrator cannot read back which of the rejected samples are in the destination, so samplesRejected is an upper bound: ${error.message}`;
      this.#warnOnce({ type: 'warning', code: 'rejected-not-read-back', message });
      return undefined;
    }
  }

  #count(one: Compared, findings: Findings): void {
    const { present, window } = findings;
    const { account } = window;
    const { reason, error, missing } = one;
    if (present === undefined && error.code === 'accepted-only') {
      const message = `${error.message}; it may have dropped samples that count as written`;
      this.#warnOnce({ type: 'warning', code: 'accepted-not-read-back', message });
      account.add('written', one.samples);
      return;
    }
    const missed = samplesIn(missing);
    const isAcknowledged = isAcknowledgement(error) && !one.repeated;
    const kind = isAcknowledged ? 'written' : 'already-present';
    account.add(kind, one.samples - missed);
    const left = this.#withoutHidden(one, findings);
    const { samples, firstLabels: labels, firstTimeMs: timeMs } = summarizeWriteRequest(left);
    account.add(kind, missed - samples);
    if (samples === 0) return;
    const isBound = !provesAbsence(error) && this.#mayHide(left, present);
    this.#options.rejections.add(window, { reason, samples, error, example: { labels, timeMs }, isBound });
  }

  /**
   * The missing part of a request; empty if the destination has stored everything that it ever stores. NaN values that it drops count as
   * written, as they do after any other 2xx.
   */
  #withoutDropped({ error }: Unproven, missing: Uint8Array): Uint8Array {
    if (!this.#options.view.dropsNan || !isAcknowledgement(error)) return missing;
    for (const { samples } of writeRequestSamples(missing))
      if (!samples.every(({ isOrdinaryNan }) => isOrdinaryNan)) return missing;
    return new Uint8Array();
  }

  #warnOnce(warning: Extract<MigrationEvent, { type: 'warning' }>): void {
    if (this.#warned.has(warning.code)) return;
    this.#warned.add(warning.code);
    this.#options.observer.event(warning);
  }

  /** Whether some of the samples may be there although they are not visible. */
  #mayHide(request: Uint8Array, present: Present | undefined): boolean {
    if (present === undefined) return true;
    if (this.#showsAll(request)) return false;
    for (const { labels, samples } of writeRequestSamples(request)) {
      const hidden = this.#options.view.hides(labels);
      if (hidden === 'everything') return true;
      if (hidden === 'stale-markers' && samples.some(({ isStaleMarker }) => isStaleMarker)) return true;
    }
    return false;
  }

  #showsAll(request: Uint8Array): boolean {
    for (const labels of writeRequestLabels(request)) if (this.#options.view.hides(labels) !== 'nothing') return false;
    return true;
  }

  /** The missing samples, except those that the destination would hide and that are there as far as can be known. */
  #withoutHidden({ reason, repeated, missing }: Compared, { markers, window }: Findings): Uint8Array {
    if (this.#showsAll(missing)) return missing;
    const isRepeat = reason === 'out_of_order' || reason === 'duplicate_timestamp';
    const hiddenTimes = new Map<string, readonly number[]>();
    for (const { labels, samples } of writeRequestSamples(missing)) {
      const key = labelKey(labels);
      const hidden = this.#options.view.hides(labels);
      if (hidden === 'stale-markers' && markers !== undefined) hiddenTimes.set(key, markers.get(key) ?? []);
      else if (isRepeat && (repeated || (hidden === 'everything' && window.shown?.has(key) === true))) {
        const unseen = samples.filter(({ isStaleMarker }) => hidden === 'everything' || isStaleMarker);
        hiddenTimes.set(key, [...(hiddenTimes.get(key) ?? []), ...unseen.map(({ timeMs }) => timeMs)]);
      }
    }
    return hiddenTimes.size === 0 ? missing : withoutSamples(missing, (labels) => hiddenTimes.get(labelKey(labels)));
  }
}

const ABSENT_REASONS: ReadonlySet<RejectReason> = new Set([
  'invalid_labels',
  'invalid_sample',
  'histograms_disabled',
  'too_far_in_future',
  'duplicate_timestamp',
]);

/** Whether a sample refused for this reason can't be there: it would also be refused if it had never been sent before. */
function provesAbsence({ reason, class: errorClass }: RemoteError): boolean {
  return errorClass === 'too-large' || (reason !== undefined && ABSENT_REASONS.has(reason));
}

/** The response was a 202. */
function isAcknowledgement({ reason }: RemoteError): boolean {
  return reason === 'ha_tracker';
}

function refusesAll(window: DeliveryWindow): boolean {
  for (const { ofAll } of window.refusals.values()) if (ofAll) return true;
  return false;
}

function samplesIn(request: Uint8Array): number {
  return summarizeWriteRequest(request).samples;
}
