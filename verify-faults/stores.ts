// The sources and the unchanged copies of all seeds. Each data set is made and loaded once, when the first seed needs it; the last one that was
// used stays.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countSamples, SeriesBuilder, type SeriesSet } from '../test/support/series-set.ts';
import type { ServerProcess } from '../test/support/server-process.ts';
import { comparedPart, type DataSet, makeDataSet } from './data-sets.ts';
import type { Alteration } from './edits.ts';
import type { Scenario } from './scenario.ts';
import { alteredPrometheus, contentOfPrometheus, loadedPrometheus, saveBlocks } from './sides/prometheus.ts';
import { alteredVictoriaMetrics, saveVictoriaMetrics } from './sides/victoria-metrics.ts';

export interface LoadedData {
  readonly data: DataSet;
  readonly source: ServerProcess;
  /** A data directory with the destination's samples, before anything is changed. */
  readonly base: string;
  readonly samples: number;
}

type Wanted = Pick<Scenario, 'size' | 'store' | 'shape'>;

export class Stores implements AsyncDisposable {
  #loaded: { readonly key: string; readonly data: LoadedData } | undefined;
  #directory: string | undefined;
  #copies = 0;

  async get(wanted: Wanted): Promise<LoadedData> {
    const key = `${wanted.store}-${wanted.size}-${wanted.shape}`;
    if (this.#loaded?.key === key) return this.#loaded.data;
    await this.#drop();
    const directory = await this.#scratch();
    const data = await load(wanted, join(directory, 'base'));
    this.#loaded = { key, data };
    return data;
  }

  /** The destination of one seed. */
  async destination({ data, base }: LoadedData, scenario: Scenario, alteration: Alteration): Promise<ServerProcess> {
    const directory = join(await this.#scratch(), `copy-${this.#copies++}`);
    const writes: SeriesSet = new Map([...data.bystanders.destination, ...alteration.writes]);
    const whole = { ...alteration, writes };
    if (data.store === 'victoria-metrics') return alteredVictoriaMetrics(whole, { base, directory });
    const { destinationVersion: version, cleansTombstones, outOfOrderWindow } = scenario;
    return alteredPrometheus(whole, { base, directory, version, cleansTombstones, outOfOrderWindow });
  }

  async #scratch(): Promise<string> {
    this.#directory ??= await mkdtemp(join(tmpdir(), 'prom-migrator-verify-faults-'));
    return this.#directory;
  }

  async #drop(): Promise<void> {
    const loaded = this.#loaded?.data;
    this.#loaded = undefined;
    if (loaded === undefined) return;
    await loaded.source[Symbol.asyncDispose]();
    await rm(loaded.base, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#drop();
    if (this.#directory !== undefined) await rm(this.#directory, { recursive: true, force: true });
  }
}

async function load(wanted: Wanted, base: string): Promise<LoadedData> {
  const data = makeDataSet(wanted);
  const held = merged(data.source, data.bystanders.source);
  const source = await loadedPrometheus(held);
  try {
    const content = comparedPart(await contentOfPrometheus(source), data);
    if (countSamples(content) !== countSamples(data.source))
      throw new Error(`the source holds ${countSamples(content)} of ${countSamples(data.source)} samples`);
    if (data.store === 'victoria-metrics') await saveVictoriaMetrics(data.wanted, base);
    else if (data.shape === 'plain') await saveBlocks(source, base);
    else {
      await using other = await loadedPrometheus(data.wanted);
      await saveBlocks(other, base);
    }
    return { data, source, base, samples: countSamples(data.wanted) };
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw error;
  }
}

/** The samples of both; bystanders lie before and after those of their series. */
function merged(set: SeriesSet, bystanders: SeriesSet): SeriesSet {
  const all: SeriesSet = new Map(set);
  for (const [key, series] of bystanders) {
    const inside = set.get(key);
    const builder = new SeriesBuilder(series.labels);
    for (const { timesMs, bits } of inside === undefined ? [series] : [series, inside])
      for (let i = 0; i < timesMs.length; i++) builder.add(timesMs[i] ?? 0, bits[i] ?? 0n);
    all.set(key, builder.finish());
  }
  return all;
}
