// The source of all seeds: a Prometheus with a few ten thousand samples of every kind, and their content according to two independent
// readers. Each variant is started once, when the first seed needs it.

import { generateDataset, HISTOGRAM_KINDS, PLAIN_KINDS, type SeriesKind } from '../test/support/dataset.ts';
import { pushSamples } from '../test/support/load.ts';
import { dumpPrometheus } from '../test/support/readers.ts';
import { countSamples, type SeriesSet } from '../test/support/series-set.ts';
import type { ServerProcess } from '../test/support/server-process.ts';
import { startPrometheus } from '../test/support/servers.ts';
import type { Variant } from './scenario.ts';

/** Not a round time, so that windows and blocks do not align with the start. */
export const START_MS = Date.UTC(2025, 2, 1, 1, 47, 13, 377);
const MINUTE_MS = 60_000;

export interface Source {
  readonly server: ServerProcess;
  readonly startMs: number;
  readonly endMs: number;
  /** Bit for bit, by Prometheus' own TSDB library. */
  readonly bits: SeriesSet;
  /** The output of `promtool tsdb dump`. */
  readonly text: SeriesSet;
  /** Newer samples of the same series, for a destination with existing data. */
  readonly newer: SeriesSet;
}

const KINDS: readonly SeriesKind[] = [
  ...PLAIN_KINDS,
  'utf8-names',
  'extremes',
  ...HISTOGRAM_KINDS,
  'custom-bucket-histogram',
];
const CHURN_KINDS: readonly SeriesKind[] = ['comes-and-goes', 'stale', 'gaps', 'special', 'comes-and-goes'];

function datasetOf(variant: Variant): { set: SeriesSet; newer: SeriesSet; endMs: number } {
  const startMs = START_MS;
  const endMs = startMs + (variant === 'steady' ? 170 : 125) * MINUTE_MS;
  const both = (from: number, to: number, seed: number): SeriesSet => {
    const range = { startMs: from, endMs: to, seed };
    if (variant === 'steady') return generateDataset({ ...range, series: 2 * KINDS.length, kinds: KINDS });
    return new Map([
      ...generateDataset({ ...range, series: KINDS.length, kinds: KINDS, prefix: 'few' }),
      ...generateDataset({ ...range, series: 120, kinds: CHURN_KINDS, prefix: 'churn' }),
    ]);
  };
  const newerMs = endMs + 90 * MINUTE_MS;
  return { set: both(startMs, endMs, 1), newer: both(newerMs, newerMs + 3 * MINUTE_MS, 2), endMs };
}

export class Sources implements AsyncDisposable {
  readonly #started = new Map<Variant, Promise<Source>>();

  get(variant: Variant): Promise<Source> {
    const started = this.#started.get(variant) ?? startSource(variant);
    this.#started.set(variant, started);
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const started of this.#started.values()) {
      const source = await started.catch(() => undefined);
      await source?.server[Symbol.asyncDispose]();
    }
  }
}

async function startSource(variant: Variant): Promise<Source> {
  const { set, newer, endMs } = datasetOf(variant);
  const server = await startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true });
  try {
    await pushSamples(`${server.url}/api/v1/write`, set);
    const bits = await dumpPrometheus(server, 'bits');
    const text = await dumpPrometheus(server, 'text');
    if (countSamples(bits) !== countSamples(set)) throw new Error('the source does not hold what was written to it');
    return { server, startMs: START_MS, endMs, bits, text, newer };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}
