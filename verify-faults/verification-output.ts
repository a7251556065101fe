// Reads what `prom-migrator verify` writes: the lines of --differences. Its own reader of selectors, not the one under test. Pure.

import { bitsOf, type Label, NAN, sortLabels, STALE_MARKER } from '../test/support/series-set.ts';
import { DIFFERENCE_KINDS, type DifferenceKind } from './truth.ts';

export interface ReportedDifference {
  readonly labels: readonly Label[];
  readonly timeMs: number;
  readonly kind: DifferenceKind;
  readonly source: string | undefined;
  readonly destination: string | undefined;
  /** The reason of an expected change, which is no difference. */
  readonly expected: string | undefined;
}

/** @throws Error on a line that is not as documented */
export function parseDifference(line: string): ReportedDifference {
  const { labels, timestampMs, kind, source, destination, expected, ...others } = JSON.parse(line) as Record<
    string,
    unknown
  >;
  const known = DIFFERENCE_KINDS.find((name) => name === kind);
  if (
    typeof labels !== 'string' ||
    !Number.isSafeInteger(timestampMs) ||
    known === undefined ||
    Object.keys(others).length > 0
  )
    throw new Error(`not a difference as documented: ${line}`);
  const text = (value: unknown) => {
    if (value === undefined || value === null || typeof value === 'string') return value ?? undefined;
    throw new Error(`not a value as documented: ${line}`);
  };
  return {
    labels: parseSelector(labels),
    timeMs: timestampMs as number,
    kind: known,
    source: text(source),
    destination: text(destination),
    expected: text(expected),
  };
}

/** The labels of a selector such as `up{job="node"}` or `{"my.metric", "größe"="groß"}`, sorted. */
export function parseSelector(selector: string): Label[] {
  const tokens = selector.match(/"(?:[^"\\]|\\.)*"|[a-zA-Z_:][\w:]*|[={},]|\S/gs) ?? [];
  const labels: Label[] = [];
  const unquote = (token: string) => (token.startsWith('"') ? (JSON.parse(token) as string) : token);
  let i = 0;
  const take = (wanted: string) => {
    if (tokens[i++] !== wanted) throw new Error(`no ${wanted} where it should be: ${selector}`);
  };
  if (tokens[0] !== '{') labels.push(['__name__', tokens[i++] ?? '']);
  if (i === tokens.length) return labels;
  take('{');
  while (tokens[i] !== '}') {
    const name = unquote(tokens[i++] ?? '');
    if (tokens[i] === '=') {
      take('=');
      labels.push([name, unquote(tokens[i++] ?? '')]);
    } else labels.push(['__name__', name]);
    if (tokens[i] !== '}') take(',');
  }
  take('}');
  if (i !== tokens.length) throw new Error(`text after the labels: ${selector}`);
  return sortLabels(labels);
}

/** The bits of a float as a difference shows it, or undefined for another text, such as a histogram's. */
export function bitsOfText(text: string): bigint | undefined {
  if (text === 'stale marker') return STALE_MARKER;
  const payload = /^NaN 0x([0-9a-f]{16})$/.exec(text)?.[1];
  if (payload !== undefined) return BigInt(`0x${payload}`);
  if (text === 'NaN') return NAN;
  const word = text.replace(/^\+?(-?)Inf(inity)?$/, '$1Infinity');
  const value = Number(word);
  return word === '' || Number.isNaN(value) ? undefined : bitsOf(value);
}
