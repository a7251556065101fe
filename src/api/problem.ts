// A problem in a manifest, in a form that can be shown: one line per problem, and never a secret.

import { distance } from 'fastest-levenshtein';
import { type PathSegment, shorten } from './field-path.ts';

/** A problem inside one document. */
export interface FieldProblem {
  /** Such as `spec.source.url`. Empty for a problem with the whole document. */
  readonly path: string;
  /** The value given, in a form that can be shown. Undefined if it is absent or must not be shown. */
  readonly value: string | undefined;
  /** What is wrong and what is allowed. */
  readonly message: string;
}

export interface Problem extends FieldProblem {
  /** The name of the file as the user wrote it. Empty if the manifest did not come from a file. */
  readonly file: string;
  /** The number of the document in the file, from 1. Undefined if the file has only one. */
  readonly document: number | undefined;
}

/** The problem as one line: `migration.yaml: spec.source.url: "ftp://x": must be …`. */
export function formatProblem(problem: Problem): string {
  const document = problem.document === undefined ? '' : `document ${problem.document}`;
  const where = [problem.file, document].filter((part) => part !== '').join(', ');
  return [where, problem.path, problem.value, problem.message]
    .filter((part) => part !== undefined && part !== '')
    .join(': ')
    .replace(/[\r\n]+/g, ' ');
}

/** Whether the value at a path could be a secret that the user wrote in the place of a reference or a header. */
function isSensitive(segments: readonly PathSegment[]): boolean {
  return segments.some(
    (segment) =>
      segment === 'headers' ||
      segment === 'basicAuth' ||
      segment === 'authorization' ||
      segment === 'tls' ||
      segment === 'data' ||
      segment === 'stringData' ||
      segment === 'binaryData',
  );
}

/**
 * A value of the manifest in a form that can be shown, or undefined for objects, lists and values that could be a secret. Users and
 * passwords inside a URL and the values of its query (InfluxDB takes its password as `?p=`) become `***`.
 */
export function showValue(segments: readonly PathSegment[], value: unknown): string | undefined {
  if (isSensitive(segments)) return undefined;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return undefined;
  const isUrl = segments.some((segment) => typeof segment === 'string' && /url$/i.test(segment));
  return JSON.stringify(shorten(isUrl || /:\/\/|\/\/.*@/s.test(value) ? hideCredentials(value) : value));
}

/** Works on the text alone: a text that does not parse as a URL can still contain a password. */
function hideCredentials(text: string): string {
  const at = text.lastIndexOf('@');
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0] ?? '';
  const rest = at < 0 ? text : `${scheme}***${text.slice(at)}`;
  return rest.replace(/([?&#])([^=&#]*)(=[^&#]*)?/g, (_, mark, name, value) =>
    value === undefined ? `${mark}***` : `${mark}${name}=***`,
  );
}

/** The candidate that the word is most likely a typo of, or undefined. */
export function suggest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > 64) return undefined;
  const plain = (text: string) => text.toLowerCase().replace(/[-_]/g, '');
  // Two swapped neighbours are two edits. A word with nothing in common is not a typo.
  const maxDistance = Math.min(Math.max(2, Math.floor(word.length / 3)), word.length - 1);
  const [nearest] = candidates
    .map((candidate) => ({ candidate, distance: distance(plain(word), plain(candidate)) }))
    .sort((a, b) => a.distance - b.distance);
  return nearest !== undefined && nearest.distance <= maxDistance ? nearest.candidate : undefined;
}
