// What the operator knows of a kind of resource, by key. Fed by the reflector's changes, read by controller.ts; a reconcile looks here
// for what is true now and does not care which change woke it.

import { type KubeObject, keyOf, slimmed } from './kube-objects.ts';
import type { Change } from './reflector.ts';

export class Store<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  #synced = false;

  /** Whether the first list is complete: before, a missing key says nothing. */
  get synced(): boolean {
    return this.#synced;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  /** In no order that can be relied on. */
  list(): T[] {
    return [...this.#objects.values()];
  }

  /** Takes a change over and returns the keys to look at. */
  apply(change: Change<T>): string[] {
    switch (change.kind) {
      case 'waiting':
        return [];
      case 'synced': {
        const keys = new Set(this.#objects.keys());
        this.#objects.clear();
        this.#synced = true;
        for (const object of change.items) {
          this.#objects.set(keyOf(object), slimmed(object));
          keys.add(keyOf(object));
        }
        return [...keys];
      }
      case 'deleted':
        this.#objects.delete(keyOf(change.object));
        return [keyOf(change.object)];
      default:
        this.#objects.set(keyOf(change.object), slimmed(change.object));
        return [keyOf(change.object)];
    }
  }
}
