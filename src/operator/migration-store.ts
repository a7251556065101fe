// The PromMigrations of all watched namespaces as they are now: what the watches told, and what this operator's own writes answered, which
// is often sooner. Fed by operator.ts and controller.ts.

import type { PromMigration } from '../api/prom-migration.ts';
import { keyOf } from './kube/kube-objects.ts';
import type { Change } from './kube/reflector.ts';
import { Store } from './kube/store.ts';

const REMEMBERED_WRITES = 32;

export class MigrationStore {
  /** By namespace; the empty one stands for all of them. */
  readonly #stores: ReadonlyMap<string, Store<PromMigration>>;
  /** Versions that own writes have made and the watch has not told yet. */
  readonly #own = new Map<string, Set<string>>();

  constructor(namespaces: readonly string[]) {
    const watched = namespaces.length === 0 ? [''] : namespaces;
    this.#stores = new Map(watched.map((namespace) => [namespace, new Store<PromMigration>()]));
  }

  /** Namespaces to watch, each by a reflector of its own; undefined: all of them at once. */
  get namespaces(): (string | undefined)[] {
    return [...this.#stores.keys()].map((namespace) => (namespace === '' ? undefined : namespace));
  }

  /** Whether every watch has told of all that there is. */
  get synced(): boolean {
    return [...this.#stores.values()].every((store) => store.synced);
  }

  get(key: string): PromMigration | undefined {
    return this.#storeOf(key.split('/')[0])?.get(key);
  }

  list(): PromMigration[] {
    return [...this.#stores.values()].flatMap((store) => store.list());
  }

  /** What a write of this operator answered. */
  put(resource: PromMigration): void {
    const key = keyOf(resource);
    const { resourceVersion } = resource.metadata;
    if (resourceVersion !== undefined) {
      const own = this.#own.get(key) ?? new Set();
      own.add(resourceVersion);
      for (const oldest of own) {
        if (own.size <= REMEMBERED_WRITES) break;
        own.delete(oldest);
      }
      this.#own.set(key, own);
    }
    this.#storeOf(resource.metadata.namespace)?.apply({ kind: 'modified', object: resource });
  }

  /** Takes a change of the watch of `namespace` over. @returns the keys to look at; none for the echo of an own write */
  take(namespace: string | undefined, change: Change<PromMigration>): string[] {
    if (change.kind === 'modified' || change.kind === 'added') {
      // What is in the store is this very version, or one that was made of it.
      if (this.#own.get(keyOf(change.object))?.delete(change.object.metadata.resourceVersion ?? '')) return [];
    } else if (change.kind === 'deleted') this.#own.delete(keyOf(change.object));
    return this.#stores.get(namespace ?? '')?.apply(change) ?? [];
  }

  #storeOf(namespace: string | undefined): Store<PromMigration> | undefined {
    return this.#stores.get('') ?? this.#stores.get(namespace ?? '');
  }
}
