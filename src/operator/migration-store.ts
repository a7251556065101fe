// The current PromMigrations of all watched namespaces, the single source of this state. Reflectors write what the API server lists and
// watches. The responses to the operator's own writes are added, because they often arrive before the watch event.

import type { PromMigration } from '../api/prom-migration.ts';
import { keyOf, slimmed } from './kube/kube-objects.ts';
import type { Change } from './kube/reflector.ts';

type Objects = Map<string, PromMigration>;

/** A write that the watch has not shown yet. */
interface OwnWrite {
  readonly resource: PromMigration;
  /**
   * The version that the write was based on, and the versions that resulted from it, in this order. A resourceVersion is opaque: which of two is
   * newer cannot be determined. But no other version lies between these, because each write was fenced by the version before it. So an object
   * that the watch shows with another version is newer than all of them.
   */
  readonly versions: Set<string>;
}

export class MigrationStore {
  /** By namespace; the empty one stands for all namespaces. */
  readonly #watched: ReadonlyMap<string, Objects>;
  readonly #listed = new Set<string>();
  readonly #ownWrites = new Map<string, OwnWrite>();

  constructor(namespaces: readonly string[]) {
    const watched = namespaces.length === 0 ? [''] : namespaces;
    this.#watched = new Map(watched.map((namespace) => [namespace, new Map()]));
  }

  /** Namespaces to watch, each by its own reflector; undefined: all of them together. */
  get namespaces(): (string | undefined)[] {
    return [...this.#watched.keys()].map((namespace) => (namespace === '' ? undefined : namespace));
  }

  /** The objects of a namespace. Only its reflector may write to them. */
  objectsOf(namespace: string | undefined): Objects {
    const objects = this.#watched.get(namespace ?? '');
    if (objects === undefined) throw new RangeError(`no watch for ${namespace ?? 'all namespaces'}`);
    return objects;
  }

  /** Whether every namespace is listed. Before that, a missing key proves nothing. */
  get synced(): boolean {
    return this.#listed.size === this.#watched.size;
  }

  get(key: string): PromMigration | undefined {
    const seen = this.#seen(key);
    const own = this.#ownWrites.get(key);
    if (own === undefined) return seen;
    if (isAhead(own, seen)) return own.resource;
    this.#ownWrites.delete(key);
    return seen;
  }

  /** In no particular order. */
  list(): PromMigration[] {
    return [...this.#watched.values()].flatMap((objects) => [...objects.keys()].flatMap((key) => this.get(key) ?? []));
  }

  /**
   * Takes over the response to a request of this operator, unless the object has changed since: what the watch has shown meanwhile may be newer,
   * and is never overwritten.
   * @param basis the object in this store when the request was sent
   * @param passed versions that the request created on the way to `response`
   */
  put(basis: PromMigration, response: PromMigration, passed: readonly string[] = []): void {
    const key = keyOf(basis);
    const now = this.get(key);
    if (now === undefined || !isSameVersion(now, basis) || response.metadata.uid !== basis.metadata.uid) return;
    const versions = this.#ownWrites.get(key)?.versions ?? new Set([versionOf(basis)]);
    for (const version of [...passed, versionOf(response)]) versions.add(version);
    this.#ownWrites.set(key, { resource: slimmed(response), versions });
  }

  /** Handles a change that the reflector of `namespace` made. @returns the keys to reconcile; none for the echo of an own write */
  take(namespace: string | undefined, change: Change): string[] {
    switch (change.kind) {
      case 'waiting':
        return [];
      case 'synced':
        this.#listed.add(namespace ?? '');
        return [...change.keys];
      default: {
        const seen = this.#seen(change.key);
        const own = this.#ownWrites.get(change.key);
        if (seen === undefined || own === undefined || !isKnown(own, seen)) {
          this.#ownWrites.delete(change.key);
          return [change.key];
        }
        // Versions before the one that is shown will not be shown again.
        for (const version of own.versions) {
          if (version === versionOf(seen)) break;
          own.versions.delete(version);
        }
        return [];
      }
    }
  }

  #seen(key: string): PromMigration | undefined {
    const objects = this.#watched.get('') ?? this.#watched.get(key.split('/')[0] ?? '');
    return objects?.get(key);
  }
}

/** Whether the watch shows a version that the own write was based on, or has created. */
function isKnown({ resource, versions }: OwnWrite, seen: PromMigration): boolean {
  return seen.metadata.uid === resource.metadata.uid && versions.has(versionOf(seen));
}

function isAhead(own: OwnWrite, seen: PromMigration | undefined): boolean {
  return seen !== undefined && isKnown(own, seen) && !isSameVersion(own.resource, seen);
}

function isSameVersion(one: PromMigration, other: PromMigration): boolean {
  return one.metadata.uid === other.metadata.uid && versionOf(one) === versionOf(other);
}

function versionOf({ metadata }: PromMigration): string {
  return metadata.resourceVersion ?? '';
}
