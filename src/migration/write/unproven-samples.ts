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
import type { MigrationEvent, MigrationObserver } from '../observer.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { DestinationView } from '../progress/destination-view.ts';
import { uncertainMs } from '../plan/window-bounds.ts';
import type { Attempt, DeliveryWindow, Unproven } from './attempt.ts';
import { missingOf, type Present, readBack, showsLater } from './read-back.ts';
import { REJECTIONS_BEFORE_STOPPING, type Rejections } from './rejections.ts';

/** As many bytes of requests are held for a window until they are read back. */
const MAX_HELD_BYTES = 4 * 1024 * 1024;

export interface UnprovenSamplesOptions {
  readonly plan: MigrationPlan;
  readonly view: DestinationView;
  readonly rejections: Rejections;
  readonly observer: MigrationObserver;
}

export class UnprovenSamples {
  readonly #options: UnprovenSamplesOptions;
  readonly #warned = new Set<string>();

  constructor(options: UnprovenSamplesOptions) {
    this.#options = options;
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
    await this.resolve(window, signal);
    rejections.stopIfPointless(window);
  }

  /** Finds out what of the samples that are held is in the destination, and counts all of them. */
  async resolve(window: DeliveryWindow, signal: AbortSignal): Promise<void> {
    const held = window.unproven;
    if (held.length === 0) return;
    window.unproven = [];
    window.unprovenBytes = 0;
    const present = await this.#readBack(Buffer.concat(held.map(({ request }) => request)), signal);
    for (const one of held) await this.#count(one, present, window, signal);
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

  async #count(
    one: Unproven,
    present: Present | undefined,
    window: DeliveryWindow,
    signal: AbortSignal,
  ): Promise<void> {
    const { account } = window;
    const { reason, error } = one;
    if (present === undefined && error.code === 'accepted-only') {
      const message = `${error.message}; it may have dropped samples that count as written`;
      this.#warnOnce({ type: 'warning', code: 'accepted-not-read-back', message });
      account.add('written', one.samples);
      return;
    }
    // Times are compared, not values: a duplicate is what has another value at a time that is shown.
    const comparable = present !== undefined && reason !== 'duplicate_timestamp';
    const missing = comparable ? this.#withoutDropped(one, missingOf(one.request, present)) : one.request;
    const missed = samplesIn(missing);
    const isAcknowledged = isAcknowledgement(error) && !one.repeated;
    account.add(isAcknowledged ? 'written' : 'already-present', one.samples - missed);
    const left = await this.#withoutHidden(one, missing, { present, window, signal });
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

  /** The missing samples without those that would not be shown, and that something speaks for being there. */
  async #withoutHidden(
    one: Unproven,
    missing: Uint8Array,
    { present, window, signal }: { present: Present | undefined; window: DeliveryWindow; signal: AbortSignal },
  ): Promise<Uint8Array> {
    if (this.#showsAll(missing)) return missing;
    const { view, plan } = this.#options;
    const isRepeat = one.reason === 'out_of_order' || one.reason === 'duplicate_timestamp';
    const believed = new Map<string, readonly number[]>();
    for (const { labels, samples } of writeRequestSamples(missing)) {
      const hidden = view.hides(labels);
      const unseen = samples.filter(
        ({ isStaleMarker }) => hidden === 'everything' || (hidden !== 'nothing' && isStaleMarker),
      );
      const last = unseen.at(-1);
      if (last === undefined) continue;
      const key = labelKey(labels);
      const stretchMs = uncertainMs(plan.destination.ordering);
      const all =
        isRepeat &&
        (one.repeated ||
          window.shown?.has(key) === true ||
          // A series of which nothing is seen was not written before: something else stands in the way of its samples.
          (window.shown !== undefined &&
            hidden === 'stale-markers' &&
            (await showsLater(view, labels, { afterMs: last.timeMs, stretchMs }, signal))));
      const times = all ? unseen : unseen.filter(({ timeMs }) => followsPresent(one.request, key, timeMs, present));
      believed.set(key, [...(believed.get(key) ?? []), ...times.map(({ timeMs }) => timeMs)]);
    }
    return believed.size === 0 ? missing : withoutSamples(missing, (labels) => believed.get(labelKey(labels)));
  }
}

/**
 * Whether the sample that comes before this one, of its series and in its request, is there: what a destination takes of a series it also
 * takes later.
 */
function followsPresent(request: Uint8Array, key: string, timeMs: number, present: Present | undefined): boolean {
  const times = present?.get(key);
  if (times === undefined) return false;
  let before = Number.NEGATIVE_INFINITY;
  for (const { labels, samples } of writeRequestSamples(request)) {
    if (labelKey(labels) !== key) continue;
    for (const sample of samples)
      if (!sample.isStaleMarker && sample.timeMs < timeMs) before = Math.max(before, sample.timeMs);
  }
  return times.includes(before);
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
