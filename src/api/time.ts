// RFC 3339 times to milliseconds.

const SYNTAX =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))$/i;

/**
 * Milliseconds since 1970 of an RFC 3339 date-time, or undefined if the text is not one. Digits below a millisecond are cut off: a caller
 * that needs them rejected must check first. A leap second is rejected, as in Kubernetes.
 */
export function parseTime(text: string): number | undefined {
  const match = SYNTAX.exec(text);
  if (match === null) return undefined;
  const part = (index: number) => Number(match[index] ?? 0);
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)];
  const offsetHours = part(9);
  const offsetMinutes = part(10);
  if (hour > 23 || minute > 59 || second > 59 || offsetHours > 23 || offsetMinutes > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // A day that the month does not have would roll over into the next month.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const ms = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
  const offset = (match[8] === '-' ? -1 : 1) * (offsetHours * 60 + offsetMinutes);
  return date.getTime() + ((hour * 60 + minute - offset) * 60 + second) * 1000 + ms;
}
