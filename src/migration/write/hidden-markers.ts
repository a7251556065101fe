// Decides which stale markers the destination has. No PromQL result shows them. The destination has refused these markers as out of order,
// for one of two reasons. An earlier attempt or run may have written them; then the samples around them are there too. Or a newer sample of
// the series blocks them; then the samples around them are missing too. Markers that are not known to be there count as rejected, as an
// upper bound.

import { labelKey } from '../../wire/label-hash.ts';
import { metricName } from '../../wire/labels.ts';
import { writeRequestSamples } from '../../wire/requests/write-request.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { DestinationView } from '../progress/destination-view.ts';
import { uncertainMs } from '../plan/window-bounds.ts';
import type { DeliveryWindow, Unproven } from './attempt.ts';
import { type Present, showsLater } from './read-back.ts';

/** What the destination does not show of a request that it refused. */
export type HeldRequest = Pick<Unproven, 'reason' | 'repeated' | 'samples'> & { readonly missing: Uint8Array };

interface MarkersOfSeries {
  readonly labels: Uint8Array;
  readonly markers: { readonly timeMs: number; readonly repeated: boolean }[];
}

type Missing = ReadonlyMap<string, readonly number[]>;

/** A stale marker follows the last sample by one scrape interval, and few scrape intervals are longer than this. */
const LOOK_BACK_MS = 3_600_000;
/** The latest missing sample is remembered for this many series. With more series, no marker is assumed to be there. */
const MAX_REMEMBERED_SERIES = 10_000;

/**
 * What the samples around a stale marker show about it.
 * @param shown samples of its series that the destination has, ascending, of any origin
 * @param missing samples of its series that were refused and are not there
 * @param isRead whether `missing` also covers what comes after the marker
 */
export function judgeMarker(
  timeMs: number,
  { shown, missing, isRead }: { shown: ArrayLike<number>; missing: readonly number[]; isRead: boolean },
): 'there' | 'not known' | 'nothing around it' {
  let before: number | undefined;
  let after: number | undefined;
  for (let i = 0; i < shown.length; i++) {
    const at = shown[i] as number;
    if (at < timeMs) before = at;
    else if (at > timeMs) after ??= at;
  }
  // A destination that has accepted a series up to the sample before the marker has also accepted the next sample.
  if (before !== undefined) return missing.some((at) => at < timeMs && at >= Number(before)) ? 'not known' : 'there';
  if (missing.some((at) => at < timeMs)) return 'not known';
  if (!isRead) return 'not known';
  if (after === undefined) return missing.length === 0 ? 'nothing around it' : 'not known';
  return !missing.some((at) => at > timeMs && at <= Number(after)) ? 'there' : 'not known';
}

export class HiddenMarkers {
  readonly #plan: MigrationPlan;
  readonly #view: DestinationView;
  /** The latest missing sample of each series, over all windows. */
  readonly #lastMissing = new Map<string, number>();
  #isForgetful = false;

  constructor({ plan, view }: { plan: MigrationPlan; view: DestinationView }) {
    this.#plan = plan;
    this.#view = view;
  }

