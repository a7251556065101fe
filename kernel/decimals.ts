// Mantissas to floats, as src/wire/native-export/decimals.ts does it.

const INFINITE: i64 = i64.MAX_VALUE;
const STALE: i64 = i64.MAX_VALUE - 1;
/** Added to one of these three, and to no other integer, it gives one that is not above LAST_SPECIAL. */
const SPECIAL_OFFSET: i64 = 2;
const LAST_SPECIAL: i64 = i64.MIN_VALUE + SPECIAL_OFFSET;

const STALE_BITS: u64 = ((<u64>0x7ff0_0000) << 32) | 2;
const LARGEST_POWER: u32 = 308;

/** 10^0 to 10^31. */
const SMALL_POWERS: StaticArray<f64> = [
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
  1e21, 1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28, 1e29, 1e30, 1e31,
];
/** 10^0 to 10^288, in steps of 32. */
const LARGE_POWERS: StaticArray<f64> = [1, 1e32, 1e64, 1e96, 1e128, 1e160, 1e192, 1e224, 1e256, 1e288];

/** Go's math.Pow10: a product of two exact powers, which is not always the nearest float. */
function powerOfTen(exponent: u32): f64 {
  if (exponent > LARGEST_POWER) return Infinity;
  return unchecked(LARGE_POWERS[exponent >> 5]) * unchecked(SMALL_POWERS[exponent & 31]);
}

/** Replaces the mantissas with the indices [from, to) at `bits` by floats. */
export function scaleDecimals(bits: usize, from: u32, to: u32, exponent: i32): void {
  const power = powerOfTen(<u32>abs(exponent));
  for (let at = bits + (from << 3), end = bits + (to << 3); at < end; at += 8) {
    const mantissa = load<i64>(at);
    if (mantissa + SPECIAL_OFFSET <= LAST_SPECIAL) {
      storeSpecial(at, mantissa);
      continue;
    }
    const decimal = <f64>mantissa;
    const value = exponent === 0 ? decimal : exponent < 0 ? decimal / power : decimal * power;
    // 0 × Infinity is not a number.
    if (abs(value) <= Infinity) store<f64>(at, value);
    else store<u64>(at, STALE_BITS);
  }
}

function storeSpecial(at: usize, mantissa: i64): void {
  if (mantissa === STALE) store<u64>(at, STALE_BITS);
  else store<f64>(at, mantissa === INFINITE ? Infinity : -Infinity);
}
