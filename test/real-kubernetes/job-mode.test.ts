// Migrations in mode Job: the operator divides them, creates an Indexed Job, and follows its pods by the marks in the destination.
import assert from 'node:assert/strict';
import { tell } from '../real/support/expectations.ts';
import { JobStage } from './support/job-stage.ts';
import { standOf } from './support/migration-objects.ts';
import { requestsOf, summaryOf } from './support/rights.ts';

describe('a migration in mode Job', function () {
  this.timeout(300_000);
  let stage: JobStage;

  before(async function () {
    this.timeout(900_000);
    stage = await JobStage.start('jobs');
  });

  after(() => stage?.[Symbol.asyncDispose]());

  async function untilSucceeded(name: string, hours: number): Promise<void> {
    await stage.eventually(
      `${name} has succeeded`,
      async () => {
        const { phase } = (await stage.migrations.get(name)).status ?? {};
        assert.notEqual(phase, 'Failed', await stage.report());
        return phase === 'Succeeded';
      },
      180_000,
    );
    assert.equal(stage.store.storedSamples(name), stage.store.expectedSamples(stage.range(hours)));
    assert.equal(stage.store.repeated.get(name) ?? 0, 0, 'nothing is written twice');
  }

  it('is copied by pods, one for each stretch', async () => {
    const startMs = Date.now();
    await stage.migrations.create('plain', stage.spec('plain', 6));
    await untilSucceeded('plain', 6);
    tell(`three stretches in pods: ${((Date.now() - startMs) / 1000).toFixed(1)} s`);
    const { status } = await stage.migrations.get('plain');
    assert.equal(status?.progress?.samplesWritten, stage.store.expectedSamples(stage.range(6)));
    assert.equal(standOf(status, 'Succeeded'), 'True Completed');
    const [job, other] = await stage.jobs('plain');
    assert.equal(other, undefined, 'one Job');
    assert.deepEqual(status?.stretches, { total: 3, finished: 3, running: 0, job: job?.metadata?.name });
    assert.equal(job?.spec?.completions, 3);
    await stage.eventually(
      'the Job is complete',
      async () => (await stage.jobs('plain'))[0]?.status?.completedIndexes === '0-2',
    );
  });

  /** Slow enough for something to happen meanwhile: each request of the tenant takes longer. */
  function slow(tenant: string, delayMs: number): void {
    stage.store.faults.set(tenant, ({ kind }) => (kind === 'write' ? { delayMs } : undefined));
  }

  async function untilRunning(name: string, pods: number): Promise<string[]> {
    let running: string[] = [];
    await stage.eventually(`${pods} pods of ${name} run`, async () => {
      running = await stage.runningPods(name);
      return running.length === pods;
    });
    return running;
  }

  async function untilMarked(name: string): Promise<void> {
    const isMarked = () => stage.store.writesOf(name).some(({ samples }) => samples > 0);
    await stage.eventually(`${name} has written samples`, isMarked);
  }

  it('continues when a pod is killed, and when the operator is', async () => {
    slow('killed', 2_000);
    await stage.migrations.create('killed', stage.spec('killed', 6));
    const [first = ''] = await untilRunning('killed', 2);
    await untilMarked('killed');
    await stage.kubelet.kill(first, 'OOMKilled');
    await stage.restartOperator();
    const before = (await stage.jobs('killed')).map(({ metadata }) => metadata?.uid);
    stage.store.faults.delete('killed');
    await untilSucceeded('killed', 6);
    const after = (await stage.jobs('killed')).map(({ metadata }) => metadata?.uid);
    assert.deepEqual(after, before, 'the operator adopts the Job');
    assert.equal(after.length, 1);
  });

  it('adopts another parallelism, also none', async () => {
    slow('parallel', 1_500);
    await stage.migrations.create('parallel', stage.spec('parallel', 16, { parallelism: 2 }));
    await untilRunning('parallel', 2);
    const [job] = await stage.jobs('parallel');
    await stage.migrations.edit('parallel', { execution: { parallelism: 4 } });
    await untilRunning('parallel', 4);
    await stage.migrations.edit('parallel', { execution: { parallelism: 0 } });
    await untilRunning('parallel', 0);
    stage.store.faults.delete('parallel');
    await stage.migrations.edit('parallel', { execution: { parallelism: 3 } });
    await untilSucceeded('parallel', 16);
    assert.deepEqual(
      (await stage.jobs('parallel')).map(({ metadata }) => metadata?.uid),
      [job?.metadata?.uid],
      'all by one Job',
    );
  });

  it('stops while it is suspended, and then resumes', async () => {
    slow('suspended', 1_500);
    await stage.migrations.create('suspended', stage.spec('suspended', 6));
    await untilRunning('suspended', 2);
    await untilMarked('suspended');
    await stage.migrations.edit('suspended', { suspend: true });
    await stage.migrations.untilPhase('suspended', 'Suspended');
    await untilRunning('suspended', 0);
    assert.equal((await stage.jobs('suspended'))[0]?.spec?.suspend, true);
    stage.store.faults.delete('suspended');
    await stage.migrations.edit('suspended', { suspend: false });
    await untilSucceeded('suspended', 6);
  });

  it('stops after an edit that is not accepted, and continues with the same Job when that is taken back', async () => {
    slow('rejected', 1_500);
    await stage.migrations.create('rejected', stage.spec('rejected', 6));
    await untilRunning('rejected', 2);
    await untilMarked('rejected');
    const credentials = { name: 'missing', key: 'token' };
    await stage.migrations.edit('rejected', { source: { authorization: { credentials } } });
    await stage.migrations.until('rejected', 'is rejected', (s) => standOf(s, 'Accepted') === 'False SecretNotFound');
    await untilRunning('rejected', 0);
    const [job] = await stage.jobs('rejected');
    assert.equal(job?.spec?.suspend, true);
    stage.store.faults.delete('rejected');
    await stage.migrations.edit('rejected', { source: { authorization: null } });
    await untilSucceeded('rejected', 6);
    assert.deepEqual(
      (await stage.jobs('rejected')).map(({ metadata }) => metadata?.uid),
      [job?.metadata?.uid],
    );
  });

  it('replaces the Job after an edit that its pods cannot adopt, as soon as they are gone', async () => {
    slow('edited', 1_500);
    await stage.migrations.create('edited', stage.spec('edited', 6));
    await untilRunning('edited', 2);
    await untilMarked('edited');
    const [first] = await stage.jobs('edited');
    await stage.migrations.edit('edited', { limits: { inFlightWrites: 3 } });
    await stage.eventually('there is another Job', async () => {
      const uids = (await stage.jobs('edited')).map(({ metadata }) => metadata?.uid);
      assert.ok(uids.length <= 1, 'never two at once');
      return uids.length === 1 && uids[0] !== first?.metadata?.uid;
    });
    stage.store.faults.delete('edited');
    await untilSucceeded('edited', 6);
  });

  it('shows why its pods do not start', async () => {
    stage.kubelet.unschedulable = '0/2 nodes are available: 2 Insufficient memory.';
    await stage.migrations.create('pending', stage.spec('pending', 4));
    const shows = (pattern: RegExp) => async () => {
      const { status } = await stage.migrations.get('pending');
      const degraded = status?.conditions?.find(({ type }) => type === 'Degraded');
      return degraded?.reason === 'PodsNotRunning' && pattern.test(degraded.message);
    };
    await stage.eventually(
      'it is not scheduled',
      shows(/is not scheduled: 0\/2 nodes are available: 2 Insufficient memory/),
    );
    const image = (await stage.jobs('pending'))[0]?.spec?.template.spec?.containers[0]?.image ?? '';
    stage.kubelet.refusedImages.set(image, 'manifest unknown');
    stage.kubelet.unschedulable = undefined;
    await stage.eventually('its image is refused', shows(/does not start: ImagePullBackOff: .*manifest unknown/));
    stage.kubelet.refusedImages.clear();
    await untilSucceeded('pending', 4);
    assert.equal(standOf((await stage.migrations.get('pending')).status, 'Degraded'), 'False AsExpected');
  });

  it('shows why Kubernetes refuses its pods', async () => {
    const { namespace } = stage.migrations;
    const path = `/api/v1/namespaces/${namespace}/resourcequotas`;
    const quota = { metadata: { name: 'none' }, spec: { hard: { pods: '0' } } };
    assert.equal((await stage.cluster.request('POST', path, quota)).status, 201);
    await stage.migrations.create('quota', stage.spec('quota', 4));
    await stage.eventually('the quota is named', async () => {
      const { status } = await stage.migrations.get('quota');
      const degraded = status?.conditions?.find(({ type }) => type === 'Degraded');
      return degraded?.reason === 'PodsNotRunning' && /exceeded quota: none/.test(degraded.message);
    });
    await stage.cluster.request('DELETE', `${path}/none`);
    await untilSucceeded('quota', 4);
  });

  it('fails with what the pods say, and is tried again after an edit', async () => {
    const said = 'tenant is not allowed here';
    stage.store.faults.set('refused', ({ kind }) => (kind === 'write' ? { status: 400, body: said } : undefined));
    await stage.migrations.create('refused', stage.spec('refused', 4));
    const { status } = await stage.migrations.untilPhase('refused', 'Failed', 120_000);
    const succeeded = status?.conditions?.find(({ type }) => type === 'Succeeded');
    assert.match(succeeded?.message ?? '', new RegExp(said));
    assert.equal(status?.stretches?.failed?.length, 2);
    assert.match(status?.stretches?.failed?.[0]?.message ?? '', new RegExp(said));
    stage.store.faults.delete('refused');
    await stage.migrations.edit('refused', { progressDeadlineSeconds: 700 });
    await stage.migrations.until('refused', 'is tried again', ({ phase }) => phase !== 'Failed');
    await untilSucceeded('refused', 4);
  });

  it('reads its Secrets in the pods, and shows none of their values', async () => {
    const password = 'hunter2-in-a-secret';
    await stage.migrations.putSecret('login', { user: 'admin', password });
    const login = { username: { name: 'login', key: 'user' }, password: { name: 'login', key: 'password' } };
    const spec = stage.spec('secret', 4);
    const expected = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
    stage.store.faults.set('secret', ({ kind, authorization }) =>
      kind === 'write' && authorization !== expected ? { status: 401, body: 'who are you?' } : undefined,
    );
    const destination = { ...spec.destination, basicAuth: login };
    await stage.migrations.create('secret', { ...spec, destination });
    await untilSucceeded('secret', 4);
    const objects = [await stage.jobs('secret'), await stage.pods('secret'), await stage.migrations.get('secret')];
    const maps = await stage.cluster.request('GET', `/api/v1/namespaces/${stage.migrations.namespace}/configmaps`);
    const text = JSON.stringify([objects, maps.body]) + stage.operator.log();
    for (const secret of [password, Buffer.from(password).toString('base64'), expected]) {
      assert.ok(!text.includes(secret));
    }
  });

  it('is verified after its pods have ended, in a thread of the operator', async () => {
    const spec = { ...stage.spec('verified', 4), verification: { mode: 'Full', settle: '1s' } };
    await stage.migrations.create('verified', spec);
    await untilSucceeded('verified', 4);
    const { status } = await stage.migrations.get('verified');
    assert.equal(standOf(status, 'Verified'), 'True Matching');
    assert.equal(status?.verification?.samplesCompared, stage.store.expectedSamples(stage.range(4)));
    assert.equal((await stage.jobs('verified')).length, 1);
  });

  it('is gone with its Job and pods when it is deleted', async () => {
    slow('deleted', 1_500);
    await stage.migrations.create('deleted', stage.spec('deleted', 6));
    await untilRunning('deleted', 2);
    await stage.migrations.delete('deleted');
    await stage.eventually(
      'the Job and its pods are gone',
      async () => (await stage.jobs('deleted')).length === 0 && (await stage.pods('deleted')).length === 0,
    );
  });

  it('waits for a node that is lost, and then continues elsewhere', async () => {
    slow('lost', 1_500);
    await stage.migrations.create('lost', stage.spec('lost', 6));
    await untilRunning('lost', 2);
    await untilMarked('lost');
    await stage.kubelet.loseNode('node-1', { processes: 'killed', detected: true });
    stage.store.faults.delete('lost');
    await stage.eventually('the other node has copied its stretches', async () => {
      const { stretches } = (await stage.migrations.get('lost')).status ?? {};
      return (stretches?.finished ?? 0) >= 2;
    });
    await stage.kubelet.recoverNode('node-1');
    await untilSucceeded('lost', 6);
  });

  it('costs few requests to the API server, all of which the chart permits', async () => {
    const events = (await requestsOf(stage.chart)).filter(({ stage: at }) => at === 'ResponseComplete');
    const refused = events.filter(({ responseStatus }) => responseStatus?.code === 403);
    assert.deepEqual(
      refused.map(({ verb, objectRef }) => `${verb} ${objectRef?.resource}`),
      [],
    );
    const own = events.filter(({ verb, objectRef }) => verb !== 'watch' && objectRef?.resource !== 'leases');
    const migrations = (await stage.migrations.list()).length + 1;
    tell(`${own.length} requests for ${migrations} migrations: ${summaryOf(own)}`);
    assert.ok(own.length / migrations < 40, `${own.length} requests`);
    for (const right of [
      'batch jobs:create',
      'batch jobs:patch',
      'batch jobs:delete',
      ' configmaps:create',
      ' events:list',
    ]) {
      assert.ok(summaryOf(own).includes(`"${right}"`), `${right} is granted, but not used`);
    }
  });
});
