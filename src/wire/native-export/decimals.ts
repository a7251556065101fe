// Turns the decimals of a block, mantissa × 10^exponent, into floats with the operations that VictoriaMetrics uses, so that every bit is the same as
// in its other exports.

import { STALE_HIGH, STALE_LOW } from '../stale-marker.ts';

const LARGEST_POWER = 308;
const POWER_STEP = 32;
/** Go's math.Pow10: a product of two exact powers, which is not always the nearest float. */
const POWERS = Float64Array.from({ length: LARGEST_POWER + 1 }, (_, exponent) => {
  const low = exponent % POWER_STEP;
  return Number(`1e${exponent - low}`) * Number(`1e${low}`);
});

/**
 * Scales mantissas in place. A mantissa that is NaN stands for a stale marker, as in `decodeIntegers`.
 * @param bits the memory of `values`
 */
export function scaleDecimals(
  values: Float64Array,
  bits: Uint32Array,
  { from, to, exponent }: { from: number; to: number; exponent: number },
): void {
  const power = powerOfTen(Math.abs(exponent));
  for (let i = from; i < to; i++) {
    const mantissa = values[i] as number;
    const value = exponent === 0 ? mantissa : exponent < 0 ? mantissa / power : mantissa * power;
    if (Number.isFinite(mantissa) && !Number.isNaN(value)) values[i] = value;
    else if (Number.isFinite(mantissa) || Number.isNaN(mantissa)) {
      bits[2 * i] = STALE_LOW;
      bits[2 * i + 1] = STALE_HIGH;
    }
  }
}

function powerOfTen(exponent: number): number {
  return POWERS[exponent] ?? Number.POSITIVE_INFINITY;
}
