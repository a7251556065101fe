// Maps a series' labels from the source to the labels that are written, once per series: canonical order, external labels, relabel rules.
// Without rules the label bytes pass through unchanged, and nothing is cached or decoded.

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
  /** No receiver accepts such labels, and some would silently lose the series, so it is never sent. */
  | { readonly kind: 'invalid'; readonly labels: Uint8Array; readonly problem: string };

/**
 * More than any store's limits, and more than the largest values that people use as labels: the annotations of a Kubernetes object, 256 KiB. A
 * request takes several times as much memory while it is built.
 */
export const MAX_LABELS_BYTES = 512 * 1024;

/** Longer labels would not stay in the cache for long, and the cache key is a string of the same length. */
const MAX_CACHED_BYTES = 16 * 1024;

const DROP: Route = { kind: 'drop' };
const ENTRY_OVERHEAD_BYTES = 300;
/** The start of a label entry for `__name__`, after the entry's own tag and length. */
const NAME_ENTRY = Buffer.from('\x0a\x08__name__\x12', 'latin1');

export class SeriesRouter {
  readonly #transform: LabelTransform | undefined;
  readonly #cache: LabelCache<Route>;

  /** @param cacheBytes the maximum size of the cache of relabelling results */
  constructor(plan: Pick<MigrationPlan, 'relabelings' | 'externalLabels'>, cacheBytes: number) {
    this.#transform = compileLabelTransform(plan);
    this.#cache = new LabelCache(cacheBytes);
  }

  /**
   * @param region the label entries as encoded in the response
   * @param usualHash of them, as of SeriesCursor
   * @throws WireError when they are not valid label entries
   */
  route(region: Uint8Array, usualHash = -1): Route {
    if (region.length > MAX_LABELS_BYTES) return tooLong(region);
    if (this.#transform === undefined)
      return usualHash < 0 ? routeUnchanged(region) : { kind: 'write', labels: region, hash: usualHash };
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

/** The memory that a cached route takes. */
function keptBytes(route: Route): number {
  if (route.kind === 'drop') return 0;
  return route.labels.length + (route.kind === 'invalid' ? route.problem.length : 0);
}

function routeUnchanged(region: Uint8Array): Route {
  try {
    const labels = canonicalLabels(region);
    const hash = hashAsciiLabels(labels);
    // Nearly all labels are ASCII and begin with a short metric name, so no further check is needed.
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

/** Whether `__name__` is the first label. It nearly always is, because only upper case letters sort before it. Compares bytes. */
function beginsWithName(labels: LabelBytes): boolean {
  let same = 0;
  while (same < NAME_ENTRY.length && labels[2 + same] === NAME_ENTRY[same]) same++;
  return same === NAME_ENTRY.length && labels[0] === 0x0a && (labels[1] as number) < 0x80;
}
