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

/** 2^51, from which on the pairs below would not be exact, and what a double of this size adds to the bits of an integer. */
const HALF: i64 = (<i64>1) << 51;
const MAGIC_BITS: i64 = (<i64>0x4338_0000) << 32;
const MAGIC: f64 = 6_755_399_441_055_744;

/** Replaces the mantissas with the indices [from, to) at `bits` by floats. */
export function scaleDecimals(bits: usize, from: u32, to: u32, exponent: i32): void {
  const end = bits + (to << 3);
  const power = powerOfTen(<u32>abs(exponent));
  let at = bits + (from << 3);
  if (power < Infinity) {
    for (; at + 16 <= end; at += 16) {
      const mantissas = v128.load(at);
      const above = i64x2.shr_u(i64x2.add(mantissas, i64x2.splat(HALF)), 52);
      if (v128.any_true(above)) {
        scaleOne(at, exponent, power);
        scaleOne(at + 8, exponent, power);
        continue;
      }
      const decimals = f64x2.sub(i64x2.add(mantissas, i64x2.splat(MAGIC_BITS)), f64x2.splat(MAGIC));
      if (exponent === 0) v128.store(at, decimals);
      else if (exponent < 0) v128.store(at, f64x2.div(decimals, f64x2.splat(power)));
      else v128.store(at, f64x2.mul(decimals, f64x2.splat(power)));
    }
  }
  for (; at < end; at += 8) scaleOne(at, exponent, power);
}

function scaleOne(at: usize, exponent: i32, power: f64): void {
  const mantissa = load<i64>(at);
  if (mantissa + SPECIAL_OFFSET <= LAST_SPECIAL) {
    storeSpecial(at, mantissa);
    return;
  }
  const decimal = <f64>mantissa;
  const value = exponent === 0 ? decimal : exponent < 0 ? decimal / power : decimal * power;
  // 0 × Infinity is not a number.
  if (abs(value) <= Infinity) store<f64>(at, value);
  else store<u64>(at, STALE_BITS);
}

function storeSpecial(at: usize, mantissa: i64): void {
  if (mantissa === STALE) store<u64>(at, STALE_BITS);
  else store<f64>(at, mantissa === INFINITE ? Infinity : -Infinity);
}
