// Secrets in files. Kubernetes and most tools that rotate credentials replace such a file, so its content is worth another look once the old
// value is refused.

import { readFileSync } from 'node:fs';
import { FileSecret, Secret } from './secret.ts';

/** The text without one trailing newline. */
export function withoutFinalNewline(text: string): string {
  return text.replace(/\r?\n$/, '');
}

/** The file's text; undefined if it cannot be read. One newline at its end is dropped: editors and `echo` add it. */
export function readSecretFile(path: string): FileSecret | undefined {
  try {
    return new FileSecret(withoutFinalNewline(readFileSync(path, 'utf8')), path);
  } catch {
    return undefined;
  }
}

/** The same data with the current content of every secret that came from a file. Data that has not changed is returned as it is. */
export function readAgain<T>(data: T): T {
  return again(data) as T;
}

function again(value: unknown): unknown {
  if (value instanceof FileSecret) return replacementOf(value) ?? value;
  if (value instanceof Secret || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const entries = value.map(again);
    return entries.some((entry, index) => entry !== value[index]) ? entries : value;
  }
  const fields = Object.entries(value).map(([name, field]) => [name, again(field), field] as const);
  if (!fields.some(([, now, before]) => now !== before)) return value;
  return Object.fromEntries(fields.map(([name, now]) => [name, now]));
}

/** Undefined if the file still has the same content, or if it has none that could replace it: it may be half written. */
function replacementOf(old: FileSecret): FileSecret | undefined {
  const read = readSecretFile(old.path);
  const text = read?.reveal() ?? '';
  if (text === '' || text === old.reveal()) return undefined;
  // Only PEM texts have lines. Anything else with a control character cannot be sent in a header.
  return isOneLine(text) || !isOneLine(old.reveal()) ? read : undefined;
}

function isOneLine(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be in it
  return !/[\u0000-\u001f\u007f]/.test(text);
}
