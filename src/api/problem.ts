// What is wrong with a manifest, in a form that can be shown: one line a problem, and never a secret in it. Made by the checks of
// this room and by migration/plan.ts, printed by cli/.

import { distance } from 'fastest-levenshtein';
import { type PathSegment, shorten } from './field-path.ts';

/** A problem inside one document. */
export interface FieldProblem {
  /** Such as `spec.source.url`; empty when the document as a whole is meant. */
  readonly path: string;
  /** The value given, as it may be shown; undefined when there is none or when it must not be shown. */
  readonly value: string | undefined;
  /** What is wrong and what is allowed. */
  readonly message: string;
}

export interface Problem extends FieldProblem {
  /** Name of the file as the user gave it; empty when the manifest came from elsewhere. */
  readonly file: string;
  /** Which document of the file, counted from 1; undefined when the file has only one. */
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

/** Whether what stands at a path could be a secret that its writer put where a reference or a header belongs. */
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
 * A value of the manifest as it may be shown, or undefined: not for objects and lists, not for what could be a secret. Users and
 * passwords inside a URL and the values of its query (InfluxDB takes its password as `?p=`) become `***`.
 */
export function showValue(segments: readonly PathSegment[], value: unknown): string | undefined {
  if (isSensitive(segments)) return undefined;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return undefined;
  const isUrl = segments.some((segment) => typeof segment === 'string' && /url$/i.test(segment));
  return JSON.stringify(shorten(isUrl || /:\/\/|\/\/.*@/s.test(value) ? hideCredentials(value) : value));
}

/** Works on the text alone: what does not parse as a URL has its password all the same. */
function hideCredentials(text: string): string {
  const at = text.lastIndexOf('@');
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0] ?? '';
  const rest = at < 0 ? text : `${scheme}***${text.slice(at)}`;
  return rest.replace(/([?&#])([^=&#]*)(=[^&#]*)?/g, (_, mark, name, value) =>
    value === undefined ? `${mark}***` : `${mark}${name}=***`,
  );
}

/** The candidate that the word is most likely a slip of the pen for, or undefined. */
export function suggest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > 64) return undefined;
  const plain = (text: string) => text.toLowerCase().replace(/[-_]/g, '');
  // Two neighbours that were swapped are two edits; a word with nothing in common is no slip.
  const maxDistance = Math.min(Math.max(2, Math.floor(word.length / 3)), word.length - 1);
  const [nearest] = candidates
    .map((candidate) => ({ candidate, distance: distance(plain(word), plain(candidate)) }))
    .sort((a, b) => a.distance - b.distance);
  return nearest !== undefined && nearest.distance <= maxDistance ? nearest.candidate : undefined;
}
