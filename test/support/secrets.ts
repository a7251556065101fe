// What can be seen of secrets in a value.

import { inspect } from 'node:util';
import { Secret } from '../../src/telemetry/secret.ts';

/** Every text that code could make of a value by accident: JSON, and what the console shows of it, hidden fields included. */
export function shownTexts(value: unknown): string {
  const hidden = inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null });
  return `${JSON.stringify(value)}\n${hidden}\n${String(value)}`;
}

/** The value with the plain text in the place of each secret, for comparisons: two secrets are always deeply equal. */
export function revealed(value: unknown): unknown {
  if (value instanceof Secret) return value.reveal();
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, revealed(field)]));
}

export function secretValues(values: Readonly<Record<string, string>>): Record<string, Secret> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, new Secret(value)]));
}
