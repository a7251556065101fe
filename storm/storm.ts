// Runs many seeds, two at a time.

import type { FaultKind } from './fault-kinds.ts';
import type { SeedEnd } from './report.ts';
import { runSeed } from './run-seed.ts';
import type { Pair } from './scenario.ts';
import { Sources } from './source.ts';

export interface StormOptions {
  readonly seeds: readonly number[];
  readonly pair?: Pair | undefined;
  /** All by default. */
  readonly kinds?: readonly FaultKind[] | undefined;
  /** No further seed is started after an abort. */
  readonly signal?: AbortSignal;
  readonly onSeed?: (end: SeedEnd) => void;
  readonly onStep?: ((seed: number, text: string) => void) | undefined;
}

const AT_ONCE = 2;

/** The result of each seed, in the order of the seeds. */
export async function runStorm(options: StormOptions): Promise<SeedEnd[]> {
  const { seeds, signal, onSeed } = options;
  await using sources = new Sources();
  const ends = new Map<number, SeedEnd>();
  const waiting = [...seeds];
  const work = async () => {
    for (let seed = waiting.shift(); seed !== undefined && !signal?.aborted; seed = waiting.shift()) {
      const end = await endOf(seed, sources, options);
      ends.set(seed, end);
      onSeed?.(end);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return seeds.flatMap((seed) => ends.get(seed) ?? []);
}

async function endOf(seed: number, sources: Sources, { pair, kinds, onStep }: StormOptions): Promise<SeedEnd> {
  try {
    return await runSeed({ seed, pair, kinds, sources, onStep: (text) => onStep?.(seed, text) });
  } catch (error) {
    return { seed, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
