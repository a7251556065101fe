import assert from 'node:assert/strict';
import type { PromMigration } from '../../src/api/prom-migration.ts';
import { MigrationStore } from '../../src/operator/migration-store.ts';
import { migrationOf } from './support/migrations.ts';

const key = 'team/copy';

/** Versions in the order in which the API server assigned them. They are opaque to the store: no sorting reveals the order. */
const opaque = ['x7', 'a3', 'q9', 'b1', 'z0', 'c4'];
function version(number: number, fields: { uid?: string } = {}): PromMigration {
  return migrationOf({ resourceVersion: opaque[number]!, ...fields });
}

class Scene {
  readonly store = new MigrationStore([]);

  /** The watch shows this version. */
  watch(resource: PromMigration): string[] {
    this.store.objectsOf(undefined).set(key, resource);
    return this.store.take(undefined, { kind: 'modified', key });
  }

  delete(): string[] {
    this.store.objectsOf(undefined).delete(key);
    return this.store.take(undefined, { kind: 'deleted', key });
  }

  /** The version that the store contains. */
  get holds(): number {
    return opaque.indexOf(this.store.get(key)?.metadata.resourceVersion ?? 'none');
  }
}

describe('the migration store', () => {
  it('contains what the watch shows, and returns the keys to reconcile', () => {
    const scene = new Scene();
    assert.deepEqual(scene.watch(version(0)), [key]);
    assert.equal(scene.holds, 0);
    assert.deepEqual(scene.watch(version(1)), [key]);
    assert.equal(scene.holds, 1);
    assert.deepEqual(scene.store.list().length, 1);
    assert.deepEqual(scene.delete(), [key]);
    assert.deepEqual([scene.holds, scene.store.list().length], [-1, 0]);
  });

  it('contains its own write before the watch shows it, and ignores its echo', () => {
    const scene = new Scene();
    scene.watch(version(0));
    scene.store.put(version(0), version(1));
    assert.equal(scene.holds, 1);
    assert.deepEqual(scene.watch(version(1)), []);
    assert.equal(scene.holds, 1);
  });

  it('stays ahead of a watch that shows its own writes one by one', () => {
    const scene = new Scene();
    scene.watch(version(0));
    scene.store.put(version(0), version(1));
    scene.store.put(version(1), version(3), [opaque[2]!]);
    for (const shown of [1, 2, 3]) {
      assert.deepEqual(scene.watch(version(shown)), []);
      assert.equal(scene.holds, 3);
    }
    assert.deepEqual(scene.watch(version(4)), [key]);
    assert.equal(scene.holds, 4);
  });

  it('does not replace a newer edit with the late response to a write', () => {
    const scene = new Scene();
    scene.watch(version(0));
    // The API server assigned 1 to the write, and 2 to an edit; the response to the write arrives last.
    scene.watch(version(1));
    assert.deepEqual(scene.watch(version(2)), [key]);
    scene.store.put(version(0), version(1));
    assert.equal(scene.holds, 2);
    assert.deepEqual(scene.watch(version(3)), [key]);
    assert.equal(scene.holds, 3);
  });

  it('is replaced by an edit that follows its own write', () => {
    const scene = new Scene();
    scene.watch(version(0));
    scene.store.put(version(0), version(1));
    assert.deepEqual(scene.watch(version(2)), [key], 'the watch has left 1 out, as a new list does');
    assert.equal(scene.holds, 2);
  });

  it('ends with the last object of the watch, whatever a read had shown before', () => {
    const scene = new Scene();
    scene.watch(version(0));
    // A read after a conflict: 1 and 2 are edits by others.
    scene.store.put(version(0), version(2));
    assert.equal(scene.holds, 2);
    scene.watch(version(1));
    assert.deepEqual(scene.watch(version(2)), [key]);
    assert.equal(scene.holds, 2);
  });

  it('drops a write to an object that was deleted or replaced by another of the same name', () => {
    const scene = new Scene();
    scene.watch(version(0));
    scene.store.put(version(0), version(1));
    scene.delete();
    assert.equal(scene.holds, -1);
    scene.store.put(version(1), version(2));
    assert.equal(scene.holds, -1);
    scene.watch(version(3, { uid: 'another' }));
    scene.store.put(version(3), version(4));
    assert.equal(scene.holds, 3);
  });

  it('drops managedFields from responses', () => {
    const scene = new Scene();
    scene.watch(version(0));
    const { metadata, ...rest } = version(1);
    scene.store.put(version(0), { ...rest, metadata: { ...metadata, managedFields: [{}] } as typeof metadata });
    assert.ok(!('managedFields' in (scene.store.get(key)?.metadata ?? {})));
  });

  it('is synced when every namespace is listed', () => {
    const store = new MigrationStore(['team', 'other']);
    assert.deepEqual(store.namespaces, ['team', 'other']);
    store.objectsOf('team').set(key, version(0));
    assert.deepEqual(store.take('team', { kind: 'synced', keys: [key] }), [key]);
    assert.equal(store.synced, false);
    assert.deepEqual(store.take('other', { kind: 'waiting', reason: 'no CRD', isForbidden: false }), []);
    store.take('other', { kind: 'synced', keys: [] });
    assert.equal(store.synced, true);
    assert.equal(store.get(key)?.metadata.name, 'copy');
    assert.throws(() => store.objectsOf('elsewhere'), RangeError);
  });
});
