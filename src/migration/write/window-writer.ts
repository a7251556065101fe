// Turns a window's response into requests: decodes, trims, merges, relabels, and omits what is already in the destination. Works
// series by series on one reused set of columns.

import { setImmediate } from 'node:timers/promises';
import { canonicalLabels } from '../../wire/labels.ts';
import { formatLabels } from '../../wire/label-text.ts';
import { labelKey } from '../../wire/label-hash.ts';
import { borrowColumns } from '../../wire/kernel/kernel.ts';
import type { SeriesCursor } from '../../wire/responses/read-response.ts';
import { SampleColumns } from '../../wire/sample-columns.ts';
import type { DeliveryWindow } from './attempt.ts';
import type { Outlet } from './lanes.ts';
import type { MigrationObserver } from '../report/observer.ts';
import type { DestinationView } from '../progress/destination-view.ts';
import { mergeByTime, removePresent } from '../series/series-merge.ts';
import { alteredAtMost } from '../series/plain-samples.ts';
import type { Route, SeriesRouter } from '../series/series-router.ts';
import type { WindowPart } from '../read/window-part.ts';

export interface WindowWriterOptions {
  readonly router: Pick<SeriesRouter, 'route'>;
  readonly outlet: Outlet;
  readonly observer: MigrationObserver;
  readonly view: DestinationView;
  readonly signal: AbortSignal;
}

type WriteRoute = Extract<Route, { kind: 'write' }>;
type Present = ReadonlyMap<string, Float64Array>;

/** One label set of the output that several entries of the response share. By input label set, because those may repeat too. */
interface Merging {
  readonly route: WriteRoute;
  readonly inputs: Map<string, SampleColumns>;
  /** The number of merged entries of the response. */
  entries: number;
}

const NAMED_INVALID_SERIES = 5;
/** Signals, timers and sockets get a turn even if there is nothing to wait for. */
const SERIES_BETWEEN_YIELDS = 1000;

export class WindowWriter {
  readonly #options: WindowWriterOptions;
  #columns = new SampleColumns();
  #named = 0;
  #startTimestampsReported = false;

  constructor(options: WindowWriterOptions) {
    this.#options = options;
  }

  /**
   * Encodes a part. Resolves when all of it is encoded, not when it is acknowledged. If an earlier run may have written some of the
   * part, only what is missing is sent.
   * @returns the number of series that had samples
   */
  async write(part: WindowPart, window: DeliveryWindow): Promise<number> {
    using borrowed = borrowColumns();
    this.#columns = borrowed.columns;
    const present = await this.#presentTimes(part);
    if (present !== undefined) {
      window.shown ??= new Set();
      for (const key of present.keys()) window.shown.add(key);
    }
    const { volume } = window.account;
    const alteredBefore = window.account.alteredAtMost;
    volume.begin({ ...part.outline, remaining: part.remaining }, window.account.read);
    const merging = new Map<number, Map<string, Merging>>();
    let series = 0;
    let entry = 0;
    let sinceYield = 0;
    const { hashes } = part.outline;
    for (const cursor of part.cursors) {
      cursor.rewind();
      while (cursor.next()) {
        const { labels } = cursor;
        const hash = hashes[entry++] as number;
        const route: Route = hash >= 0 ? { kind: 'write', labels, hash } : this.#options.router.route(labels);
        if (route.kind === 'write' && part.outline.repeated.has(route.hash)) {
          this.#hold(cursor, route, part, merging);
          continue;
        }
        volume.decodedEntries++;
        if (++sinceYield === SERIES_BETWEEN_YIELDS) {
          sinceYield = 0;
          await setImmediate();
        }
        this.#columns.clear();
        if (this.#decode(cursor, part, this.#columns, window) === 0) continue;
        series++;
        const emitted = this.#emit(route, this.#columns, window, present);
        if (emitted !== undefined) await emitted;
      }
    }
    for (const sets of merging.values()) {
      for (const held of sets.values()) {
        series += await this.#emitMerged(held, part, window, present);
        volume.decodedEntries += held.entries;
      }
    }
    volume.end();
    this.#reportAltered(part, window.account.alteredAtMost - alteredBefore);
    return series;
  }

  #reportAltered({ fromMs, toMs }: WindowPart, samples: number): void {
    if (samples === 0) return;
    const range = `${new Date(fromMs).toISOString()} to ${new Date(toMs).toISOString()}`;
    const message = `${range} was read as SAMPLES; at most ${samples} of them differ from the source: a 0 may have been −0, and a histogram with custom buckets may have lost its bounds`;
    this.#options.observer.event({ type: 'warning', code: 'possibly-altered', message });
  }

