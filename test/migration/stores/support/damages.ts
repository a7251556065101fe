// Ways in which a response is damaged between a store and its client.

import type { Fault } from '../../../support/stores/faults.ts';

/** A response without series has almost no bytes to damage. */
const shortest = 20;

export function damages(onDamage: () => void): Readonly<Record<string, Fault>> {
  const damaging = (damage: (body: Buffer, middle: number) => Uint8Array) => ({
    damage: (body: Buffer) => {
      if (body.length < shortest) return body;
      onDamage();
      return damage(body, body.length >> 1);
    },
  });
  return {
    'flipped bits': damaging((body, middle) => body.fill(0x55, middle, middle + 4)),
    'a missing end': damaging((body) => body.subarray(0, body.length - 5)),
  };
}
