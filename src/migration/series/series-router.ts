// From a series' labels as the source gave them to the labels that are written, decided once a series: canonical order, external labels,
// relabel rules. Without rules the label bytes go through untouched and nothing is cached or decoded.

import { WireError } from '../../wire/errors.ts';
import { labelBytesProblem } from '../../wire/label-problem.ts';
import { canonicalLabels, decodeLabels, encodeLabels, type LabelBytes } from '../../wire/labels.ts';
import { hashAsciiLabels, hashLabels, labelKey } from '../../wire/label-hash.ts';
import { LabelCache } from './label-cache.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import { compileLabelTransform, type LabelTransform, labelProblem } from './relabel.ts';

export type Route =
  | { readonly kind: 'write'; readonly labels: LabelBytes; readonly hash: number }
  /** A relabel rule dropped the series. */
  | { readonly kind: 'drop' }
  /** No receiver takes such labels, and some would lose the series without a word: it is never sent. */
  | { readonly kind: 'invalid'; readonly labels: Uint8Array; readonly problem: string };

/**
 * More than any store's limits, and than the largest values that people make labels of: the annotations of a Kubernetes object, 256 KiB. A
 * request is built in memory several times as large.
 */
export const MAX_LABELS_BYTES = 512 * 1024;

/** More than this would not stay in the cache for long, and a key is a string as long. */
const MAX_CACHED_BYTES = 16 * 1024;

const DROP: Route = { kind: 'drop' };
const ENTRY_OVERHEAD_BYTES = 300;
/** A name's entry behind its own tag and length. */
const NAME_ENTRY = Buffer.from('\x0a\x08__name__\x12', 'latin1');

export class SeriesRouter {
  readonly #transform: LabelTransform | undefined;
  readonly #cache: LabelCache<Route>;

  /** @param cacheBytes bound of what is remembered of earlier series' relabelling */
  constructor(plan: Pick<MigrationPlan, 'relabelings' | 'externalLabels'>, cacheBytes: number) {
    this.#transform = compileLabelTransform(plan);
    this.#cache = new LabelCache(cacheBytes);
  }

  /** Whether two series of the source may become one. */
  get merges(): boolean {
    return this.#transform !== undefined;
  }

  /**
   * @param region the label entries as they stand in the response
   * @throws WireError when they are no labels at all
   */
  route(region: Uint8Array): Route {
    if (region.length > MAX_LABELS_BYTES) return tooLong(region);
    if (this.#transform === undefined) return routeUnchanged(region);
    if (region.length > MAX_CACHED_BYTES) return this.#relabel(region, this.#transform);
    const key = labelKey(region);
    const known = this.#cache.get(key);
    if (known !== undefined) return known;
    const route = this.#relabel(region, this.#transform);
    this.#cache.set(key, route, key.length + ENTRY_OVERHEAD_BYTES + keptBytes(route));
    return route;
  }

  #relabel(region: Uint8Array, transform: LabelTransform): Route {
    try {
      const pairs = transform(decodeLabels(canonicalLabels(region)));
      if (pairs === undefined) return DROP;
      const problem = labelProblem(pairs);
      if (problem !== undefined) return { kind: 'invalid', labels: encodeLabels(pairs), problem };
      const labels = encodeLabels(pairs);
      if (labels.length > MAX_LABELS_BYTES) return tooLong(labels);
      return { kind: 'write', labels, hash: hashLabels(labels) };
    } catch (error) {
      if (error instanceof WireError && error.code === 'invalid-labels')
        return { kind: 'invalid', labels: region.slice(), problem: error.message };
      throw error;
    }
  }
}

function tooLong(labels: Uint8Array): Route {
  const problem = `its labels take ${labels.length} bytes; at most ${MAX_LABELS_BYTES} are copied`;
  return { kind: 'invalid', labels, problem };
}

/** Of the memory that a remembered route holds. */
function keptBytes(route: Route): number {
  if (route.kind === 'drop') return 0;
  return route.labels.length + (route.kind === 'invalid' ? route.problem.length : 0);
}

function routeUnchanged(region: Uint8Array): Route {
  try {
    const labels = canonicalLabels(region);
    const hash = hashAsciiLabels(labels);
    // Nearly all labels are ASCII and begin with a short metric name: nothing more has to be looked at.
    if (hash >= 0 && beginsWithName(labels)) return { kind: 'write', labels, hash };
    const problem = labelBytesProblem(labels);
    if (problem !== undefined) return { kind: 'invalid', labels, problem };
    return { kind: 'write', labels, hash: hash < 0 ? -1 - hash : hash };
  } catch (error) {
    if (error instanceof WireError && error.code === 'invalid-labels')
      return { kind: 'invalid', labels: region, problem: error.message };
    throw error;
  }
}

/** Whether `__name__` is the first label, as it nearly always is (only upper case letters sort before it), found by its bytes. */
function beginsWithName(labels: LabelBytes): boolean {
  let same = 0;
  while (same < NAME_ENTRY.length && labels[2 + same] === NAME_ENTRY[same]) same++;
  return same === NAME_ENTRY.length && labels[0] === 0x0a && (labels[1] as number) < 0x80;
}
