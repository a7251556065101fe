// The data that the benches move. bench-data generates it once per machine into the cache, under a key made from the generator's inputs.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { installOnce } from '../test/support/cache.ts';
import { run } from '../test/support/child-output.ts';
import { findBenchData } from './programs.ts';
import { makeScratch, type Scratch } from './scratch.ts';

export type DataSetName = 'standard' | 'wide' | 'million' | 'narrow' | 'sparse' | 'histograms';

export interface DataSet {
  readonly name: DataSetName;
  /** The output of bench-data; a server gets a copy. */
  readonly dataDir: string;
  readonly startMs: number;
  /** Ends of the ranges whose samples are counted. */
  readonly marksMs: readonly number[];
  /** Samples of all series from startMs to each mark. */
  readonly samples: readonly number[];
  readonly series: number;
  readonly names: readonly string[];
  /** Metrics whose series may hold stale markers. */
  readonly staleNames: readonly string[];
  readonly countsFile: string;
}

const GENERATOR = resolve(import.meta.dirname, '../test/support/go/prometheus');

async function cacheKey(name: DataSetName): Promise<string> {
  const directory = join(GENERATOR, 'bench-data');
  const sources = (await readdir(directory)).filter((file) => /^(?:blocks|generate).*\.go$/.test(file)).sort();
  const hash = createHash('sha256').update(name);
  for (const file of ['../go.mod', ...sources]) hash.update(await readFile(join(directory, file)));
  return `bench-data-set-${name}-${hash.digest('hex').slice(0, 12)}`;
}

/** The data set, generated first if necessary: 14 million samples per second. */
export async function findDataSet(name: DataSetName): Promise<DataSet> {
  const directory = await installOnce(await cacheKey(name), async (target) => {
    process.stderr.write(`${name}: generating the data set\n`);
    await run(await findBenchData(), ['generate', name, target]);
    return { version: '1', origin: 'bench-data generate' };
  });
  const manifest = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8')) as Pick<
    DataSet,
    'startMs' | 'marksMs' | 'samples' | 'series' | 'names'
  > & { staleNames?: string[] };
  return {
    ...manifest,
    staleNames: manifest.staleNames ?? [],
    name,
    dataDir: join(directory, 'data'),
    countsFile: join(directory, 'counts.tsv'),
  };
}

function markOf(set: DataSet, endMs: number): number {
  const mark = set.marksMs.indexOf(endMs);
  if (mark === -1) throw new Error(`${set.name} is not counted up to ${new Date(endMs).toISOString()}`);
  return mark;
}

export function samplesBefore(set: DataSet, endMs: number): number {
  return set.samples[markOf(set, endMs)] ?? 0;
}

/** The counts of one series. */
interface SeriesCount {
  /** Samples without stale markers. */
  plain: number;
  stale: number;
}

export type Counts = Map<string, SeriesCount>;

/** The counts of each series from the set's start to `endMs`, by the series key of counts.ts. */
export async function expectedCounts(set: DataSet, endMs: number): Promise<Counts> {
  const column = markOf(set, endMs) * 2 + 1;
  const counts: Counts = new Map();
  for (const line of (await readFile(set.countsFile, 'utf8')).split('\n')) {
    const fields = line.split('\t');
    const samples = Number(fields[column] ?? 0);
    const stale = Number(fields[column + 1] ?? 0);
    if (samples > 0) counts.set(fields[0] ?? '', { plain: samples - stale, stale });
  }
  return counts;
}

/** A copy for a server, with hard links if the file systems support them: the files of a block are immutable. */
export async function copyForServer(set: DataSet): Promise<Scratch & { dataDir: string }> {
  const scratch = await makeScratch();
  const dataDir = join(scratch.path, 'data');
  try {
    await run('cp', ['-al', set.dataDir, dataDir]).catch(() => run('cp', ['-a', set.dataDir, dataDir]));
  } catch (error) {
    await scratch[Symbol.asyncDispose]();
    throw error;
  }
  return Object.assign(scratch, { dataDir });
}
