// Keeps a map of the objects of a collection up to date, with a list and then a watch from there, until the signal is aborted. Reports the
// changed keys, as client-go does. It recovers from every fault of the API server. docs/adr explains why it is not client-node's informer.

import { backoffMs, fullJitter } from '../../telemetry/backoff.ts';
import type { Clock } from '../../telemetry/clock.ts';
import { Deadline } from '../../telemetry/deadline.ts';
import type { KubeClient } from './kube-client.ts';
import {
  isExpired,
  isForbidden,
  isNotFound,
  KubeConnectionError,
  messageOf,
  retryAfterOf,
  watchError,
} from './kube-errors.ts';
import { type KubeList, type KubeObject, keyOf, slimmed, type WatchEvent } from './kube-objects.ts';

/** A change in the map of objects. The map already contains it. */
export type Change =
  /** Once, when the first list is complete. Every later list is reported as the changes that the watch missed. */
  | { readonly kind: 'synced'; readonly keys: readonly string[] }
  | { readonly kind: 'added' | 'modified' | 'deleted'; readonly key: string }
  /** A list or watch failed and will be retried. Reported each time, for the log. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly isForbidden: boolean };

export interface ReflectOptions<T> {
  readonly client: KubeClient;
  /** The objects by key, reduced by `slimmed`. Only the reflector writes to this map. */
  readonly objects: Map<string, T>;
  /** Of the collection; see resourcePath. */
  readonly path: string;
  /** `labelSelector`, `fieldSelector`; if unset, all objects. */
  readonly selected?: Readonly<Record<string, string>>;
  /** Makes what is kept of an object. */
  readonly reduce?: (object: T) => T;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Objects per response; default 500. */
  readonly pageSize?: number;
  /** Longest time between two lists; default 10 minutes. */
  readonly relistMs?: number;
  /** A watch without any event for this long is aborted; default 90 s, well above the minute between two bookmarks. */
  readonly inactivityMs?: number;
  /** The number of changes that only the regular list found, if there were any: a sign that watches lose events. */
  readonly onRelistMiss?: (changes: number) => void;
  /** The API server sent something: a page, an event, a bookmark, the end of a watch. */
  readonly onActivity?: () => void;
}

const LIST_TIMEOUT_MS = 60_000;
const HEALTHY_MS = 60_000;
const SHORTEST_WATCH_MS = 1_000;
const MISSING_RESOURCE_DELAY_MS = 10_000;

/**
 * Ends when the signal is aborted, and never throws. A consumer that stops early has to abort the signal too: until then a request without a
 * response keeps the generator waiting.
 *
 * While the resource itself is unknown (404: its CRD is not installed, or was removed) nothing is reported as deleted, because an API server
 * that starts up responds in the same way.
 */
export async function* reflect<T extends KubeObject>(
  options: ReflectOptions<T>,
): AsyncGenerator<Change, void, undefined> {
  const { clock, random, signal } = options;
  const reflection = new Reflection<T>(options);
  let failures = 0;
  while (!signal.aborted) {
    let failure: unknown;
    try {
      if (reflection.mustList()) yield* reflection.list();
      yield* reflection.watch();
      continue;
    } catch (error) {
      failure = error;
    }
    if (signal.aborted) return;
    failures = reflection.takeHealthyMs() >= HEALTHY_MS ? 1 : failures + 1;
    // The next list reports all changes since. The first time it follows immediately, because every quiet watch expires like this. A server
    // whose own lists are too old must not be flooded with requests.
    const goneStale = isExpired(failure) && failures === 1;
    const delayMs = goneStale ? 0 : reconnectDelayMs(failures, random, failure);
    reflection.failed(failure, failures);
    if (goneStale) continue;
    yield { kind: 'waiting', reason: describe(failure, options.path, delayMs), isForbidden: isForbidden(failure) };
    try {
      await clock.sleep(delayMs, signal);
    } catch {
      return;
    }
  }
}

