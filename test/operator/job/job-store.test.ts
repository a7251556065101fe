import assert from 'node:assert/strict';
import { MIGRATION_LABEL } from '../../../src/operator/job/job-names.ts';
import type { Job, Pod } from '../../../src/operator/job/job-objects.ts';
import { JobStore } from '../../../src/operator/job/job-store.ts';
import type { KubeObject } from '../../../src/operator/kube/kube-objects.ts';
import { migrationOf, nowMs } from '../support/migrations.ts';

const migration = migrationOf();

function jobOf(name: string, uid = 'uid-copy', created = '2025-06-01T12:00:00Z'): Job {
  const owner = { apiVersion: 'prom-migrator.io/v1alpha1', kind: 'PromMigration', name: 'copy', uid, controller: true };
  return {
    metadata: { name, namespace: 'team', uid: `uid-${name}`, creationTimestamp: created, ownerReferences: [owner] },
    spec: { completions: 4, parallelism: 2 },
  };
}

function podOf(job: string, phase: string, name = `${job}-0`): Pod {
  const owner = { apiVersion: 'batch/v1', kind: 'Job', name: job, uid: `uid-${job}`, controller: true };
  const labels = { [MIGRATION_LABEL]: 'copy', 'batch.kubernetes.io/job-name': job };
  return { metadata: { name, namespace: 'team', labels, ownerReferences: [owner] }, status: { phase } };
}

class World {
  readonly store = new JobStore([undefined]);
  readonly #objects = new Map(this.store.watches.map(({ kind, objects }) => [kind, objects]));

  put(kind: 'jobs' | 'pods', object: KubeObject): string[] {
    const key = `team/${object.metadata.name}`;
    this.#of(kind).set(key, object);
    return this.store.take(this.#of(kind), { kind: 'modified', key });
  }

  remove(kind: 'jobs' | 'pods', name: string): string[] {
    this.#of(kind).delete(`team/${name}`);
    return this.store.take(this.#of(kind), { kind: 'deleted', key: `team/${name}` });
  }

  list(kind: 'jobs' | 'pods'): void {
    this.store.take(this.#of(kind), { kind: 'synced', keys: [...this.#of(kind).keys()] });
  }

  permit(kind: 'jobs' | 'pods', isPermitted: boolean): boolean {
    return this.store.permit(this.#of(kind), isPermitted);
  }

  #of(kind: 'jobs' | 'pods') {
    const objects = this.#objects.get(kind);
    assert.ok(objects);
    return objects;
  }
}

describe('the Jobs that the operator knows', () => {
  it('are complete when Jobs and pods are listed', () => {
    const world = new World();
    world.list('jobs');
    assert.equal(world.store.synced, false);
    world.list('pods');
    assert.equal(world.store.synced, true);
  });

  it('are not waited for where the operator has no right on them', () => {
    const world = new World();
    world.list('jobs');
    assert.equal(world.permit('pods', false), true);
    assert.equal(world.permit('pods', false), false, 'it is reported once');
    assert.equal(world.store.synced, true);
    assert.equal(world.store.isPermitted('team'), false);
    assert.equal(world.permit('pods', true), true);
    assert.equal(world.store.isPermitted('team'), false, 'not before they are listed');
    world.list('pods');
    assert.equal(world.store.isPermitted('team'), true);
    world.permit('jobs', false);
    assert.equal(world.store.isPermitted('team'), false);
  });

  it('are known in some of the watched namespaces', () => {
    const store = new JobStore(['team', 'other']);
    for (const { objects, namespace } of store.watches) {
      if (namespace === 'team') store.take(objects, { kind: 'synced', keys: [] });
      else store.permit(objects, false);
    }
    assert.equal(store.synced, true);
    assert.equal(store.isPermitted('team'), true);
    assert.equal(store.isPermitted('other'), false);
  });

  it('are those of exactly one object, the oldest first', () => {
    const world = new World();
    world.put('jobs', jobOf('b', 'uid-copy', '2025-06-01T12:01:00Z'));
    world.put('jobs', jobOf('a', 'uid-copy', '2025-06-01T12:02:00Z'));
    world.put('jobs', jobOf('c', 'uid-of-an-earlier-one'));
    assert.deepEqual(
      world.store.factsOf(migration, nowMs).map(({ name }) => name),
      ['b', 'a'],
    );
  });

  it('wake their migration, also by their pods and when they are gone', () => {
    const world = new World();
    assert.deepEqual(world.put('jobs', jobOf('a')), ['team/copy']);
    assert.deepEqual(world.put('pods', podOf('a', 'Running')), ['team/copy']);
    assert.deepEqual(world.remove('jobs', 'a'), ['team/copy']);
    assert.deepEqual(world.put('pods', podOf('a', 'Running')), []);
  });

  it('leave pods behind that still write, after their deletion or that of an earlier migration', () => {
    const world = new World();
    assert.equal(world.store.hasStrayPods(migration), false);
    world.put('jobs', jobOf('a'));
    world.put('pods', podOf('a', 'Running'));
    assert.equal(world.store.hasStrayPods(migration), false, 'of its own Job');
    world.remove('jobs', 'a');
    assert.equal(world.store.hasStrayPods(migration), true);
    world.put('pods', podOf('a', 'Failed'));
    assert.equal(world.store.hasStrayPods(migration), false);
    world.put('jobs', jobOf('b', 'uid-of-an-earlier-one'));
    world.put('pods', podOf('b', 'Pending'));
    assert.equal(world.store.hasStrayPods(migration), true);
    world.remove('pods', 'b-0');
    assert.equal(world.store.hasStrayPods(migration), false);
  });
});
