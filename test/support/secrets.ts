// What can be seen of secrets in a value.

import { inspect } from 'node:util';

/** Every text that code could make of a value by accident: JSON, and what the console shows of it, hidden fields included. */
export function shownTexts(value: unknown): string {
  const hidden = inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null });
  return `${JSON.stringify(value)}\n${hidden}\n${String(value)}`;
}
