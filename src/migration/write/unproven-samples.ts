// Samples of which the response does not prove whether the destination has them. It refused the request that they are in, and Cortex, Mimir,
// Thanos and M3 keep the good part of such a request; a proxy may have sent it twice, so that it is there since the first time; or it said
// 202, as the HA tracker of Cortex does. They are read back, and what is not there is rejected: so each count is true, or is called a bound.

import { type RejectReason, RemoteError } from '../../remote/meaning/remote-error.ts';
import { labelKey } from '../../wire/label-hash.ts';
import {
  summarizeWriteRequest,
  withoutSamples,
  writeRequestLabels,
  writeRequestSamples,
} from '../../wire/requests/write-request.ts';
import type { MigrationEvent, MigrationObserver } from '../report/observer.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { DestinationView } from '../progress/destination-view.ts';
import type { Attempt, DeliveryWindow, Unproven } from './attempt.ts';
import { HiddenMarkers } from './hidden-markers.ts';
import { missingOf, type Present, readBack } from './read-back.ts';
import { REJECTIONS_BEFORE_STOPPING, type Rejections } from './rejections.ts';

/** As many bytes of requests are held for a window until they are read back. */
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
  /** What the destination shows; undefined when it can't be read. */
  readonly present: Present | undefined;
  /** The stale markers that are there although they do not show, by series; undefined when it can't be read. */
  readonly markers: ReadonlyMap<string, readonly number[]> | undefined;
}

export class UnprovenSamples {
  readonly #options: UnprovenSamplesOptions;
  readonly #markers: HiddenMarkers;
  readonly #warned = new Set<string>();

  constructor(options: UnprovenSamplesOptions) {
    this.#options = options;
    this.#markers = new HiddenMarkers(options);
  }

  /** Holds the samples of a request until the window is concluded, or what is held for it is too much. */
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

  /** Finds out what of the samples that are held is in the destination, and counts all of them. Called when all of the window was sent. */
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
    const markers = present === undefined ? undefined : await this.#markers.believed(compared, window, isWhole, signal);
    for (const one of compared) this.#count(one, { present, markers, window });
  }

  #missingOf(one: Unproven, present: Present | undefined): Uint8Array {
    // Times are compared, not values: a duplicate is what has another value at a time that is shown.
    const comparable = present !== undefined && one.reason !== 'duplicate_timestamp';
    return comparable ? this.#withoutDropped(one, missingOf(one.request, present)) : one.request;
  }

  /** Undefined when nothing can be read back. */
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
    account.add(isAcknowledged ? 'written' : 'already-present', one.samples - missed);
    const left = this.#withoutHidden(one, findings);
    const { samples, firstLabels: labels, firstTimeMs: timeMs } = summarizeWriteRequest(left);
    account.add('already-present', missed - samples);
    if (samples === 0) return;
    const isBound = !provesAbsence(error) && this.#mayHide(left, present);
    this.#options.rejections.add(window, { reason, samples, error, example: { labels, timeMs }, isBound });
  }

  /**
   * What is missing of a request; nothing when the destination has stored all of it that it ever stores. NaN that it drops counts as written
   * as it does behind any other 2xx.
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

  /** Whether some of the samples may be there, although they are not seen. */
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

  /** What is missing without what would not be shown, and is there as far as can be known. */
  #withoutHidden({ reason, repeated, missing }: Compared, { markers, window }: Findings): Uint8Array {
    if (this.#showsAll(missing)) return missing;
    const isRepeat = reason === 'out_of_order' || reason === 'duplicate_timestamp';
    const believed = new Map<string, readonly number[]>();
    for (const { labels, samples } of writeRequestSamples(missing)) {
      const key = labelKey(labels);
      const hidden = this.#options.view.hides(labels);
      if (hidden === 'stale-markers' && markers !== undefined) believed.set(key, markers.get(key) ?? []);
      else if (isRepeat && (repeated || (hidden === 'everything' && window.shown?.has(key) === true))) {
        const unseen = samples.filter(({ isStaleMarker }) => hidden === 'everything' || isStaleMarker);
        believed.set(key, [...(believed.get(key) ?? []), ...unseen.map(({ timeMs }) => timeMs)]);
      }
    }
    return believed.size === 0 ? missing : withoutSamples(missing, (labels) => believed.get(labelKey(labels)));
  }
}

const ABSENT_REASONS: ReadonlySet<RejectReason> = new Set([
  'invalid_labels',
  'invalid_sample',
  'histograms_disabled',
  'too_far_in_future',
  'duplicate_timestamp',
]);

/** Whether a sample that was refused so can't be there: it would be refused as well had it never been sent before. */
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