/**
 * Milliseconds until the next attempt after `failures` in a row (from 1): full jitter between 0.5 s and a limit that doubles from 1 s to 30 s;
 * not before the server's Retry-After; at most 10 s while the resource does not exist, because its CRD is probably being installed.
 */
export function reconnectDelayMs(failures: number, random: () => number, failure?: unknown): number {
  const longestMs = isNotFound(failure) ? MISSING_RESOURCE_DELAY_MS : 30_000;
  const jitteredMs = fullJitter(backoffMs({ firstMs: 1_000, maxMs: longestMs }, failures), random, 500);
  const retryAfterMs = retryAfterOf(failure);
  return retryAfterMs > 0 ? Math.max(retryAfterMs + fullJitter(500, random), jitteredMs) : jitteredMs;
}

function describe(failure: unknown, path: string, delayMs: number): string {
  const again = `retrying in ${(delayMs / 1000).toFixed(1)} s`;
  if (isNotFound(failure)) return `${path} does not exist on the API server (is the CRD installed?); ${again}`;
  return `${messageOf(failure)}; ${again}`;
}

/** The regular list is due. Not a failure. */
class RelistDue extends Error {}

class Reflection<T extends KubeObject> {
  readonly #options: ReflectOptions<T>;
  readonly #objects: Map<string, T>;
  #synced = false;
  /** The version from which the next watch continues; undefined: list first. */
  #version: string | undefined;
  #listedAtMs = 0;
  #healthySinceMs: number | undefined;
  #heardAtMs = 0;
  #heard = 0;
  /** The last list was due by time alone, so a watch that looked healthy missed the changes that this list finds. */
  #regular = false;

  constructor(options: ReflectOptions<T>) {
    this.#options = options;
    this.#objects = options.objects;
  }

  mustList(): boolean {
    return this.#version === undefined;
  }

  /** How long the server was healthy, from the first success after the last failure until its last response. */
  takeHealthyMs(): number {
    const healthy = this.#healthySinceMs === undefined ? 0 : this.#heardAtMs - this.#healthySinceMs;
    this.#healthySinceMs = undefined;
    return healthy;
  }

  /** After one failure, a watch can continue from its version. After silence or a second failure, the version is not trusted. */
  failed(failure: unknown, failures: number): void {
    const silent = failure instanceof KubeConnectionError && failure.failure === 'SILENT';
    if (silent || isExpired(failure) || failures > 1) this.#version = undefined;
  }

  get #selected(): Record<string, string> {
    return { ...this.#options.selected };
  }

