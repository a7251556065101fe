// Compares the floats of one series on both sides, as src/migration/verify/sample-comparison.ts does for floats at the same times.

import { REFUSED } from './bits';

/**
 * Compares `count` floats. @param precision the relative difference that two values may have
 * @returns how many values have other bits within `precision`, or REFUSED: a time or a value is different
 */
export function compareFloats(
  times: usize,
  bits: usize,
  otherTimes: usize,
  otherBits: usize,
  count: u32,
  precision: f64,
): i32 {
  const bytes = (<usize>count) << 3;
  if (!areSame(times, otherTimes, bytes)) return REFUSED;
  let changed: i32 = 0;
  const pairs = bytes & ~15;
  for (let at: usize = 0; at < pairs; at += 16) {
    if (v128.any_true(v128.xor(v128.load(bits + at), v128.load(otherBits + at)))) {
      const first = compareValue(bits + at, otherBits + at, precision);
      const second = compareValue(bits + at + 8, otherBits + at + 8, precision);
      if ((first | second) < 0) return REFUSED;
      changed += first + second;
    }
  }
  if (pairs < bytes) {
    const last = compareValue(bits + pairs, otherBits + pairs, precision);
    if (last === REFUSED) return REFUSED;
    changed += last;
  }
  return changed;
}

/** @returns 0 for the same bits, 1 for another value within `precision`, or REFUSED */
function compareValue(at: usize, otherAt: usize, precision: f64): i32 {
  if (load<u64>(at) === load<u64>(otherAt)) return 0;
  const value = load<f64>(at);
  const isClose = abs(value) < Infinity && abs(value - load<f64>(otherAt)) <= precision * abs(value);
  return isClose ? 1 : REFUSED;
}

function areSame(left: usize, right: usize, bytes: usize): bool {
  const pairs = bytes & ~15;
  for (let at: usize = 0; at < pairs; at += 16) {
    if (v128.any_true(v128.xor(v128.load(left + at), v128.load(right + at)))) return false;
  }
  return pairs === bytes || load<u64>(left + pairs) === load<u64>(right + pairs);
}
