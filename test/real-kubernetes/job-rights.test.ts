// Operators that must not manage Jobs, beside a Job that an earlier one has created: without the rights, and with --no-jobs.
import assert from 'node:assert/strict';
import { JobStage } from './support/job-stage.ts';
import { conditionOf, standOf } from './support/migration-objects.ts';
import { startOperator, succeeded, untilReady } from './support/operator.ts';

const HOURS = 4;

interface ClusterRole {
  readonly metadata: { readonly name: string };
  readonly rules: readonly { readonly apiGroups: readonly string[]; readonly resources: readonly string[] }[];
}

describe('an operator without Jobs', function () {
  this.timeout(400_000);
  let stage: JobStage;

  before(async function () {
    this.timeout(900_000);
    stage = await JobStage.start('rightless');
  });

  after(() => stage?.[Symbol.asyncDispose]());

  async function untilSucceeded(name: string): Promise<void> {
    stage.store.faults.delete(name);
    await stage.eventually(
      `${name} has succeeded`,
      async () => (await stage.migrations.get(name)).status?.phase === 'Succeeded',
      180_000,
    );
    assert.equal(stage.store.storedSamples(name), stage.store.expectedSamples(stage.range(HOURS)));
    assert.equal(stage.store.repeated.get(name) ?? 0, 0, 'nothing is written twice');
  }

  it('does not copy beside a Job that it cannot stop', async () => {
    stage.store.faults.set('left', ({ kind }) => (kind === 'write' ? { delayMs: 1_500 } : undefined));
    await stage.migrations.create('left', stage.spec('left', HOURS));
    await stage.eventually('its pods write', () => stage.store.writesOf('left').some(({ samples }) => samples > 0));
    // The pods try again until the end.
    stage.store.faults.set('left', ({ kind }) => (kind === 'write' ? { status: 503, body: 'starting' } : undefined));
    await stage.operator.kill();
    const { chart } = stage;
    const args = chart.args.filter((arg) => !arg.startsWith('--job-image'));
    stage.operator = await startOperator({ chart: { ...chart, args }, args: ['--no-jobs'] });
    await untilReady(stage.operator);
    const [job] = await stage.jobs('left');
    const name = job?.metadata?.name ?? '';
    await stage.migrations.edit('left', { suspend: true });
    await stage.migrations.until('left', 'says that the Job is not suspended', (status) => {
      const degraded = conditionOf(status, 'Degraded');
      return degraded?.reason === 'JobNotStopped' && degraded.message.includes(`kubectl delete job ${name}`);
    });
    await stage.migrations.edit('left', { suspend: false, execution: { mode: 'InProcess' } });
    await stage.migrations.until('left', 'waits for the Job', (status) => {
      const accepted = conditionOf(status, 'Accepted');
      return accepted?.reason === 'JobsDisabled' && accepted.message.includes(`kubectl delete job ${name}`);
    });
    const path = `/apis/batch/v1/namespaces/${stage.migrations.namespace}/jobs/${name}`;
    await stage.cluster.request('DELETE', path, { propagationPolicy: 'Foreground' });
    await untilSucceeded('left');
  });

  it('copies in process without the rights, and in Jobs as soon as it has them', async () => {
    const { cluster, chart } = stage;
    const role = JSON.parse(
      succeeded(await cluster.kubectl(['get', 'clusterrole', chart.release, '-o', 'json'])),
    ) as ClusterRole;
    const path = `/apis/rbac.authorization.k8s.io/v1/clusterroles/${role.metadata.name}`;
    const put = async (rules: ClusterRole['rules']) => {
      const { status } = await cluster.request('PATCH', path, { rules }, 'application/merge-patch+json');
      assert.equal(status, 200);
    };
    await put(role.rules.filter(({ apiGroups }) => !apiGroups.includes('batch')));
    await stage.restartOperator();
    await stage.migrations.create('plain', { ...stage.spec('plain', HOURS), execution: { mode: 'InProcess' } });
    await stage.migrations.create('job', stage.spec('job', HOURS));
    await untilSucceeded('plain');
    const { status } = await stage.migrations.until(
      'job',
      'is rejected',
      (now) => standOf(now, 'Accepted') === 'False JobsDisabled',
    );
    assert.match(conditionOf(status, 'Accepted')?.message ?? '', /may not list and watch Jobs and pods/);
    const complaints = stage.operator.log().match(/may not be listed/g) ?? [];
    assert.equal(complaints.length, 1, 'it is said once');
    await put(role.rules);
    await untilSucceeded('job');
    assert.equal((await stage.jobs('job')).length, 1);
  });
});
