// Finds out whether the destination stores native histograms. Cortex (unless enable_native_histograms is on), Mimir, Promscale and others
// drop them but still respond 2xx, so a few histograms of the first window that has any are read back. One that does not show proves nothing.

import { hintOf } from '../../remote/meaning/response-codes.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { decodeLabels, encodeLabels, metricName } from '../../wire/labels.ts';
import { labelKey } from '../../wire/label-hash.ts';
import { writeRequestSamples } from '../../wire/requests/write-request.ts';
import type { MigrationObserver } from '../report/observer.ts';
import type { DestinationView } from '../progress/destination-view.ts';
import { lookFor } from '../progress/settling.ts';
import type { DeliveryWindow, HistogramExample, OutgoingRequest, SampleAt } from './attempt.ts';
import type { Rejections } from './rejections.ts';

export interface HistogramCheckOptions {
  readonly view: DestinationView;
  readonly observer: MigrationObserver;
  readonly rejections: Rejections;
}

/** How many times the check waits for the destination to settle before a histogram that does not show counts as dropped. */
const LOOKS = 3;
/** How many histograms are looked for. */
const EXAMPLES = 4;

export class HistogramCheck {
  readonly #options: HistogramCheckOptions;
  #stored: 'unknown' | 'yes' | 'no' | "can't be seen" = 'unknown';

  constructor(options: HistogramCheckOptions) {
    this.#options = options;
  }

  /** Counts the histograms of a request that the destination has acknowledged. */
  acknowledged(outgoing: OutgoingRequest, window: DeliveryWindow): void {
    if (outgoing.histograms === 0) {
      this.#noteFloat(outgoing, window);
      return;
    }
    window.histograms += outgoing.histograms;
    if (this.#stored === 'unknown') window.histogramExample = withMore(window.histogramExample, outgoing);
  }

  /** Requests with histograms may have no float to compare with. Best is one that was acknowledged later; otherwise the first of the window. */
  #noteFloat(outgoing: OutgoingRequest, window: DeliveryWindow): void {
    if (this.#stored !== 'unknown' || window.floatExample?.isLater) return;
    const isLater = window.histogramExample !== undefined;
    if (window.floatExample !== undefined && !isLater) return;
    const float = floatIn(outgoing.request());
    if (float !== undefined) window.floatExample = { ...float, isLater };
  }

  /** If the destination drops histograms, counts those of the window as rejected instead of written. */
  async conclude(window: DeliveryWindow, signal: AbortSignal): Promise<void> {
    const { histograms: samples, histogramExample: example } = window;
    if (samples === 0) return;
    if (this.#stored === 'unknown' && example !== undefined) {
      this.#stored = await this.#look({ ...example, float: example.float ?? window.floatExample }, signal);
    }
    if (this.#stored !== 'no') return;
    window.histograms = 0;
    window.account.add('written', -samples);
    const rejected = {
      reason: 'histograms_dropped',
      samples,
      error: droppedError(),
      example: example?.histograms[0],
      isBound: false,
    } as const;
    this.#options.rejections.add(window, rejected);
  }

  async #look(example: HistogramExample, signal: AbortSignal) {
    const { view } = this.#options;
    if (!view.readable) return this.#unseen('the destination is not read (destination.progress.protocol: None)');
    try {
      const isStored = lookFor(() => this.#isOneStored(example.histograms, signal));
      for (let look = 1; look <= LOOKS; look++) if (await view.settled(isStored, signal)) return 'yes';
      if (view.hides(example.histograms[0].labels) === 'everything')
        return this.#unseen('the destination returns different labels than were written');
      // If a float of the same window does not show either, the absence proves nothing. The next window may.
      const isVisible = example.float === undefined || (await this.#shows(example.float, signal));
      return isVisible ? 'no' : 'unknown';
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof RemoteError)) throw error;
      return this.#unseen(error.message);
    }
  }

  async #isOneStored(histograms: readonly SampleAt[], signal: AbortSignal): Promise<boolean> {
    for (const histogram of histograms) if (await this.#isStored(histogram, signal)) return true;
    return false;
  }

  async #isStored(histogram: SampleAt, signal: AbortSignal): Promise<boolean> {
    if (await this.#shows(histogram, signal)) return true;
    return this.#options.view.convertsHistograms && this.#shows(convertedForm(histogram), signal);
  }

  async #shows({ labels, timeMs }: SampleAt, signal: AbortSignal): Promise<boolean> {
    const keys = () => [labelKey(labels)];
    const range = { names: [metricName(labels)], keys, fromMs: timeMs, toMs: timeMs + 1 };
    return (await this.#options.view.presentTimes(range, signal)).size > 0;
  }

  #unseen(why: string): "can't be seen" {
    const message = `prom-migrator could not check whether the destination stores native histograms: ${why}`;
    this.#options.observer.event({ type: 'warning', code: 'histograms-not-checked', message });
    return "can't be seen";
  }
}

function droppedError(): RemoteError {
  return new RemoteError({
    class: 'rejected',
    code: 'histograms-dropped',
    side: 'destination',
    what: 'acknowledged native histograms but does not return them',
    reason: 'histograms_dropped',
    hint: hintOf('histograms-dropped', 'destination'),
  });
}

/** The example with histograms of the request, until it has enough of them. */
function withMore(known: HistogramExample | undefined, outgoing: OutgoingRequest): HistogramExample | undefined {
  if (known !== undefined && known.histograms.length >= EXAMPLES) return known;
  const more = exampleIn(outgoing.request());
  if (known === undefined || more === undefined) return known ?? more;
  const seen = new Set(known.histograms.map(({ labels }) => labelKey(labels)));
  const others = more.histograms.filter(({ labels }) => !seen.has(labelKey(labels)));
  return { ...known, histograms: [...known.histograms, ...others.slice(0, EXAMPLES - known.histograms.length)] };
}

/** Histograms of the request that every view shows if they are there, and a float to compare them with. */
function exampleIn(request: Uint8Array): HistogramExample | undefined {
  const histograms: SampleAt[] = [];
  let float: SampleAt | undefined;
  for (const { labels, samples } of writeRequestSamples(request)) {
    const sample = samples.find(({ isStaleMarker }) => !isStaleMarker);
    if (sample === undefined) continue;
    const found = { labels: labels.slice(), timeMs: sample.timeMs };
    if (!sample.isHistogram) float ??= found;
    else if (histograms.length < EXAMPLES) histograms.push(found);
    else histograms[EXAMPLES - 1] = found;
  }
  const [first, ...others] = histograms;
  return first && { histograms: [first, ...others], float };
}

function floatIn(request: Uint8Array): SampleAt | undefined {
  for (const { labels, samples } of writeRequestSamples(request)) {
    const sample = samples.find(({ isStaleMarker }) => !isStaleMarker);
    if (sample !== undefined) return { labels: labels.slice(), timeMs: sample.timeMs };
  }
  return undefined;
}

/** VictoriaMetrics from 1.143 on converts a native histogram to several series; one of them has its count. */
function convertedForm({ labels, timeMs }: SampleAt): SampleAt {
  const pairs = decodeLabels(labels).map(
    ([name, value]) => [name, name === '__name__' ? `${value}_count` : value] as const,
  );
  return { labels: encodeLabels(pairs), timeMs };
}
