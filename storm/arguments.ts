// The command line of `npm run storm`. Pure.

import { parseArgs } from 'node:util';
import { type Pair, PAIRS } from './scenario.ts';

export interface StormArguments {
  readonly seeds: number;
  /** The first; the others follow it. */
  readonly firstSeed: number;
  readonly pair: Pair | undefined;
  readonly verbose: boolean;
}

export const USAGE = `npm run storm -- [--seeds N] [--seed S] [--pair ${PAIRS.join('|')}] [--verbose]`;

/** @throws Error with a text for the user */
export function parseStormArguments(args: readonly string[]): StormArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      pair: { type: 'string' },
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
    verbose: values.verbose,
  };
}

function wholeNumber(flag: string, text: string, least: number): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < least || !Number.isSafeInteger(number))
    throw new Error(`${flag} ${text}: must be a whole number from ${least} on`);
  return number;
}
