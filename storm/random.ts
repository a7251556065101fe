// Reproducible random decisions. Each stream of random numbers belongs to a name, so that one more draw in one place does not change the
// draws in another.

import { createHash } from 'node:crypto';

export interface Draw {
  /** In [0, 1). */
  number(): number;
  /** A whole number in [from, to]. */
  integer(from: number, to: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
}

/** The stream of this name; the same parts give the same numbers on every machine. */
export function drawFor(...name: readonly (string | number)[]): Draw {
  let state = createHash('sha256').update(name.join('\n')).digest().readUInt32LE(0);
  // mulberry32
  const number = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const integer = (from: number, to: number) => from + Math.floor(number() * (to - from + 1));
  return {
    number,
    integer,
    chance: (probability) => number() < probability,
    pick(from) {
      if (from.length === 0) throw new Error('nothing to pick from');
      return from[integer(0, from.length - 1)] as (typeof from)[number];
    },
  };
}
