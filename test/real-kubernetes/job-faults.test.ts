// Faults around a Job that copies: the API server is restarted, a pod that Kubernetes has given up runs beside its successor, and the
// parallelism changes from a few pods to many, to none, and to a few again. Nothing is lost, and nothing is written twice.
import assert from 'node:assert/strict';
import type { V1Pod } from '@kubernetes/client-node';
import { tell } from '../real/support/expectations.ts';
import { OUT_OF_ORDER_PROMETHEUS, SlowCopy } from '../real/support/slow-copy.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { JobStage } from './support/job-stage.ts';

/** The lease of the operator outlasts the restart of the API server. */
const LONG_LEASE = { leaderElection: { leaseDurationSeconds: 90, renewDeadlineSeconds: 75 } };
const WRITES_WITHOUT_API = 3;
const NODE = 'node-1';
/** With it, Kubernetes gives up the pods of a node that it does not reach. */
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service=nodeshutdown:NoExecute';
/** Between the real stores. A stretch takes longer than Kubernetes takes to give up its pod. */
const HOURS = 4;
const SAMPLES_PER_SECOND = 1_400;

describe('a migration in mode Job', function () {
  this.timeout(300_000);
  let stage: JobStage;
  let copy: SlowCopy;
  let prometheus: ServerProcess;

  before(async function () {
    this.timeout(900_000);
    stage = await JobStage.start('faults', { values: LONG_LEASE });
    copy = await SlowCopy.start(HOURS);
    prometheus = await OUT_OF_ORDER_PROMETHEUS.start();
  });

  after(async () => {
    await stage?.[Symbol.asyncDispose]();
    await Promise.all([copy, prometheus].map((one) => one?.[Symbol.asyncDispose]()));
  });

  /** Slow enough for something to happen meanwhile. */
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

  function untilWritten(name: string, writes: number): Promise<void> {
    const count = () => stage.store.writesOf(name).filter(({ samples }) => samples > 0).length;
    const before = count();
    return stage.eventually(`${name} has written ${writes} times more`, () => count() >= before + writes);
  }

  async function untilSucceeded(name: string): Promise<void> {
    const hasSucceeded = async () => {
      const { phase } = (await stage.migrations.get(name)).status ?? {};
      assert.notEqual(phase, 'Failed', await stage.report());
      return phase === 'Succeeded';
    };
    await stage.eventually(`${name} has succeeded`, hasSucceeded, 150_000);
  }

  async function uidsOfJobs(name: string): Promise<(string | undefined)[]> {
    return (await stage.jobs(name)).map(({ metadata }) => metadata?.uid);
  }

  function assertAllThere(name: string, hours: number): void {
    assert.equal(stage.store.storedSamples(name), stage.store.expectedSamples(stage.range(hours)));
  }

  it('is copied on while the API server is away, and followed when it is back', async () => {
    const name = 'api-server';
    slow(name, 1_500);
    // Many windows in each stretch.
    await stage.migrations.create(name, { ...stage.spec(name, 10), window: { max: '10m' } });
    await untilRunning(name, 2);
    await untilWritten(name, 1);
    const before = await uidsOfJobs(name);
    const podsBefore = (await stage.pods(name)).length;
    await stage.cluster.stopApiServer();
    try {
      await untilWritten(name, WRITES_WITHOUT_API);
    } finally {
      await stage.cluster.startApiServer();
    }
    stage.store.faults.delete(name);
    await untilSucceeded(name);
    assertAllThere(name, 10);
    assert.equal(stage.store.repeated.get(name) ?? 0, 0, 'nothing is written twice');
    assert.deepEqual(await uidsOfJobs(name), before, 'by the same Job');
    const pods = await stage.pods(name);
    assert.equal(pods.length, 5, 'no pod was started twice');
    const { status } = await stage.migrations.get(name);
    const { job, ...stretches } = status?.stretches ?? {};
    assert.deepEqual(stretches, { total: 5, finished: 5, running: 0 });
    assert.match(job ?? '', new RegExp(`^${name}-`));
    tell(`${podsBefore} pods before the restart of the API server, ${pods.length} at the end`);
  });

  it('adopts a parallelism of 2, 8, 0 and 3', async () => {
    const name = 'turns';
    const hours = 28;
    slow(name, 4_000);
    await stage.migrations.create(name, stage.spec(name, hours, { parallelism: 2 }));
    await untilRunning(name, 2);
    const before = await uidsOfJobs(name);
    for (const parallelism of [8, 0, 3]) {
      await stage.migrations.edit(name, { execution: { parallelism } });
      await untilRunning(name, parallelism);
    }
    stage.store.faults.delete(name);
    await untilSucceeded(name);
    assertAllThere(name, hours);
    assert.equal(stage.store.repeated.get(name) ?? 0, 0, 'nothing is written twice');
    assert.deepEqual(await uidsOfJobs(name), before, 'by one Job');
  });

  it('has every sample once although two pods of a stretch run at the same time, in a store that keeps one of each time', async () => {
    const name = 'partition';
    const spec = copy.spec(OUT_OF_ORDER_PROMETHEUS, prometheus, {
      ordering: 'Any',
      windowMax: '5m',
      samplesPerSecond: SAMPLES_PER_SECOND,
      execution: { mode: 'Job', parallelism: 2, stretch: '2h' },
    });
    await stage.migrations.create(name, spec);
    await untilRunning(name, 2);
    const lost = (await stage.pods(name)).find((pod) => pod.spec?.nodeName === NODE);
    assert.ok(lost !== undefined, 'a pod runs on the second node');
    const [first, index] = [lost.metadata?.name ?? '', indexOf(lost)];
    // In this partition the node still reaches the stores, although someone says that it is off.
    await stage.kubelet.loseNode(NODE, { processes: 'running', detected: true });
    await stage.cluster.kubectl(['taint', 'node', NODE, OUT_OF_SERVICE]);
    await stage.eventually('another pod runs the same stretch', async () => {
      const pods = (await stage.pods(name)).filter(({ metadata }) => metadata?.name !== first);
      return pods.some((pod) => indexOf(pod) === index && pod.status?.phase === 'Running');
    });
    assert.ok(stage.kubelet.isRunning(first), 'both run');
    await untilSucceeded(name);
    await stage.kubelet.recoverNode(NODE);
    await stage.cluster.kubectl(['taint', 'node', NODE, `${OUT_OF_SERVICE}-`]);
    await stage.eventually('the first one has ended', () => !stage.kubelet.isRunning(first));
    const samples = await copy.assertAllThereOnce(OUT_OF_ORDER_PROMETHEUS, prometheus, 'several');
    tell(`${samples} samples, each once`);
  });
});

function indexOf(pod: V1Pod): string | undefined {
  return pod.metadata?.annotations?.['batch.kubernetes.io/job-completion-index'];
}
