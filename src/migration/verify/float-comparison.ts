// Whether two floats count as equal: their 64 bits are equal, or they differ by a change that a store or a protocol is known to make. Pure.

import { STALE_HIGH, STALE_LOW } from '../../wire/stale-marker.ts';
import type { ExpectedChange } from '../report/verification.ts';

/** How the two sides were read, and which store the destination is. It decides which changes are expected. */
export interface Lens {
  /** The destination was read through VictoriaMetrics' export. */
  readonly victoriaMetrics: boolean;
  readonly influxdb: boolean;
  /** The destination was read as the result of a PromQL query. */
  readonly promql: boolean;
  /** One of the sides was read as SAMPLES. */
  readonly samples: boolean;
  /** The source was read as the result of a PromQL query. */
  readonly queriedSource?: boolean;
}

export type Verdict = 'equal' | 'different' | ExpectedChange;

/** Relative. VictoriaMetrics keeps at least 12 significant digits of the largest values in a block. */
export const DECIMAL_PRECISION = 1e-11;

const FLOATS = new Float64Array(2);
const BITS = new Uint32Array(FLOATS.buffer);

/** Compares two floats whose bits differ. @param low the lower 32 bits */
export function floatVerdict(
  source: { readonly low: number; readonly high: number },
  destination: { readonly low: number; readonly high: number },
  lens: Lens,
): Verdict {
  BITS[0] = source.low;
  BITS[1] = source.high;
  BITS[2] = destination.low;
  BITS[3] = destination.high;
  const [before, after] = FLOATS as unknown as [number, number];
  if (Number.isNaN(before) || Number.isNaN(after)) {
    const areNan = Number.isNaN(before) && Number.isNaN(after);
    if (!areNan) return 'different';
    // A query shows no stale markers: what it shows as NaN is another one.
    const isHidden =
      (lens.promql && !isStale(source.low, source.high)) ||
      (lens.queriedSource === true && !isStale(destination.low, destination.high));
    return isHidden ? 'promql_nan_payloads' : 'different';
  }
  if (before === 0 && after === 0) {
    if (lens.victoriaMetrics) return 'victoriametrics_decimals';
    return lens.samples ? 'samples_negative_zero' : 'different';
  }
  const isClose = Number.isFinite(before) && Math.abs(before - after) <= DECIMAL_PRECISION * Math.abs(before);
  return lens.victoriaMetrics && isClose ? 'victoriametrics_decimals' : 'different';
}

/** Why the destination does not have a float of the source; undefined if there is no expected reason. */
export function missingFloatReason(low: number, high: number, lens: Lens): ExpectedChange | undefined {
  BITS[0] = low;
  BITS[1] = high;
  const value = FLOATS[0] as number;
  if (Number.isFinite(value)) return undefined;
  if (lens.influxdb) return 'influxdb_nan_inf';
  if (!Number.isNaN(value)) return undefined;
  if (isStale(low, high)) return lens.promql ? 'promql_stale_markers' : undefined;
  return lens.victoriaMetrics ? 'victoriametrics_nan' : undefined;
}

/** Why the source does not show a float of the destination; undefined if there is no expected reason. */
export function extraFloatReason(low: number, high: number, lens: Lens): ExpectedChange | undefined {
  return lens.queriedSource === true && isStale(low, high) ? 'promql_stale_markers' : undefined;
}

function isStale(low: number, high: number): boolean {
  return low === STALE_LOW && high === STALE_HIGH;
}
