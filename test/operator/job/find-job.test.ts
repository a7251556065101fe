import assert from 'node:assert/strict';
import { findJob } from '../../../src/operator/job/find-job.ts';
import { jobNameOf } from '../../../src/operator/job/job-names.ts';
import type { Job } from '../../../src/operator/job/job-objects.ts';
import { KubeClient } from '../../../src/operator/kube/kube-client.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { migrationOf } from '../support/migrations.ts';

const JOBS = '/apis/batch/v1/namespaces/team/jobs';
const never = new AbortController().signal;
const migration = migrationOf();
const name = jobNameOf(migration);
const none = { kind: 'none' };

function jobWith(status: Job['status'], suspend = false): Job {
  const spec = { completions: 4, parallelism: 2, suspend };
  return { metadata: { name, namespace: 'team' }, spec, ...(status !== undefined && { status }) };
}

describe('the look for a Job that the operator does not manage', () => {
  let server: FakeApiServer;
  let kube: KubeClient;
  before(async () => {
    server = await FakeApiServer.start();
    kube = new KubeClient(server.connection, { request: () => {} });
  });
  after(async () => {
    kube.close();
    await server[Symbol.asyncDispose]();
  });

  const found = (job: Job) => {
    server.put(JOBS, job);
    return findJob(kube, migration, never);
  };

  it('finds the Job by its name, which no other migration has', async () => {
    assert.deepEqual(await findJob(kube, migration, never), none);
    const there = { kind: 'there', name, pods: 3, isSuspended: false };
    assert.deepEqual(await found(jobWith({ active: 2, terminating: 1 })), there);
    assert.deepEqual(await findJob(kube, migrationOf({ uid: 'created-again' }), never), none);
    assert.deepEqual(await found(jobWith(undefined)), { ...there, pods: 0 }, 'its pods may be created');
    assert.deepEqual(await found(jobWith({ terminating: 1 }, true)), { ...there, pods: 1, isSuspended: true });
  });

  for (const type of ['Complete', 'Failed']) {
    it(`does not count one that has ended (${type}), unless pods are left`, async () => {
      const conditions = [{ type, status: 'True' }];
      assert.deepEqual(await found(jobWith({ conditions })), none);
      assert.equal((await found(jobWith({ conditions, terminating: 1 }))).kind, 'there');
      assert.equal((await found(jobWith({ conditions: [{ type, status: 'False' }] }))).kind, 'there');
    });
  }

  it('takes a missing right for a Job that may be there, and other errors for no response', async () => {
    server.fault({ act: { status: 403, reason: 'Forbidden' } });
    assert.deepEqual(await findJob(kube, migration, never), {
      kind: 'unknown',
      name,
      reason: '403 Forbidden: Forbidden',
    });
    server.fault({ act: { status: 500 } });
    await assert.rejects(findJob(kube, migration, never));
  });
});