  /** Decodes, trims to the window, sorts and removes repeats. @returns the number of samples left, all of them counted as read */
  #decode(cursor: SeriesCursor, part: WindowPart, columns: SampleColumns, window: DeliveryWindow): number {
    cursor.decode(part.fromMs, part.toMs, columns);
    return this.#settle(columns, part, window);
  }

  #settle(columns: SampleColumns, part: WindowPart, window: DeliveryWindow): number {
    const { conflicts } = mergeByTime(columns, 'repeat');
    const samples = columns.floats + columns.histogramCount;
    window.account.addRead(samples + conflicts);
    window.account.add('conflicting', conflicts);
    if (part.insteadOfStream) window.account.addPlain(samples, alteredAtMost(columns));
    if (columns.startTimestamps && !this.#startTimestampsReported) {
      this.#startTimestampsReported = true;
      const message = 'the source has start timestamps; remote write 1.0 cannot carry them, so they are not copied';
      this.#options.observer.event({ type: 'warning', code: 'start-timestamps', message });
    }
    return samples;
  }

  /** @returns a promise only if there is something to wait for. There usually is not, and a window may have a million series */
  #emit(
    route: Route,
    columns: SampleColumns,
    window: DeliveryWindow,
    present: Present | undefined,
  ): Promise<void> | undefined {
    const samples = columns.floats + columns.histogramCount;
    switch (route.kind) {
      case 'drop':
        window.account.add('filtered', samples);
        return undefined;
      case 'invalid':
        window.account.addRejected('invalid_labels', samples);
        this.#reportInvalid(route.labels, route.problem, samples, columns);
        return undefined;
      case 'write': {
        const there = present?.get(labelKey(route.labels));
        if (there !== undefined) window.account.add('already-present', removePresent(columns, there));
        return this.#options.outlet.add(route.hash, route.labels, columns, window);
      }
    }
  }

  #hold(cursor: SeriesCursor, route: WriteRoute, part: WindowPart, merging: Map<number, Map<string, Merging>>): void {
    const sets = getOrAdd(merging, route.hash, () => new Map<string, Merging>());
    const held = getOrAdd(sets, labelKey(route.labels), () => ({
      route: { ...route, labels: route.labels.slice() },
      inputs: new Map<string, SampleColumns>(),
      entries: 0,
    }));
    held.entries++;
    const input = labelKey(canonicalLabels(cursor.labels));
    const columns = getOrAdd(held.inputs, input, () => new SampleColumns(cursor.sampleBound));
    cursor.decode(part.fromMs, part.toMs, columns);
  }

  async #emitMerged(
    held: Merging,
    part: WindowPart,
    window: DeliveryWindow,
    present: Present | undefined,
  ): Promise<number> {
    const merged = this.#columns;
    merged.clear();
    for (const columns of held.inputs.values()) {
      this.#settle(columns, part, window);
      merged.append(columns);
    }
    if (held.inputs.size > 1) {
      // Each input counted its own samples. Those that meet at one timestamp of the common series can't all be written.
      const { conflicts } = mergeByTime(merged, 'conflict');
      window.account.add('conflicting', conflicts);
    }
    if (merged.floats + merged.histogramCount === 0) return 0;
    await this.#emit(held.route, merged, window, present);
    return 1;
  }

  async #presentTimes(part: WindowPart): Promise<Present | undefined> {
    const { view, router, signal } = this.#options;
    const { names } = part.outline;
    if (names === undefined) return undefined;
    function* keys(): Generator<string> {
      for (const cursor of part.cursors) {
        cursor.rewind();
        while (cursor.next()) {
          const route = router.route(cursor.labels);
          if (route.kind === 'write') yield labelKey(route.labels);
        }
      }
    }
    return view.presentTimes({ names: [...names], keys, fromMs: part.fromMs, toMs: part.toMs }, signal);
  }

  #reportInvalid(labels: Uint8Array, problem: string, samples: number, columns: SampleColumns): void {
    if (this.#named++ >= NAMED_INVALID_SERIES) return;
    const timeMs = columns.floatTimesMs[0] ?? columns.histogramTimesMs[0] ?? 0;
    const example = { labels: formatLabels(labels), timeMs };
    this.#options.observer.event({ type: 'rejected', reason: 'invalid_labels', samples, response: problem, example });
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
