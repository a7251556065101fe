// How stores change values when they write them, and how they name a series in an error.

import type { Labels, Sample } from './messages.ts';
import { numberOf } from './promql.ts';

const negativeZero = 1n << 63n;

/** Go omits a field that equals 0 from a message, including −0: after a transfer between processes, it is +0. */
export function withoutNegativeZero(sample: Sample): Sample {
  return sample.bits === negativeZero ? { ...sample, bits: 0n } : sample;
}

const largestMultiplier = 6;
const largestInteger = 1e13;

/**
 * M3 stores a value as an integer and a number of decimals when the difference is negligible, with up to six decimals: 0.30000000000000004
 * becomes 0.3, −0 and the smallest denormals become 0. Other values keep their bits.
 */
export function roundedLikeM3(sample: Sample): Sample {
  const value = numberOf(sample.bits);
  let scaled = Math.abs(value);
  for (let decimals = 0; decimals <= largestMultiplier && scaled < largestInteger; decimals++, scaled *= 10) {
    const nearest = Math.round(scaled);
    if (Math.abs(scaled - nearest) > spacing(nearest)) continue;
    const rounded = (Math.sign(value) * nearest) / 10 ** decimals + 0;
    return { ...sample, bits: new BigUint64Array(new Float64Array([rounded]).buffer)[0]! };
  }
  return sample;
}

/** The distance from a whole number to the next float. */
function spacing(whole: number): number {
  return whole === 0 ? Number.MIN_VALUE : 2 ** (Math.floor(Math.log2(whole)) - 52);
}

/** `{__name__="up", job="node"}` */
export function formatSeries(labels: Labels): string {
  return `{${labels.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', ')}}`;
}