  /**
   * The times of the stale markers that are there, by series.
   * @param isWhole whether the held requests, together with what was acknowledged, cover the whole window
   */
  async present(
    held: readonly HeldRequest[],
    window: DeliveryWindow,
    isWhole: boolean,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, readonly number[]>> {
    const present = new Map<string, number[]>();
    const uncertain = held.filter((one) => !this.#addStored(one, present));
    const { markers, missing } = this.#sort(uncertain);
    if (markers.size > 0 && !this.#isForgetful) {
      const shown = await this.#around(markers, window, signal);
      for (const [key, ofSeries] of markers) {
        const earlier = this.#lastMissing.get(key);
        const around = {
          shown: shown.get(key) ?? [],
          missing: [...(earlier === undefined ? [] : [earlier]), ...(missing.get(key) ?? [])],
          isRead: isWhole,
        };
        getOrAdd(present, key, () => []).push(...(await this.#presentOf(ofSeries, around, window, signal)));
      }
    }
    this.#remember(missing);
    return present;
  }

  /**
   * Adds the markers of a request that got a 202, if all its other samples are there. A receiver with an HA tracker stores such a request as a
   * whole or drops it as a whole.
   * @returns false if that is not known
   */
  #addStored({ reason, samples, missing }: HeldRequest, present: Map<string, number[]>): boolean {
    if (reason !== 'ha_tracker') return false;
    const markers: (readonly [key: string, timesMs: readonly number[]])[] = [];
    let missed = 0;
    for (const { labels, samples: ofSeries } of writeRequestSamples(missing)) {
      if (this.#view.hides(labels) !== 'stale-markers' || !ofSeries.every(({ isStaleMarker }) => isStaleMarker))
        return false;
      missed += ofSeries.length;
      markers.push([labelKey(labels), ofSeries.map(({ timeMs }) => timeMs)]);
    }
    if (missed === samples) return false;
    for (const [key, timesMs] of markers) getOrAdd(present, key, () => []).push(...timesMs);
    return true;
  }

  async #presentOf(
    { labels, markers }: MarkersOfSeries,
    around: Parameters<typeof judgeMarker>[1],
    window: DeliveryWindow,
    signal: AbortSignal,
  ): Promise<number[]> {
    const there: number[] = [];
    for (const { timeMs, repeated } of markers) {
      const verdict = judgeMarker(timeMs, around);
      const isThere =
        verdict === 'there' ||
        (verdict === 'nothing around it' && (repeated || (await this.#wasWritten(labels, timeMs, window, signal))));
      if (isThere) there.push(timeMs);
    }
    return there;
  }

  #sort(held: readonly HeldRequest[]): { markers: ReadonlyMap<string, MarkersOfSeries>; missing: Missing } {
    const markers = new Map<string, MarkersOfSeries>();
    const missing = new Map<string, number[]>();
    for (const { missing: request, reason, repeated } of held) {
      for (const { labels, samples } of writeRequestSamples(request)) {
        if (this.#view.hides(labels) !== 'stale-markers') continue;
        const key = labelKey(labels);
        for (const { timeMs, isStaleMarker } of samples) {
          if (!isStaleMarker) getOrAdd(missing, key, () => []).push(timeMs);
          else if (reason === 'out_of_order')
            getOrAdd(markers, key, () => ({ labels: labels.slice(), markers: [] })).markers.push({ timeMs, repeated });
        }
      }
    }
    return { markers, missing };
  }

  #around(
    markers: ReadonlyMap<string, MarkersOfSeries>,
    { toMs }: DeliveryWindow,
    signal: AbortSignal,
  ): Promise<Present> {
    const names = new Set<string>();
    let firstMs = toMs;
    for (const { labels, markers: ofSeries } of markers.values()) {
      names.add(metricName(labels));
      for (const { timeMs } of ofSeries) firstMs = Math.min(firstMs, timeMs);
    }
    const range = { names: [...names], keys: () => markers.keys(), fromMs: firstMs - LOOK_BACK_MS, toMs };
    return this.#view.presentTimes(range, signal);
  }

  /** For a series that has only the marker in this window: a run that wrote later samples had also written the marker, in a longer window. */
  async #wasWritten(
    labels: Uint8Array,
    afterMs: number,
    { shown }: DeliveryWindow,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (shown === undefined) return false;
    const stretchMs = uncertainMs(this.#plan.destination.ordering);
    return await showsLater(this.#view, labels, { afterMs, stretchMs }, signal);
  }

  #remember(missing: Missing): void {
    for (const [key, timesMs] of missing) {
      const lastMs = timesMs.reduce((last, timeMs) => Math.max(last, timeMs), this.#lastMissing.get(key) ?? -Infinity);
      this.#lastMissing.set(key, lastMs);
    }
    if (this.#lastMissing.size <= MAX_REMEMBERED_SERIES) return;
    this.#lastMissing.clear();
    this.#isForgetful = true;
  }
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
