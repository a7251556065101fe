import assert from 'node:assert/strict';
import type { PromMigration } from '../../src/api/prom-migration.ts';
import type { PromMigrationStatus } from '../../src/api/prom-migration-status.ts';
import { KubeApiError } from '../../src/operator/kube/kube-errors.ts';
import { migrationPath, StatusWriter } from '../../src/operator/status-writer.ts';
import { ManualClock } from './support/manual-clock.ts';
import { migrationOf } from './support/migrations.ts';

interface Sent {
  readonly method: 'apply' | 'patch';
  readonly path: string;
  readonly body: unknown;
  readonly settings: unknown;
}

function writerWith(response: () => unknown = () => migrationOf({ resourceVersion: '11', status: {} })) {
  const clock = new ManualClock();
  const requests: Sent[] = [];
  const results: string[] = [];
  const client = {
    apply<T>(path: string, body: unknown, settings: unknown): Promise<T> {
      requests.push({ method: 'apply', path, body, settings });
      return Promise.resolve().then(() => response() as T);
    },
    patch<T>(path: string, body: unknown, settings: unknown): Promise<T> {
      requests.push({ method: 'patch', path, body, settings });
      return Promise.resolve(migrationOf({ resourceVersion: '12' }) as T);
    },
  };
  const writer = new StatusWriter({ client, clock, onWrite: (result) => results.push(result) });
  return { writer, clock, requests, results };
}

const running: PromMigrationStatus = { phase: 'Running', progress: { samplesRead: 1 } };
const further: PromMigrationStatus = { phase: 'Running', progress: { samplesRead: 2 } };
const resource = migrationOf({ name: 'copy', resourceVersion: '10', status: running });

