// Metric names in groups that one request can select. Pure.

import type { Matcher } from '../plan/migration-plan.ts';

const MAX_NAMES_AT_ONCE = 100;
/** Regular expressions are sent in the URL or a form, and servers limit their length. */
const MAX_NAME_BYTES_AT_ONCE = 4000;

export function nameGroups(names: Iterable<string>): string[][] {
  const groups: string[][] = [];
  let bytes = 0;
  for (const name of names) {
    const group = groups.at(-1);
    if (group === undefined || group.length >= MAX_NAMES_AT_ONCE || bytes + name.length > MAX_NAME_BYTES_AT_ONCE) {
      groups.push([name]);
      bytes = name.length;
    } else {
      group.push(name);
      bytes += name.length;
    }
  }
  return groups;
}

/** Matches exactly these names. */
export function namesMatcher(names: readonly string[]): Matcher {
  if (names.length === 1) return { kind: '=', name: '__name__', value: names[0] as string };
  const alternatives = names.map((name) => name.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&'));
  return { kind: '=~', name: '__name__', value: alternatives.join('|') };
}
