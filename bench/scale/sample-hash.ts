// A hash of a set of samples that does not depend on their order: the sum, modulo 2^64, of a hash of each. A missing, doubled or changed
// sample changes it.

/** The hash of a label set, as two words. */
export interface LabelWords {
  readonly low: number;
  readonly high: number;
}

/** Splits `hashLabels`' 53 bits. */
export function labelWords(hash: number): LabelWords {
  return { low: hash >>> 0, high: Math.floor(hash / 0x1_0000_0000) };
}

const TWO_TO_32 = 0x1_0000_0000;

export class SampleHash {
  samples = 0;
  // Two sums of 32 bits, each of a hash of its own: a sum of 64 bits would need BigInt for each sample.
  #first = 0;
  #second = 0;

  /** @param valueLow, valueHigh the bits of the value */
  add({ low, high }: LabelWords, timeMs: number, valueLow: number, valueHigh: number): void {
    const timeLow = timeMs >>> 0;
    const timeHigh = (timeMs / TWO_TO_32) | 0;
    let a = low ^ 0x3c6ef372;
    let b = high ^ 0x1f83d9ab;
    a = Math.imul(a ^ timeLow, 0x9e3779b1);
    b = Math.imul(b ^ valueLow, 0x85ebca77);
    a ^= (a >>> 15) ^ b;
    b ^= (b >>> 13) ^ Math.imul(a, 0x27d4eb2f);
    a = Math.imul(a ^ valueHigh, 0xc2b2ae3d);
    b = Math.imul(b ^ timeHigh, 0x165667b1);
    a ^= (a >>> 16) ^ b;
    b ^= (b >>> 14) ^ Math.imul(a, 0x2545f491);
    a = Math.imul(a, 0x9e3779b1);
    b = Math.imul(b, 0x85ebca77);
    this.#first = (this.#first + (a ^ (a >>> 15))) | 0;
    this.#second = (this.#second + (b ^ (b >>> 13))) | 0;
    this.samples++;
  }

  /** 16 hexadecimal digits. */
  digest(): string {
    return [this.#first, this.#second].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }
}