  #reduced(object: T): T {
    const { reduce = (kept) => kept } = this.#options;
    return reduce(slimmed(object));
  }

  async *list(): AsyncGenerator<Change, void, undefined> {
    const { items, version } = await this.#pages();
    const changes = [...this.#difference(items)];
    this.#listedAtMs = this.#options.clock.monotonicMs();
    this.#version = version;
    const regular = this.#regular;
    this.#regular = false;
    if (!this.#synced) {
      this.#synced = true;
      yield { kind: 'synced', keys: [...this.#objects.keys()] };
      return;
    }
    if (regular && changes.length > 0) this.#options.onRelistMiss?.(changes.length);
    yield* changes;
  }

  async #pages(): Promise<{ items: T[]; version: string }> {
    const { client, path, signal, pageSize = 500 } = this.#options;
    const items: T[] = [];
    const selected = this.#selected;
    let query: Record<string, string> = { ...selected, limit: String(pageSize) };
    while (true) {
      let page: KubeList<T>;
      try {
        page = await client.get<KubeList<T>>(path, { query, signal, timeoutMs: LIST_TIMEOUT_MS });
      } catch (error) {
        // The snapshot of the pages was compacted between two of them. A list in one piece cannot fail this way.
        if (!isExpired(error) || query['continue'] === undefined) throw error;
        items.length = 0;
        query = selected;
        continue;
      }
      this.#activity();
      for (const item of page.items ?? []) items.push(this.#reduced(item));
      const token = page.metadata?.continue ?? '';
      if (token === '') return { items, version: page.metadata?.resourceVersion ?? '' };
      query = { ...selected, limit: String(pageSize), continue: token };
    }
  }

  /** Takes over the list, and reports the differences from the known objects. */
  *#difference(items: readonly T[]): Generator<Change, void, undefined> {
    const gone = new Map(this.#objects);
    for (const item of items) {
      gone.delete(keyOf(item));
      yield* this.#upsert(item);
    }
    for (const key of gone.keys()) {
      this.#objects.delete(key);
      yield { kind: 'deleted', key };
    }
  }

  *#upsert(object: T): Generator<Change, void, undefined> {
    const key = keyOf(object);
    const before = this.#objects.get(key);
    const { uid, resourceVersion } = object.metadata;
    if (before !== undefined && before.metadata.uid === uid && before.metadata.resourceVersion === resourceVersion)
      return;
    this.#objects.set(key, object);
    if (before === undefined) yield { kind: 'added', key };
    else if (before.metadata.uid === uid) yield { kind: 'modified', key };
    else {
      // Deleted and created again while no watch was running.
      yield { kind: 'deleted', key };
      yield { kind: 'added', key };
    }
  }

  /** One watch. Returns when another one may follow immediately; otherwise throws what ended it. */
  async *watch(): AsyncGenerator<Change, void, undefined> {
    const { client, path, clock, random, signal, relistMs = 600_000, inactivityMs = 90_000 } = this.#options;
    const query = {
      ...this.#selected,
      resourceVersion: this.#version ?? '',
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(300 + Math.floor(random() * 300)),
    };
    using attempt = new Deadline(signal);
    attempt.start(clock, Math.max(0, this.#listedAtMs + relistMs - clock.monotonicMs()), new RelistDue());
    this.#abortWhenSilent(inactivityMs, attempt).catch(ignore);
    const startMs = clock.monotonicMs();
    const heardBefore = this.#heard;
    try {
      for await (const event of client.watch(path, query, attempt.signal)) {
        this.#activity();
        yield* this.#take(event);
      }
      const quick = clock.monotonicMs() - startMs < SHORTEST_WATCH_MS && this.#heard === heardBefore;
      if (quick)
        throw new KubeConnectionError('CUT_OFF', 'the API server ended the watch immediately after it started');
      this.#activity();
    } catch (error) {
      if (!(error instanceof RelistDue)) throw error;
      this.#version = undefined;
      this.#regular = true;
    }
  }

  *#take({ type, object }: WatchEvent): Generator<Change, void, undefined> {
    if (type === 'ERROR') throw watchError(object);
    const seen = object as T;
    const version = (seen as Partial<T> | null)?.metadata?.resourceVersion;
    if (version === undefined)
      throw new KubeConnectionError('NOT_JSON', 'the watch sent an event without a resourceVersion');
    if (type === 'ADDED' || type === 'MODIFIED') yield* this.#upsert(this.#reduced(seen));
    if (type === 'DELETED') {
      const key = keyOf(seen);
      if (this.#objects.get(key)?.metadata.uid === seen.metadata.uid) {
        this.#objects.delete(key);
        yield { kind: 'deleted', key };
      }
    }
    this.#version = version;
  }

  #activity(): void {
    const now = this.#options.clock.monotonicMs();
    this.#heard += 1;
    this.#heardAtMs = now;
    this.#healthySinceMs ??= now;
    this.#options.onActivity?.();
  }

  // In short sleeps: for a process that was suspended for a while, the elapsed time is not silence.
  async #abortWhenSilent(inactivityMs: number, attempt: AbortController): Promise<void> {
    const steps = 6;
    let heard = this.#heard;
    for (let quiet = 0; quiet < steps; ) {
      await this.#options.clock.sleep(inactivityMs / steps, attempt.signal);
      quiet = heard === this.#heard ? quiet + 1 : 0;
      heard = this.#heard;
    }
    const message = `the watch has received nothing for ${inactivityMs / 1000} s`;
    attempt.abort(new KubeConnectionError('SILENT', message));
  }
}

function ignore(): void {}