describe('the status writer', () => {
  it('applies the whole status as one field manager, with uid and resourceVersion as preconditions', async () => {
    const { writer, requests, results } = writerWith();
    const result = await writer.write(resource, { phase: 'Succeeded' });
    assert.equal(result.kind, 'written');
    assert.deepEqual(requests, [
      {
        method: 'apply',
        path: '/apis/prom-migrator.io/v1alpha1/namespaces/team/prommigrations/copy/status',
        body: {
          apiVersion: 'prom-migrator.io/v1alpha1',
          kind: 'PromMigration',
          metadata: { name: 'copy', namespace: 'team', uid: 'uid-copy', resourceVersion: '10' },
          status: { phase: 'Succeeded' },
        },
        settings: { fieldManager: 'prom-migrator', force: true },
      },
    ]);
    assert.deepEqual(results, ['success']);
  });

  const statusPath = '/apis/prom-migrator.io/v1alpha1/namespaces/team/prommigrations/copy/status';
  const forged: PromMigrationStatus = { phase: 'Succeeded', completionTime: '2025-01-01T00:00:00Z' };

  it('removes foreign fields before it writes its own status, never afterwards', async () => {
    const { writer, requests, results } = writerWith(() =>
      migrationOf({ resourceVersion: '11', status: { phase: 'Running' } }),
    );
    const edited = migrationOf({ resourceVersion: '10', status: forged, statusManager: 'kubectl-edit' });
    const result = await writer.write(edited, { phase: 'Running' });
    assert.deepEqual(
      requests.map(({ method, path, body }) => ({ method, path, body })),
      [
        {
          method: 'patch',
          path: statusPath,
          body: { metadata: { uid: 'uid-copy', resourceVersion: '10' }, status: { completionTime: null } },
        },
        {
          method: 'apply',
          path: statusPath,
          body: {
            apiVersion: 'prom-migrator.io/v1alpha1',
            kind: 'PromMigration',
            metadata: { name: 'copy', namespace: 'team', uid: 'uid-copy', resourceVersion: '12' },
            status: { phase: 'Running' },
          },
        },
      ],
    );
    assert.deepEqual(result.kind === 'written' && [result.resource.metadata.resourceVersion, result.passed], [
      '11',
      ['12'],
    ]);
    assert.deepEqual(results, ['success', 'success']);
  });

  it('takes over fields that others have edited with one request, when they have added none', async () => {
    const { writer, requests } = writerWith();
    await writer.write(migrationOf({ status: { phase: 'Succeeded' }, statusManager: 'kubectl-edit' }), running);
    assert.deepEqual(
      requests.map(({ method }) => method),
      ['apply'],
    );
  });

  it('removes fields without an owner that an apply leaves in place', async () => {
    const { writer, requests } = writerWith(() => migrationOf({ resourceVersion: '11', status: forged }));
    const result = await writer.write(resource, { phase: 'Succeeded' });
    assert.deepEqual(result.kind === 'written' && [result.resource.metadata.resourceVersion, result.passed], [
      '12',
      ['11'],
    ]);
    assert.deepEqual(
      requests.map(({ method, body }) => {
        const { metadata, status } = body as PromMigration;
        return [method, metadata.resourceVersion, status];
      }),
      [
        ['apply', '10', { phase: 'Succeeded' }],
        ['patch', '11', { completionTime: null }],
      ],
    );
  });

  it('does not write an equal status', async () => {
    const { writer, requests } = writerWith();
    assert.deepEqual(await writer.write(resource, { ...running }), { kind: 'unchanged' });
    assert.equal(requests.length, 0);
  });

  it('writes progress every ten seconds at most, per migration', async () => {
    const { writer, clock, requests } = writerWith();
    assert.equal((await writer.write(resource, further)).kind, 'written');
    clock.skip(4_000);
    assert.deepEqual(await writer.write(resource, further), { kind: 'later', afterMs: 6_000 });
    assert.equal((await writer.write(migrationOf({ name: 'other', status: running }), further)).kind, 'written');
    clock.skip(6_000);
    assert.equal((await writer.write(resource, further)).kind, 'written');
    assert.equal(requests.length, 3);
  });

  it('writes a change of phase immediately, but not twice in a second', async () => {
    const { writer, clock } = writerWith();
    await writer.write(resource, further);
    clock.skip(1_000);
    assert.equal((await writer.write(resource, { phase: 'Stalled' })).kind, 'written');
    clock.skip(100);
    assert.deepEqual(await writer.write(resource, { phase: 'Suspended' }), { kind: 'later', afterMs: 900 });
  });

  it('writes the last status without delay', async () => {
    const { writer } = writerWith();
    await writer.write(resource, further);
    assert.equal((await writer.write(resource, { phase: 'Suspended' }, { hurry: true })).kind, 'written');
  });

  for (const hours of [1, -1]) {
    it(`keeps its intervals when the wall clock jumps by ${hours} h`, async () => {
      const { writer, clock } = writerWith();
      await writer.write(resource, further);
      clock.setWallClock(clock.now() + hours * 3_600_000);
      clock.skip(9_999);
      assert.deepEqual(await writer.write(resource, further), { kind: 'later', afterMs: 1 });
      clock.skip(1);
      assert.equal((await writer.write(resource, further)).kind, 'written');
    });
  }

  it('starts over with another object of the same name', async () => {
    const { writer } = writerWith();
    await writer.write(resource, further);
    writer.forget('team/copy');
    assert.equal((await writer.write(resource, further)).kind, 'written');
  });

  const failures: [status: number, kind: string][] = [
    [409, 'conflict'],
    [404, 'gone'],
  ];
  for (const [status, kind] of failures) {
    it(`treats ${status} as ${kind}, and may write again immediately`, async () => {
      let refuse = true;
      const { writer, results } = writerWith(() => {
        if (refuse) throw new KubeApiError({ status, reason: '', message: 'no' });
        return resource;
      });
      assert.deepEqual(await writer.write(resource, further), { kind });
      refuse = false;
      assert.equal((await writer.write(resource, further)).kind, 'written');
      assert.deepEqual(results, [kind, 'success']);
    });
  }

  it('throws other failures', async () => {
    const { writer, results } = writerWith(() => {
      throw new KubeApiError({ status: 500, reason: '', message: 'etcd' });
    });
    await assert.rejects(writer.write(resource, further), /500: etcd/);
    assert.deepEqual(results, ['error']);
  });
});

describe('the API path of a migration', () => {
  it('is that of a collection, an object or its subresource', () => {
    assert.equal(migrationPath(undefined), '/apis/prom-migrator.io/v1alpha1/prommigrations');
    assert.equal(migrationPath('team'), '/apis/prom-migrator.io/v1alpha1/namespaces/team/prommigrations');
    assert.equal(
      migrationPath('team', 'a', 'status'),
      '/apis/prom-migrator.io/v1alpha1/namespaces/team/prommigrations/a/status',
    );
  });
});
