// Kubernetes quantities (`256Mi`, `1G`, `1e6`, `1048576`) with the precision of Kubernetes: billionths, rounded up. So `run` and the API
// server agree whether a value is within a bound.

const BINARY_EXPONENTS = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 } as const;
const DECIMAL_EXPONENTS = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 } as const;

const SYNTAX = /^([+-]?)(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))(?:[eE]([+-]?[0-9]+)|([KMGTPE]i)|([numkMGTPE]))?$/;

const NANOS_IN_ONE = 10n ** 9n;
/** Larger quantities are capped to this. */
const LARGEST_NANOS = (2n ** 63n - 1n) * NANOS_IN_ONE;
const LARGEST_EXPONENT = 2 ** 31 - 1;

/** The billionths of a quantity, or undefined if the text is not one (resource.Quantity of k8s.io/apimachinery). */
export function quantityNanos(quantity: string): bigint | undefined {
  const match = SYNTAX.exec(quantity);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = match[4] ?? '', , exponent, binary, decimal] = match;
  if (exponent !== undefined && Math.abs(Number(exponent)) > LARGEST_EXPONENT) return undefined;
  const tens =
    9 - fraction.length + Number(exponent ?? DECIMAL_EXPONENTS[decimal as keyof typeof DECIMAL_EXPONENTS] ?? 0);
  const twos = BINARY_EXPONENTS[binary as keyof typeof BINARY_EXPONENTS] ?? 0;
  const nanos = scaled(BigInt(`${whole}${fraction}`) << BigInt(twos), tens);
  return sign === '-' ? -nanos : nanos;
}

/** digits · 10^tens, rounded up, at most `largestNanos`. Never computes a number much larger than that. */
function scaled(digits: bigint, tens: number): bigint {
  if (digits === 0n) return 0n;
  const length = digits.toString().length;
  if (length + tens > 29) return LARGEST_NANOS;
  if (length + tens <= 0) return 1n;
  if (tens >= 0) return smaller(digits * 10n ** BigInt(tens), LARGEST_NANOS);
  const divisor = 10n ** BigInt(-tens);
  return smaller((digits + divisor - 1n) / divisor, LARGEST_NANOS);
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** The number of a quantity, or undefined if the text is not one. */
export function parseQuantity(quantity: string): number | undefined {
  const nanos = quantityNanos(quantity);
  if (nanos === undefined) return undefined;
  return Number(nanos / NANOS_IN_ONE) + Number(nanos % NANOS_IN_ONE) / 1e9;
}
