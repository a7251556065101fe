// Which samples of a write request the destination has. Needed when the response does not show it: it was lost, or it refused the request.

import { type LabelBytes, metricName } from '../../wire/labels.ts';
import { labelKey } from '../../wire/label-hash.ts';
import { withoutSamples, writeRequestSeries } from '../../wire/requests/write-request.ts';
import type { DestinationView, SeriesRange } from '../progress/destination-view.ts';
import type { Look } from '../progress/settling.ts';

/** The timestamps that the destination has, ascending, by the `labelKey` of each series. */
export type Present = ReadonlyMap<string, Float64Array>;

/**
 * The timestamps of a WriteRequest's series that the destination shows after it has settled, within the time range of its samples.
 * @throws RemoteError when the destination refuses the read; the signal's reason on abort
 */
export function readBack(view: DestinationView, request: Uint8Array, signal: AbortSignal): Promise<Present> {
  const range = rangeOf(request);
  const look: Look<Present> = {
    look: () => view.presentTimes(range, signal),
    isComplete: (present) => missingOf(request, present).length === 0,
    isSame: (before, after) => timesIn(before) === timesIn(after),
  };
  return view.settled(look, signal);
}

/** The part of a WriteRequest that is not there; the request itself if nothing is there, empty if everything is. */
export function missingOf(request: Uint8Array, present: Present): Uint8Array {
  return withoutSamples(request, (labels) => present.get(labelKey(labels)));
}

/**
 * Whether the destination shows samples of a series within `stretchMs` after a time. If it does, an earlier run wrote them and everything before
 * them, in a longer window than this run's.
 */
export async function showsLater(
  view: DestinationView,
  labels: LabelBytes,
  { afterMs, stretchMs }: { afterMs: number; stretchMs: number },
  signal: AbortSignal,
): Promise<boolean> {
  const keys = () => [labelKey(labels)];
  const range = { names: [metricName(labels)], keys, fromMs: afterMs + 1, toMs: afterMs + stretchMs };
  return (await view.presentTimes(range, signal)).size > 0;
}

function timesIn(present: Present): number {
  let times = 0;
  for (const { length } of present.values()) times += length;
  return times;
}

function rangeOf(request: Uint8Array): SeriesRange {
  const names = new Set<string>();
  const keys = new Set<string>();
  let [firstMs, lastMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { labels, timesMs } of writeRequestSeries(request)) {
    names.add(metricName(labels));
    keys.add(labelKey(labels));
    for (const timeMs of timesMs) {
      if (timeMs < firstMs) firstMs = timeMs;
      if (timeMs > lastMs) lastMs = timeMs;
    }
  }
  return { names: [...names], keys: () => keys, fromMs: firstMs, toMs: lastMs + 1 };
}
