// Kubernetes quantities (`256Mi`, `1G`, `1e6`, `1048576`), used by the manifest's rules and by migration/plan.ts. They are as exact as in
// Kubernetes: billionths, rounded up, so that the same text is on the same side of a bound in `run` and on the API server.

const binaryExponents = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 } as const;
const decimalExponents = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 } as const;

const syntax = /^([+-]?)(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))(?:[eE]([+-]?[0-9]+)|([KMGTPE]i)|([numkMGTPE]))?$/;

const nanosInOne = 10n ** 9n;
/** What is larger counts as this. */
const largestNanos = (2n ** 63n - 1n) * nanosInOne;
const largestExponent = 2 ** 31 - 1;

/** The billionths that a quantity stands for, or undefined when it is none (resource.Quantity of k8s.io/apimachinery). */
export function quantityNanos(quantity: string): bigint | undefined {
  const match = syntax.exec(quantity);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = match[4] ?? '', , exponent, binary, decimal] = match;
  if (exponent !== undefined && Math.abs(Number(exponent)) > largestExponent) return undefined;
  const tens =
    9 - fraction.length + Number(exponent ?? decimalExponents[decimal as keyof typeof decimalExponents] ?? 0);
  const twos = binaryExponents[binary as keyof typeof binaryExponents] ?? 0;
  const nanos = scaled(BigInt(`${whole}${fraction}`) << BigInt(twos), tens);
  return sign === '-' ? -nanos : nanos;
}

/** digits · 10^tens, rounded up, at most `largestNanos`; never computes a number much larger than that. */
function scaled(digits: bigint, tens: number): bigint {
  if (digits === 0n) return 0n;
  const length = digits.toString().length;
  if (length + tens > 29) return largestNanos;
  if (length + tens <= 0) return 1n;
  if (tens >= 0) return smaller(digits * 10n ** BigInt(tens), largestNanos);
  const divisor = 10n ** BigInt(-tens);
  return smaller((digits + divisor - 1n) / divisor, largestNanos);
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** The number that a quantity stands for, or undefined when it is none. */
export function parseQuantity(quantity: string): number | undefined {
  const nanos = quantityNanos(quantity);
  if (nanos === undefined) return undefined;
  return Number(nanos / nanosInOne) + Number(nanos % nanosInOne) / 1e9;
}
