// A write request whose answer never came may have been carried out all the same. Sent again as it is, its samples would stand twice in a
// VictoriaMetrics and be refused as repeats by a Prometheus. Called by delivery.ts before it repeats such a request.

import type { RemoteError } from '../../remote/meaning/remote-error.ts';
import { labelKey, metricName } from '../../wire/labels.ts';
import { withoutSamples, writeRequestSeries } from '../../wire/requests/write-request.ts';
import type { DestinationView, Hidden } from '../progress/destination-view.ts';

export class LostAnswers {
  readonly #view: DestinationView;

  constructor(view: DestinationView) {
    this.#view = view;
  }

  /** Whether the request may have been carried out although it failed so. */
  mayHaveArrived(error: RemoteError): boolean {
    return error.traits.arrival !== 'no';
  }

  /** What of the series with these labels may be there although `missing`, or the comparison of the window, did not find it. */
  hides(labels: Uint8Array): Hidden {
    return this.#view.hides(labels);
  }

  /**
   * Whether the destination shows later samples of a request's first series, within `stretchMs`: an earlier run that wrote them had written
   * what comes before them, in a longer window than this run's.
   */
  async showsLater(request: Uint8Array, stretchMs: number, signal: AbortSignal): Promise<boolean> {
    const [series] = writeRequestSeries(request);
    const lastMs = series?.timesMs.at(-1);
    if (series === undefined || lastMs === undefined) return false;
    const { labels } = series;
    const keys = () => [labelKey(labels)];
    const range = { names: [metricName(labels)], keys, fromMs: lastMs + 1, toMs: lastMs + stretchMs };
    const later = await this.#view.presentTimes(range, signal);
    return later.size > 0;
  }

  /**
   * What of an encoded WriteRequest the destination does not show: all of it where nothing can be read back.
   * @throws RemoteError when the destination refuses to be read; the signal's reason on abort
   */
  async missing(request: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
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
    await this.#view.settle(signal);
    const range = { names: [...names], keys: () => keys, fromMs: firstMs, toMs: lastMs + 1 };
    const present = await this.#view.presentTimes(range, signal);
    return withoutSamples(request, (labels) => present.get(labelKey(labels)));
  }
}
