// Counts what a probed window has: series, samples, names, and how large a write request with them would be.

import type { LabelBytes } from '../../wire/labels.ts';
import { metricName, nameEntry } from '../../wire/labels.ts';
import { WriteBatch } from '../../wire/requests/write-batch.ts';
import type { SeriesCursor } from '../../wire/responses/read-response.ts';
import { SampleColumns } from '../../wire/sample-columns.ts';
import { mergeByTime } from '../series/series-merge.ts';
import type { SeriesRouter } from '../series/series-router.ts';
import type { LabelShapes } from './label-shape.ts';
import { mixed, type SeriesSketch } from './series-sketch.ts';

/** What a window that was read has. */
export interface ProbeWindow {
  readonly fromMs: number;
  readonly toMs: number;
  /** Distinct series with samples, before relabelling. */
  readonly series: number;
  /** Of those that are written. */
  readonly samples: number;
  readonly histograms: number;
  /** All that arrived: whole chunks, of which parts lie outside the window. */
  readonly samplesReceived: number;
  readonly bytesReceived: number;
  /** Series with their labels as they arrived: those of a stream may have more than one. */
  readonly entries: number;
  readonly labelBytes: number;
  readonly seconds: number;
  /** Series for each selector. */
  readonly seriesOfSelector: readonly number[];
  readonly seriesDropped: number;
  readonly seriesInvalid: number;
  readonly names: ReadonlyMap<string, { readonly series: number; readonly samples: number }>;
  /** Of a few series, encoded: undefined without any. */
  readonly encoded: EncodedSize | undefined;
}

export interface EncodedSize {
  readonly bytesPerSeries: number;
  readonly bytesPerSample: number;
}

const MAX_NAMES = 10_000;
const MAX_ENCODED_SERIES = 512;
/** One in this many series is encoded, so that they are not all of the first names. */
const ENCODED_SHARE = 16;
/** Any time that a store can have. */
const ALWAYS_MS = 2 ** 53;
/** Fewer beside the first ones of each series say nothing about the size of a sample. */
const FEWEST_SAMPLES = 64;
/** Of counters and gauges, compressed. */
const BYTES_PER_SAMPLE = 7;

export interface WindowCounterOptions {
  readonly router: Pick<SeriesRouter, 'route'>;
  readonly sketch: SeriesSketch;
  readonly shapes: LabelShapes;
  /** Of the window, from 0. */
  readonly index: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly selectors: number;
}

export class WindowCounter {
  readonly #options: WindowCounterOptions;
  readonly #columns = new SampleColumns();
  readonly #names = new Map<string, { series: number; samples: number }>();
  readonly #one = new WriteBatch(64 * 1024);
  readonly #all = new WriteBatch(64 * 1024);
  readonly #seriesOfSelector: number[];
  #encodedSeries = 0;
  #encodedSamples = 0;
  #name = '';
  #nameEntry: Uint8Array = new Uint8Array(0);
  #lastHash = -1;
  #series = 0;
  #samples = 0;
  #histograms = 0;
  #received = 0;
  #entries = 0;
  #labelBytes = 0;
  #dropped = 0;
  #invalid = 0;

  constructor(options: WindowCounterOptions) {
    this.#options = options;
    this.#seriesOfSelector = new Array<number>(options.selectors).fill(0);
  }

  /** @throws WireError */
  add(cursor: SeriesCursor, selector: number): void {
    const { fromMs, toMs, router, sketch, shapes, index } = this.#options;
    const columns = this.#columns;
    while (cursor.next()) {
      this.#entries++;
      this.#labelBytes += cursor.labels.length;
      this.#received += cursor.sampleBound;
      columns.clear();
      cursor.decode(fromMs, toMs, columns);
      // A Query sends the chunks of all stores that have the series.
      mergeByTime(columns, 'repeat');
      const histograms = columns.histogramCount;
      const samples = columns.floats + histograms;
      const route = router.route(cursor.labels);
      // Its chunk reaches into the window: it is a series of the range, although it has no sample here.
      if (route.kind === 'write') sketch.add(route.hash, index);
      if (samples === 0) continue;
      if (route.kind !== 'write') {
        this.#seriesOfSelector[selector] = (this.#seriesOfSelector[selector] ?? 0) + 1;
        if (route.kind === 'drop') this.#dropped++;
        else this.#invalid++;
        continue;
      }
      this.#samples += samples;
      this.#histograms += histograms;
      // A series may be sent in several entries, one after the other.
      const isNew = route.hash !== this.#lastHash;
      this.#lastHash = route.hash;
      this.#countName(route.labels, isNew, samples);
      if (!isNew) continue;
      this.#series++;
      this.#seriesOfSelector[selector] = (this.#seriesOfSelector[selector] ?? 0) + 1;
      shapes.add(route.labels, route.hash);
      this.#encode(route.labels, route.hash, cursor);
    }
  }

  result(bytesReceived: number, seconds: number): ProbeWindow {
    const { fromMs, toMs } = this.#options;
    return {
      fromMs,
      toMs,
      series: this.#series,
      samples: this.#samples,
      histograms: this.#histograms,
      samplesReceived: this.#received,
      bytesReceived,
      entries: this.#entries,
      labelBytes: this.#labelBytes,
      seconds,
      seriesOfSelector: this.#seriesOfSelector,
      seriesDropped: this.#dropped,
      seriesInvalid: this.#invalid,
      names: this.#names,
      encoded: this.#encodedSize(),
    };
  }

  #countName(labels: LabelBytes, isNew: boolean, samples: number): void {
    const last = this.#nameEntry;
    if (last.length === 0 || Buffer.compare(last, labels.subarray(0, last.length)) !== 0) {
      this.#name = metricName(labels);
      this.#nameEntry = nameEntry(labels).slice();
    }
    const known = this.#names.get(this.#name);
    if (known !== undefined) {
      known.samples += samples;
      if (isNew) known.series++;
    } else if (this.#names.size < MAX_NAMES) this.#names.set(this.#name, { series: 1, samples });
  }

  /** All samples of the entry, so that a series has enough of them to distinguish its labels from its samples. */
  #encode(labels: LabelBytes, hash: number, cursor: SeriesCursor): void {
    const wanted = this.#encodedSeries < 64 || mixed(hash) % ENCODED_SHARE === 0;
    if (!wanted || this.#encodedSeries >= MAX_ENCODED_SERIES) return;
    const columns = this.#columns;
    columns.clear();
    cursor.decode(-ALWAYS_MS, ALWAYS_MS, columns);
    mergeByTime(columns, 'repeat');
    const { floats, histogramCount } = columns;
    this.#one.appendFloats(labels, columns, 0, Math.min(1, floats));
    this.#all.appendFloats(labels, columns, 0, floats);
    if (floats === 0) this.#one.appendHistograms(labels, columns, 0, Math.min(1, histogramCount));
    this.#all.appendHistograms(labels, columns, 0, histogramCount);
    this.#encodedSeries++;
    this.#encodedSamples += floats + histogramCount;
  }

  #encodedSize(): EncodedSize | undefined {
    const series = this.#encodedSeries;
    if (series === 0) return undefined;
    const [one, all] = [this.#one.body().length, this.#all.body().length];
    const more = this.#encodedSamples - series;
    const bytesPerSample = more < FEWEST_SAMPLES ? BYTES_PER_SAMPLE : (all - one) / more;
    return { bytesPerSeries: Math.max(0, one / series - bytesPerSample), bytesPerSample };
  }
}
