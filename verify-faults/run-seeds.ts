// Runs many seeds, one after the other: two would only share the machine.

import type { SeedEnd } from './report.ts';
import { runSeed } from './run-seed.ts';
import type { Scenario } from './scenario.ts';
import { Stores } from './stores.ts';

export interface RunSeedsOptions {
  /** No further seed is begun when it is aborted. */
  readonly signal?: AbortSignal;
  readonly onSeed?: (end: SeedEnd) => void;
}

/** The end of each, in the same order. Seeds that share their data follow one another, because loading takes longer than a verification. */
export async function runSeeds(
  scenarios: readonly Scenario[],
  { signal, onSeed }: RunSeedsOptions = {},
): Promise<SeedEnd[]> {
  await using stores = new Stores();
  const keyOf = ({ store, size, shape }: Scenario) => `${store} ${size} ${shape}`;
  const ordered = [...scenarios].sort((a, b) => keyOf(a).localeCompare(keyOf(b)) || a.seed - b.seed);
  const ends = new Map<Scenario, SeedEnd>();
  for (const scenario of ordered) {
    if (signal?.aborted) break;
    const end = await endOf(scenario, stores);
    ends.set(scenario, end);
    onSeed?.(end);
  }
  return scenarios.flatMap((scenario) => ends.get(scenario) ?? []);
}

async function endOf(scenario: Scenario, stores: Stores): Promise<SeedEnd> {
  try {
    return await runSeed(scenario, stores);
  } catch (error) {
    return { seed: scenario.seed, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
