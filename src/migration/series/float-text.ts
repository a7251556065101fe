// All bits of a float as text. Pure.

import { STALE_HIGH, STALE_LOW } from '../../wire/stale-marker.ts';

const FLOATS = new Float64Array(1);
const BITS = new Uint32Array(FLOATS.buffer);

export const STALE_TEXT = 'stale marker';

/** All bits of a float as text: `1.5`, `-0`, `+Inf`, `stale marker`, `NaN 0x7ff8000000000001`. */
export function floatText(low: number, high: number): string {
  BITS[0] = low;
  BITS[1] = high;
  const value = FLOATS[0] as number;
  if (low === STALE_LOW && high === STALE_HIGH) return STALE_TEXT;
  if (Number.isNaN(value)) return `NaN 0x${hex(high)}${hex(low)}`;
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return Object.is(value, -0) ? '-0' : String(value);
}

function hex(half: number): string {
  return (half >>> 0).toString(16).padStart(8, '0');
}
