// A write request whose answer never came may have been carried out all the same. Sent again as it is, its samples would stand twice in a
// VictoriaMetrics and be refused as repeats by a Prometheus. Called by delivery.ts before it repeats such a request.

import type { RemoteError } from '../../remote/meaning/remote-error.ts';
import { labelKey, metricName } from '../../wire/labels.ts';
import { withoutSamples, writeRequestSeries } from '../../wire/requests/write-request.ts';
import { type Hidden, presentTimes, type ReadBack } from '../progress/read-back.ts';
import type { Settling } from '../progress/settling.ts';

export class LostAnswers {
  readonly #readBack: ReadBack | undefined;
  readonly #settling: Pick<Settling, 'settle'>;

  /** @param options `readBack` is undefined with `progress.protocol: None` */
  constructor(options: { readBack: ReadBack | undefined; settling: Pick<Settling, 'settle'> }) {
    this.#readBack = options.readBack;
    this.#settling = options.settling;
  }

  /** Whether the request may have been carried out although it failed so. */
  mayHaveArrived(error: RemoteError): boolean {
    return error.traits.arrival !== 'no';
  }

  /** What may be there although `missing`, or the comparison of the window, did not find it. */
  get hidden(): Hidden {
    return this.#readBack?.hides ?? 'everything';
  }

  /**
   * Whether the destination shows later samples of a request's first series, within `stretchMs`: an earlier run that wrote them had written
   * what comes before them, in a longer window than this run's.
   */
  async showsLater(request: Uint8Array, stretchMs: number, signal: AbortSignal): Promise<boolean> {
    const [series] = writeRequestSeries(request);
    const lastMs = series?.timesMs.at(-1);
    if (this.#readBack === undefined || series === undefined || lastMs === undefined) return false;
    const { labels } = series;
    const keys = () => [labelKey(labels)];
    const later = await presentTimes(
      this.#readBack,
      [metricName(labels)],
      keys,
      lastMs + 1,
      lastMs + stretchMs,
      signal,
    );
    return later.size > 0;
  }

  /**
   * What of an encoded WriteRequest the destination does not show: all of it where nothing can be read back.
   * @throws RemoteError when the destination refuses to be read; the signal's reason on abort
   */
  async missing(request: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    if (this.#readBack === undefined) return request;
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
    await this.#settling.settle(signal);
    const present = await presentTimes(this.#readBack, [...names], () => keys, firstMs, lastMs + 1, signal);
    return withoutSamples(request, (labels) => present.get(labelKey(labels)));
  }
}
