// Migrations in mode Job whose pods cannot start or keep failing, whose ConfigMap is not theirs, and that a finalizer keeps.
import assert from 'node:assert/strict';
import { jobNameOf } from '../../src/operator/job/job-names.ts';
import { JobStage } from './support/job-stage.ts';
import { conditionOf, standOf } from './support/migration-objects.ts';
import { startOperator, untilReady } from './support/operator.ts';
import { requestsOf, summaryOf } from './support/rights.ts';
import type { PromMigration } from '../../src/api/prom-migration.ts';

const HOURS = 4;

describe('a migration in mode Job, in trouble', function () {
  this.timeout(400_000);
  let stage: JobStage;

  before(async function () {
    this.timeout(900_000);
    stage = await JobStage.start('troubles');
  });

  after(() => stage?.[Symbol.asyncDispose]());

  const core = (resource: string, name = '') =>
    `/api/v1/namespaces/${stage.migrations.namespace}/${resource}${name === '' ? '' : `/${name}`}`;

  async function untilSucceeded(name: string): Promise<void> {
    stage.store.faults.delete(name);
    await stage.eventually(
      `${name} has succeeded`,
      async () => {
        const { phase } = (await stage.migrations.get(name)).status ?? {};
        assert.notEqual(phase, 'Failed', await stage.report());
        return phase === 'Succeeded';
      },
      180_000,
    );
    assert.equal(stage.store.storedSamples(name), stage.store.expectedSamples(stage.range(HOURS)));
    assert.equal(stage.store.repeated.get(name) ?? 0, 0, 'nothing is written twice');
  }

  async function untilDegraded(name: string, reason: string, pattern: RegExp): Promise<void> {
    await stage.eventually(
      `${name} is degraded: ${reason} ${pattern}`,
      async () => {
        const degraded = conditionOf((await stage.migrations.get(name)).status, 'Degraded');
        return degraded?.reason === reason && pattern.test(degraded.message);
      },
      150_000,
    );
  }

  /** Its pods retry until the fault is removed. */
  const refuseWrites = (name: string) =>
    stage.store.faults.set(name, ({ kind }) => (kind === 'write' ? { status: 503, body: 'restarting' } : undefined));

  async function untilRunning(name: string, count: number): Promise<string[]> {
    let pods: string[] = [];
    await stage.eventually(`${count} pods of ${name} run`, async () => {
      pods = await stage.runningPods(name);
      return pods.length === count;
    });
    return pods;
  }

  it('shows that a Secret is missing, and has its own ConfigMap created again', async () => {
    const { migrations } = stage;
    stage.kubelet.unschedulable = 'no node';
    await migrations.putSecret('login', { user: 'admin', password: 'secret' });
    const login = { username: { name: 'login', key: 'user' }, password: { name: 'login', key: 'password' } };
    const spec = stage.spec('secretless', HOURS);
    await migrations.create('secretless', { ...spec, destination: { ...spec.destination, basicAuth: login } });
    await migrations.create('mapless', stage.spec('mapless', HOURS));
    for (const name of ['secretless', 'mapless']) {
      await stage.eventually(`${name} has pods`, async () => (await stage.pods(name)).length > 0);
    }
    await stage.cluster.request('DELETE', core('secrets', 'login'));
    const [job] = await stage.jobs('mapless');
    const map = core('configmaps', job?.metadata?.name);
    await stage.cluster.request('DELETE', map);
    stage.kubelet.unschedulable = undefined;
    await untilDegraded('secretless', 'PodsNotRunning', /does not start: FailedMount: .*secret "login" not found/);
    await untilSucceeded('mapless');
    assert.deepEqual(
      (await stage.jobs('mapless')).map(({ metadata }) => metadata?.uid),
      [job?.metadata?.uid],
    );
    await migrations.putSecret('login', { user: 'admin', password: 'secret' });
    await untilSucceeded('secretless');
    assert.equal(standOf((await migrations.get('secretless')).status, 'Degraded'), 'False AsExpected');
  });

  it('uses no ConfigMap that was there before, and leaves none behind', async () => {
    const { migrations, cluster } = stage;
    const created = await migrations.create('tampered', { ...stage.spec('tampered', HOURS), suspend: true });
    const name = jobNameOf(created as unknown as PromMigration);
    const data = { 'migration.yaml': '{}', 'stretches.json': '{}' };
    const { status } = await cluster.request('POST', core('configmaps'), { metadata: { name }, data });
    assert.equal(status, 201);
    await migrations.edit('tampered', { suspend: false });
    await untilSucceeded('tampered');
    await migrations.delete('tampered');
    await stage.eventually(
      'the ConfigMap is gone with its Job',
      async () => (await cluster.request('GET', core('configmaps', name))).status === 404,
    );
    assert.ok(summaryOf(await requestsOf(stage.chart)).includes('" configmaps:delete"'), 'with its own right');
  });

  it('shows a stretch whose pods keep failing while the others continue', async () => {
    refuseWrites('failing');
    await stage.migrations.create('failing', stage.spec('failing', HOURS));
    const [first = ''] = await untilRunning('failing', 2);
    await stage.kubelet.kill(first, 'OOMKilled');
    await stage.eventually('another pod runs its stretch', async () => {
      const pods = await stage.runningPods('failing');
      return pods.length === 2 && !pods.includes(first);
    });
    const index = (name: string) => name.replace(/-\w+$/, '');
    const second = (await stage.runningPods('failing')).find((name) => index(name) === index(first)) ?? '';
    await stage.kubelet.kill(second, 'OOMKilled');
    await untilDegraded('failing', 'StretchesFailing', /1 keep failing and are retried; .*OOMKilled/);
    await untilSucceeded('failing');
  });

  it('stops when it is deleted, while a finalizer keeps it', async () => {
    refuseWrites('kept');
    await stage.migrations.create('kept', stage.spec('kept', HOURS));
    await stage.migrations.putFinalizers('kept', ['example.org/wait']);
    await untilRunning('kept', 2);
    await stage.migrations.delete('kept');
    await untilRunning('kept', 0);
    const [job] = await stage.jobs('kept');
    assert.equal(job?.spec?.suspend, true);
    await stage.migrations.putFinalizers('kept', []);
    await stage.eventually('the Job is gone as well', async () => (await stage.jobs('kept')).length === 0);
  });

  it('replaces the Job of an earlier operator whose ConfigMap is missing', async () => {
    stage.kubelet.unschedulable = 'no node';
    await stage.migrations.create('adopted', stage.spec('adopted', HOURS));
    await stage.eventually('it has pods', async () => (await stage.pods('adopted')).length > 0);
    const [job] = await stage.jobs('adopted');
    await stage.restartOperator();
    await stage.cluster.request('DELETE', core('configmaps', job?.metadata?.name));
    stage.kubelet.unschedulable = undefined;
    await untilSucceeded('adopted');
    const uids = (await stage.jobs('adopted')).map(({ metadata }) => metadata?.uid);
    assert.equal(uids.length, 1);
    assert.notEqual(uids[0], job?.metadata?.uid);
  });

  it('replaces a Job whose image cannot be pulled when the operator has another one, and no other Job', async () => {
    const { migrations, kubelet, chart } = stage;
    refuseWrites('old-image');
    await migrations.create('old-image', stage.spec('old-image', HOURS));
    await untilRunning('old-image', 2);
    const [kept] = await stage.jobs('old-image');
    kubelet.refusedImages.set(kept?.spec?.template.spec?.containers[0]?.image ?? '', 'manifest unknown');
    await migrations.create('no-image', stage.spec('no-image', HOURS));
    await untilDegraded('no-image', 'PodsNotRunning', /ImagePullBackOff: .*manifest unknown/);
    await stage.operator.kill();
    stage.operator = await startOperator({ chart, args: ['--job-image=example.org/prom-migrator:next'] });
    await untilReady(stage.operator);
    await untilSucceeded('no-image');
    await untilSucceeded('old-image');
    const jobs = [...(await stage.jobs('old-image')), ...(await stage.jobs('no-image'))];
    assert.equal(jobs[0]?.metadata?.uid, kept?.metadata?.uid);
    assert.equal(jobs[1]?.spec?.template.spec?.containers[0]?.image, 'example.org/prom-migrator:next');
    assert.equal(jobs.length, 2);
  });
});
