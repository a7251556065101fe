// Numbers, durations and times in readable form, for the progress bar, the log lines and the summary. Pure.

const COUNT_UNITS = ['', 'k', 'M', 'G', 'T', 'P'] as const;
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

function scaled(value: number, base: number, units: readonly string[], separator: string): string {
  if (!Number.isFinite(value) || value < 0) return '-';
  let unit = 0;
  let rest = value;
  // 999.95 would be printed as 1000.0: use the next unit.
  while (unit < units.length - 1 && rest >= base - 0.5) {
    rest /= base;
    unit++;
  }
  const digits = unit === 0 ? 0 : rest < 99.95 ? 1 : 0;
  return `${rest.toFixed(digits)}${units[unit] === '' ? '' : separator}${units[unit] ?? ''}`;
}

/** A count of samples or series: `999`, `12.4M`. */
export function formatCount(count: number): string {
  return scaled(count, 1000, COUNT_UNITS, '');
}

/** Samples per second: `1.8M/s`; below ten with one decimal. */
export function formatRate(perSecond: number): string {
  if (perSecond > 0 && perSecond < 9.95) return `${perSecond.toFixed(1)}/s`;
  return `${formatCount(perSecond)}/s`;
}

/** Bytes in powers of 1024: `4.0 MiB`. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, 1024, BYTE_UNITS, ' ');
}

const DURATION_UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** Milliseconds with the two largest units: `850ms`, `12s`, `3m20s`, `2h`, `1d4h`. */
export function formatDuration(durationMs: number): string {
  if (!Number.isFinite(durationMs) || durationMs < 0) return '-';
  if (durationMs < 999.5) return durationMs === 0 ? '0s' : `${Math.round(durationMs)}ms`;
  for (const [index, [name, unitMs]] of DURATION_UNITS.entries()) {
    const smaller = DURATION_UNITS[index + 1];
    const [smallerName, smallerMs] = smaller ?? ['', unitMs];
    const rounded = Math.round(durationMs / smallerMs) * smallerMs;
    if (rounded < unitMs) continue;
    const rest = (rounded % unitMs) / smallerMs;
    return `${Math.floor(rounded / unitMs)}${name}${smaller === undefined || rest === 0 ? '' : `${rest}${smallerName}`}`;
  }
  return '1s';
}

/** RFC 3339 with milliseconds, in UTC. Undefined for a time that no calendar has. */
export function formatTime(timeMs: number): string | undefined {
  const date = new Date(timeMs);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** `2026-01-02 03:04:05`, in UTC. */
export function formatTimeShort(timeMs: number): string {
  return (formatTime(timeMs) ?? '-').replace('T', ' ').replace(/\.\d+Z$/, '');
}

/** `42.3%`, rounded down: 100.0% appears only for exactly 100%. */
export function formatPercent(ratio: number): string {
  // The tiny addition keeps 0.29 * 1000 = 290 from becoming 289.99….
  return `${(Math.floor(Math.min(Math.max(ratio, 0), 1) * 1000 + 1e-9) / 10).toFixed(1)}%`;
}

/** All digits, in groups of three: `12,400,000`. */
export function formatExact(count: number): string {
  return count.toLocaleString('en-US', { maximumFractionDigits: 3 });
}
