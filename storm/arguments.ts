// The command line of `npm run storm`. Pure.

import { parseArgs } from 'node:util';
import { FAULT_KINDS, type FaultKind } from './fault-kinds.ts';
import { type Pair, PAIRS } from './scenario.ts';

export interface StormArguments {
  readonly seeds: number;
  /** The first seed; the others are consecutive. */
  readonly firstSeed: number;
  readonly pair: Pair | undefined;
  /** The kinds of faults to select from; all when undefined. */
  readonly kinds: readonly FaultKind[] | undefined;
  /** The flags that define the meaning of a seed, as given. */
  readonly selection: string;
  readonly verbose: boolean;
}

export const USAGE = `npm run storm -- [--seeds N] [--seed S] [--pair ${PAIRS.join('|')}] [--faults KIND,…] [--without KIND,…] [--verbose]`;

/** @throws Error with a text for the user */
export function parseStormArguments(args: readonly string[]): StormArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      pair: { type: 'string' },
      faults: { type: 'string' },
      without: { type: 'string' },
      verbose: { type: 'boolean', default: false },
    },
  });
  const pair = PAIRS.find((name) => name === values.pair);
  if (values.pair !== undefined && pair === undefined)
    throw new Error(`--pair ${values.pair}: must be one of ${PAIRS.join(', ')}`);
  return {
    seeds: wholeNumber('--seeds', values.seeds, 1),
    firstSeed: wholeNumber('--seed', values.seed, 0),
    pair,
    kinds: chosenKinds(values.faults, values.without),
    selection: (['pair', 'faults', 'without'] as const)
      .flatMap((flag) => (values[flag] === undefined ? [] : [` --${flag} ${values[flag]}`]))
      .join(''),
    verbose: values.verbose,
  };
}

function chosenKinds(only: string | undefined, without: string | undefined): readonly FaultKind[] | undefined {
  if (only === undefined && without === undefined) return undefined;
  const left = only === undefined ? FAULT_KINDS : kindsNamed('--faults', only);
  const excluded = without === undefined ? [] : kindsNamed('--without', without);
  return left.filter((kind) => !excluded.includes(kind));
}

/** A name with a star at its end matches all names with this prefix. */
function kindsNamed(flag: string, names: string): readonly FaultKind[] {
  return names.split(',').flatMap((name) => {
    const kinds = FAULT_KINDS.filter((kind) =>
      name.endsWith('*') ? kind.name.startsWith(name.slice(0, -1)) : kind.name === name,
    );
    if (kinds.length > 0) return kinds;
    throw new Error(`${flag} ${name}: must be one of ${FAULT_KINDS.map((kind) => kind.name).join(', ')}`);
  });
}

function wholeNumber(flag: string, text: string, least: number): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < least || !Number.isSafeInteger(number))
    throw new Error(`${flag} ${text}: must be a whole number from ${least} on`);
  return number;
}
