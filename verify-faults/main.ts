// `npm run verify-faults`: plants faults into copies of a store and checks that `verify` finds all of them and invents none. See CONTRIBUTING.md.

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { run } from '../test/support/child-output.ts';
import type { Size, Store } from './data-sets.ts';
import { faultTable, hasFailed, type SeedEnd, seedLines } from './report.ts';
import { runSeeds } from './run-seeds.ts';
import { drawScenario } from './scenario.ts';

const USAGE = `npm run verify-faults -- [--seeds N] [--seed S] [--store prometheus|victoria-metrics] [--size small|large|ten-million|wide]`;

function argumentsOrExit() {
  try {
    const { values } = parseArgs({
      options: {
        seeds: { type: 'string', default: '20' },
        seed: { type: 'string', default: '1' },
        store: { type: 'string' },
        size: { type: 'string' },
      },
    });
    const oneOf = <T extends string>(flag: string, text: string | undefined, allowed: readonly T[]): T | undefined => {
      const found = allowed.find((name) => name === text);
      if (text !== undefined && found === undefined)
        throw new Error(`--${flag} ${text}: must be one of ${allowed.join(', ')}`);
      return found;
    };
    const number = (flag: string, text: string, least: number) => {
      const value = Number(text);
      if (!Number.isSafeInteger(value) || value < least)
        throw new Error(`--${flag} ${text}: must be a whole number from ${least} on`);
      return value;
    };
    return {
      seeds: number('seeds', values.seeds, 1),
      firstSeed: number('seed', values.seed, 0),
      store: oneOf<Store>('store', values.store, ['prometheus', 'victoria-metrics']),
      size: oneOf<Size>('size', values.size, ['small', 'large', 'ten-million', 'wide']),
    };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${USAGE}\n`);
    process.exit(2);
  }
}

const { seeds, firstSeed, store, size } = argumentsOrExit();
const print = (text: string) => process.stdout.write(`${text}\n`);
const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    if (interruption.signal.aborted) process.exit(130);
    process.stderr.write(`\n${name}: finishing the seed in progress; send the signal again to exit immediately\n`);
    interruption.abort();
  });
}
if (size === 'wide') await run(process.execPath, [resolve(import.meta.dirname, '../scripts/build.ts')]);
const scenarios = Array.from({ length: seeds }, (_, i) => drawScenario(firstSeed + i, { store, size }));
const ends: SeedEnd[] = await runSeeds(scenarios, {
  signal: interruption.signal,
  onSeed: (end) => print(seedLines(end)),
});
print(`\n${faultTable(ends)}`);
process.exitCode = ends.some(hasFailed) || ends.length < seeds ? 1 : 0;
