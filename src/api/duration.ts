// Durations as Prometheus writes them (`1h30m`, `500ms`, `0`).

const UNITS_MS = [
  ['y', 365 * 86_400_000],
  ['w', 7 * 86_400_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

const SYNTAX = /^(?:([0-9]+)y)?(?:([0-9]+)w)?(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?(?:([0-9]+)ms)?$/;

/**
 * The milliseconds of a Prometheus duration, or undefined if the text is not one. Each unit occurs at most once, longest first; a year has
 * 365 days. More than 2^53 - 1 ms is not a duration.
 */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (text === '') return undefined;
  const match = SYNTAX.exec(text);
  if (match === null) return undefined;
  let totalMs = 0;
  UNITS_MS.forEach(([, unitMs], index) => {
    totalMs += Number(match[index + 1] ?? 0) * unitMs;
  });
  return Number.isSafeInteger(totalMs) ? totalMs : undefined;
}
