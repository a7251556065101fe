import assert from 'node:assert/strict';
import { JobStore } from '../../src/operator/job/job-store.ts';
import { KubeClient } from '../../src/operator/kube/kube-client.ts';
import { MigrationStore } from '../../src/operator/migration-store.ts';
import { Watches } from '../../src/operator/watches.ts';
import { FakeApiServer } from './support/fake-api-server.ts';
import { ManualClock, settled, until } from './support/manual-clock.ts';
import { migrationOf } from './support/migrations.ts';

const MIGRATIONS = '/apis/prom-migrator.io/v1alpha1/prommigrations';

async function start() {
  const server = await FakeApiServer.start();
  const client = new KubeClient(server.connection, { request: () => {} });
  const clock = new ManualClock();
  const jobs = new JobStore([undefined]);
  const logs: string[] = [];
  const log = (message: string) => logs.push(message);
  const stop = new AbortController();
  const watches = new Watches({
    client,
    store: new MigrationStore([]),
    jobs,
    clock,
    random: () => 0.5,
    logger: { error: log, warn: log, info: log, debug: log },
    metrics: { watchReconnect: () => {}, watchActivity: () => {} },
    onChange: () => {},
  });
  let running: Promise<void>[] = [];
  return {
    server,
    clock,
    jobs,
    watches,
    logs,
    run: () => {
      running = watches.run(stop.signal);
    },
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('stop'));
      await Promise.all(running);
      client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe('the watches of an operator', () => {
  it('do not wait for Jobs on which it has no rights, say so once, and notice when it has them', async () => {
    await using parts = await start();
    const { server, clock, jobs, watches, logs } = parts;
    server.put(MIGRATIONS, migrationOf());
    const isOfJobs = (path: string) => /\/(jobs|pods)$/.test(path);
    server.fault({ when: ({ path }) => isOfJobs(path), times: 1_000, act: { status: 403, reason: 'Forbidden' } });
    parts.run();
    await until('everything else is listed', () => watches.synced);
    assert.equal(jobs.isPermitted('team'), false);
    const refused = () => server.requests.filter(({ path }) => isOfJobs(path)).length;
    for (let attempt = 2; attempt < 6; attempt++) {
      await until('it has tried again', () => refused() >= 2 * (attempt - 1));
      await settled();
      await clock.advance(60_000);
    }
    const complaints = logs.filter((line) => /may not be listed/.test(line));
    assert.deepEqual(complaints.map((line) => line.split(':')[0]).sort(), [
      'Jobs may not be listed',
      'Pods may not be listed',
    ]);
    assert.match(complaints[0] ?? '', /--no-jobs/);
    server.clearFaults();
    await settled();
    await clock.advance(60_000);
    await until('it has them', () => jobs.isPermitted('team'));
    assert.ok(logs.includes('Jobs may be listed'));
  });

  it('wait for Jobs that an error keeps from being listed', async () => {
    await using parts = await start();
    const { server, watches } = parts;
    server.put(MIGRATIONS, migrationOf());
    server.fault({ when: ({ path }) => path.endsWith('/jobs'), times: 1_000, act: { status: 500 } });
    parts.run();
    await until('it is reported', () => parts.logs.some((line) => line === 'watching Jobs failed'));
    await settled();
    assert.equal(watches.synced, false);
  });
});
