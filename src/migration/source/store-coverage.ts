// What a Thanos component covers, and whether it still covers what it did. A component that asks others, such as a Query, leaves out those that
// it cannot reach, without an error: a response without their samples looks complete. Pure.

import type { Matcher } from '../../wire/messages.ts';
import type { StoredData, StoreInfo, StoreLabels } from '../../wire/store-api/info-response.ts';

/** Half open. */
interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

interface Covered {
  readonly labels: StoreLabels;
  /** In the order of time, without overlaps. */
  readonly ranges: readonly Range[];
}

type Query = Range & { readonly matchers: readonly Matcher[] };

/** Go's limits of an int64, as numbers. A Query without stores reports them; no component with data does. */
const EARLIEST_MS = -(2 ** 63);
const LATEST_MS = 2 ** 63;
/** The end of a block is exclusive, but some components report it as the last millisecond. */
const END_MS = 1;

export class StoreCoverage {
  /** Everything that was covered so far, by external labels. */
  #known = new Map<string, Covered>();
  #read: Range | undefined;

  /**
   * Looks at what the component says after a response.
   * @returns what the response may lack; undefined if it is complete as far as this can be known
   */
  missing(info: StoreInfo, query: Query): string | undefined {
    const absent = absentStores(info);
    if (absent !== undefined) return absent;
    const now = coverageOf(info);
    for (const [key, { labels, ranges }] of this.#known) {
      if (!mayMatch(labels, query.matchers)) continue;
      const left = without(within(ranges, query), now.get(key)?.ranges ?? []);
      const [first] = left;
      const last = left.at(-1);
      if (first !== undefined && last !== undefined)
        return `it no longer covers ${textOf(first.fromMs)} to ${textOf(last.toMs)} of ${key}, as it did before`;
    }
    return undefined;
  }

  /** The external labels that are known now. */
  get keys(): ReadonlySet<string> {
    return new Set(this.#known.keys());
  }

  /**
   * What has appeared while a query was answered: its response may lack the samples of a part of the component.
   * @param known the external labels that were known when it was sent
   */
  appeared(info: StoreInfo, query: Query, known: ReadonlySet<string>): string | undefined {
    for (const [key, { labels, ranges }] of coverageOf(info)) {
      if (known.has(key) || !mayMatch(labels, query.matchers) || within(ranges, query).length === 0) continue;
      return `the store with the external labels ${key} was not there yet when the query was sent`;
    }
    return undefined;
  }

  /**
   * Adds what the component says.
   * @returns the external labels that it did not know when an earlier range was read that they have data in
   */
  learn(info: StoreInfo): readonly string[] {
    const late: string[] = [];
    for (const [key, { labels, ranges }] of coverageOf(info)) {
      const known = this.#known.get(key)?.ranges ?? [];
      const read = this.#read;
      if (read !== undefined && without(within(ranges, read), known).length > 0) late.push(key);
      this.#known.set(key, { labels, ranges: joined([...known, ...ranges]) });
    }
    return late;
  }

  /** A range was read completely. */
  wasRead({ fromMs, toMs }: Range): void {
    const read = this.#read ?? { fromMs, toMs };
    this.#read = { fromMs: Math.min(read.fromMs, fromMs), toMs: Math.max(read.toMs, toMs) };
  }
}

/** Why the component has no data at present although it is there to serve some. */
export function absentStores({ component, range, labelSets, stored }: StoreInfo): string | undefined {
  if (range === undefined) return 'it serves no StoreAPI at present';
  if (component !== 'query' || labelSets.length > 0 || stored.length > 0) return undefined;
  const { minMs, maxMs } = range;
  const isEmpty = (minMs === EARLIEST_MS && maxMs >= LATEST_MS - 1) || (minMs === 0 && maxMs === 0);
  return isEmpty ? 'it has no stores' : undefined;
}

function coverageOf({ range, labelSets, stored }: StoreInfo): Map<string, Covered> {
  const sets = labelSets.length === 0 ? [[]] : labelSets;
  const known: readonly StoredData[] =
    stored.length > 0 || range === undefined ? stored : sets.map((labels) => ({ labels, ...range }));
  const covered = new Map<string, { readonly labels: StoreLabels; readonly ranges: Range[] }>();
  for (const { labels, minMs, maxMs } of known) {
    // A component without data may report a range that ends before it begins.
    if (minMs > maxMs) continue;
    const key = `{${labels.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', ')}}`;
    const one = { fromMs: minMs, toMs: maxMs + 1 };
    const same = covered.get(key);
    if (same === undefined) covered.set(key, { labels, ranges: [one] });
    else same.ranges.push(one);
  }
  return new Map([...covered].map(([key, { labels, ranges }]) => [key, { labels, ranges: joined(ranges) }]));
}

/** Whether series with these external labels can match. What a regular expression says is not looked at. */
function mayMatch(labels: StoreLabels, matchers: readonly Matcher[]): boolean {
  return labels.every(([name, value]) =>
    matchers.every((matcher) => {
      if (matcher.name !== name) return true;
      if (matcher.kind === '=') return matcher.value === value;
      return matcher.kind !== '!=' || matcher.value !== value;
    }),
  );
}

function joined(ranges: readonly Range[]): Range[] {
  const sorted = [...ranges].sort((a, b) => a.fromMs - b.fromMs);
  const result: Range[] = [];
  for (const { fromMs, toMs } of sorted) {
    const last = result.at(-1);
    if (last === undefined || fromMs > last.toMs + END_MS) result.push({ fromMs, toMs });
    else if (toMs > last.toMs) result[result.length - 1] = { fromMs: last.fromMs, toMs };
  }
  return result;
}

function within(ranges: readonly Range[], { fromMs, toMs }: Range): Range[] {
  return ranges
    .map((range) => ({ fromMs: Math.max(range.fromMs, fromMs), toMs: Math.min(range.toMs, toMs) }))
    .filter((range) => range.fromMs < range.toMs);
}

/** What of `ranges` is outside of `others`, which are in the order of time. */
function without(ranges: readonly Range[], others: readonly Range[]): Range[] {
  return ranges
    .flatMap(({ fromMs, toMs }) => {
      const left: Range[] = [];
      let at = fromMs;
      for (const other of others) {
        if (other.toMs <= at || other.fromMs >= toMs) continue;
        if (other.fromMs > at) left.push({ fromMs: at, toMs: other.fromMs });
        at = other.toMs;
      }
      return at < toMs ? [...left, { fromMs: at, toMs }] : left;
    })
    .filter(({ fromMs, toMs }) => toMs - fromMs > END_MS);
}

function textOf(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? (ms < 0 ? 'the earliest time' : 'the latest time') : date.toISOString();
}
