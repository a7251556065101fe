// Runs many seeds, two at a time. Called by main.ts and by the test in test/real/.

import type { SeedEnd } from './report.ts';
import { runSeed } from './run-seed.ts';
import type { Pair } from './scenario.ts';
import { Sources } from './source.ts';

export interface StormOptions {
  readonly seeds: readonly number[];
  readonly pair?: Pair | undefined;
  /** No further seed is begun when it is aborted. */
  readonly signal?: AbortSignal;
  readonly onSeed?: (end: SeedEnd) => void;
  readonly onStep?: ((seed: number, text: string) => void) | undefined;
}

const AT_ONCE = 2;

/** The end of each seed, in the order of the seeds. */
export async function runStorm(options: StormOptions): Promise<SeedEnd[]> {
  const { seeds, pair, signal, onSeed, onStep } = options;
  await using sources = new Sources();
  const ends = new Map<number, SeedEnd>();
  const waiting = [...seeds];
  const work = async () => {
    for (let seed = waiting.shift(); seed !== undefined && !signal?.aborted; seed = waiting.shift()) {
      const end = await endOf(seed, { pair, sources, onStep });
      ends.set(seed, end);
      onSeed?.(end);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return seeds.flatMap((seed) => ends.get(seed) ?? []);
}

async function endOf(
  seed: number,
  { pair, sources, onStep }: Pick<StormOptions, 'pair' | 'onStep'> & { readonly sources: Sources },
): Promise<SeedEnd> {
  try {
    return await runSeed({ seed, pair, sources, onStep: (text) => onStep?.(seed, text) });
  } catch (error) {
    return { seed, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
