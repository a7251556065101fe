// A migration that runs long enough to be interrupted: one source, each kind of destination, and the check at the end that every sample is
// stored once.
import assert from 'node:assert/strict';
import { COUNTER_HISTOGRAM_KINDS, generateDataset, PLAIN_KINDS } from '../../support/dataset.ts';
import { pushSamples } from '../../support/load.ts';
import { dumpPrometheus, exportVictoriaMetrics } from '../../support/readers.ts';
import { compareSeries, keptByVictoriaMetrics } from '../../support/series-comparison.ts';
import { countSamples, numberOf, type SeriesSamples, type SeriesSet } from '../../support/series-set.ts';
import type { ServerProcess } from '../../support/server-process.ts';
import { startPrometheus, startVictoriaMetrics } from '../../support/servers.ts';
import { filterSeries, isMark, isProgress } from './expectations.ts';
import type { MigrationSpec } from './migration.ts';

export const START_MS = Date.UTC(2025, 2, 1);
export const HOUR_MS = 3_600_000;

/** A kind of destination, and an independent reader for it. */
export interface Destination {
  /** `dataDir` continues with the data of a stopped server. */
  readonly start: (dataDir?: string) => Promise<ServerProcess>;
  readonly protocol: 'RemoteRead' | 'PromQL';
  readonly progressUrl: (base: string) => string;
  /** The part of the source that belongs there. */
  readonly selectors: readonly string[];
  readonly takesHistograms: boolean;
  readonly read: (server: ServerProcess) => Promise<SeriesSet>;
  readonly values: 'bits' | 'relative-1e-11';
}

export const PROMETHEUS: Destination = {
  start: (dataDir) =>
    startPrometheus({
      version: '3.5',
      receiver: true,
      nativeHistograms: true,
      ...(dataDir !== undefined && { dataDir }),
    }),
  protocol: 'RemoteRead',
  progressUrl: (base) => `${base}/api/v1/read`,
  selectors: ['{__name__=~".+"}'],
  takesHistograms: true,
  read: (server) => dumpPrometheus(server),
  values: 'bits',
};

export const PROMETHEUS_BY_PROMQL: Destination = { ...PROMETHEUS, protocol: 'PromQL', progressUrl: (base) => base };

/** The newest version, with an out-of-order window that reaches behind the data. */
export const OUT_OF_ORDER_PROMETHEUS: Destination = {
  ...PROMETHEUS,
  start: (dataDir) =>
    startPrometheus({
      version: 'current',
      receiver: true,
      nativeHistograms: true,
      outOfOrderWindow: '10y',
      ...(dataDir !== undefined && { dataDir }),
    }),
};

export const VICTORIA_METRICS: Destination = {
  start: (dataDir) => startVictoriaMetrics(dataDir === undefined ? {} : { dataDir }),
  protocol: 'PromQL',
  progressUrl: (base) => base,
  selectors: ['{__name__=~".+",__name__!~".*histogram"}'],
  // It stores histograms in its own form instead of native ones.
  takesHistograms: false,
  read: ({ url }) => exportVictoriaMetrics(url),
  values: 'relative-1e-11',
};

export interface CopyOptions {
  /** The base URL for the migration, when it differs from the server's own. */
  through?: { readonly url: string };
  ordering?: 'InOrder' | 'Any';
  windowMax?: string;
  /** Unlimited by default. */
  samplesPerSecond?: number;
  execution?: Readonly<Record<string, unknown>>;
  verification?: Readonly<Record<string, unknown>>;
}

/** The source and its contents. */
export class SlowCopy implements AsyncDisposable {
  readonly source: ServerProcess;
  readonly #set: SeriesSet;
  readonly #endMs: number;

  private constructor(source: ServerProcess, set: SeriesSet, endMs: number) {
    this.source = source;
    this.#set = set;
    this.#endMs = endMs;
  }

  /** A Prometheus 3.5 with this many hours of 56 series, a sample every 15 s and in some every second: 22,000 samples per hour. */
  static async start(hours: number): Promise<SlowCopy> {
    const kinds = [...PLAIN_KINDS, ...COUNTER_HISTOGRAM_KINDS];
    const endMs = START_MS + hours * HOUR_MS;
    const set = generateDataset({ series: 4 * kinds.length, startMs: START_MS, endMs, kinds });
    const source = await startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true });
    await pushSamples(`${source.url}/api/v1/write`, set);
    return new SlowCopy(source, set, endMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.source[Symbol.asyncDispose]() as Promise<void>;
  }

  spec(destination: Destination, server: { readonly url: string }, options: CopyOptions = {}): MigrationSpec {
    const { url } = options.through ?? server;
    return {
      source: { url: `${this.source.url}/api/v1/read` },
      destination: {
        url: `${url}/api/v1/write`,
        progress: { protocol: destination.protocol, url: destination.progressUrl(url) },
        ...(options.ordering !== undefined && { ordering: options.ordering }),
      },
      selectors: destination.selectors,
      timeRange: { start: new Date(START_MS).toISOString(), end: new Date(this.#endMs).toISOString() },
      ...(options.execution !== undefined && { execution: options.execution }),
      ...(options.verification !== undefined && { verification: options.verification }),
      ...(options.windowMax !== undefined && { window: { max: options.windowMax } }),
      ...(options.samplesPerSecond !== undefined && {
        limits: { samplesPerSecond: options.samplesPerSecond, samplesPerWrite: 1000 },
      }),
    };
  }

  /**
   * Compares both sides sample by sample, and the last mark, which counts the samples. Returns the number of compared samples; throws with
   * the first difference.
   * @param shards how many progress series there must be
   */
  async assertAllThereOnce(
    destination: Destination,
    server: ServerProcess,
    shards: 'one' | 'several' = 'one',
  ): Promise<number> {
    const copied = this.#copiedTo(destination);
    const expected = destination.values === 'bits' ? copied : keptByVictoriaMetrics(copied);
    const actual = await destination.read(server);
    const comparison = compareSeries(expected, actual, { values: destination.values, ignore: isProgress });
    assert.equal(comparison.differences, 0, `${comparison.differences} differences, the first: ${comparison.first}`);
    assert.equal(comparison.samplesCompared, countSamples(expected));
    const marks = [...filterSeries(actual, isMark).values()];
    if (shards === 'one') assert.equal(marks.length, 1, 'one progress series');
    const last = marks.map(({ timesMs }) => timesMs.at(-1) ?? 0);
    assert.equal(Math.max(...last), this.#endMs - 1, 'the last mark stands at the last millisecond');
    assert.equal(
      marks.reduce((sum, { bits }) => sum + numberOf(bits.at(-1) ?? 0n), 0),
      countSamples(copied),
      'the last mark of each shard counts every sample of all runs once',
    );
    return comparison.samplesCompared;
  }

  /** The number of source samples that a migration to this destination reads and writes; some stores keep fewer. */
  countCopied(destination: Destination): number {
    return countSamples(this.#copiedTo(destination));
  }

  /** The series of the source that belong there, in no order. */
  copied(destination: Destination): readonly SeriesSamples[] {
    return [...this.#copiedTo(destination).values()];
  }

  #copiedTo(destination: Destination): SeriesSet {
    return new Map(
      [...this.#set].filter(([, { histograms }]) => destination.takesHistograms || histograms.length === 0),
    );
  }
}
