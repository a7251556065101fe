// The test kubelet runs pods as a real one would: under the real Job controller and garbage collectors of Kubernetes, with small scripts
// as containers. Where a test takes longer, Kubernetes waits: the Job controller 10 s before the second pod of an index, also after an
// eviction, then 20 s, 40 s, …; the pod garbage collector up to 20 s before it fails the pods of a node that is out of service.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';
import { type Kubelet, startKubelet } from '../support/kubernetes/kubelet/kubelet.ts';
import { KUBELET_TEST_SELECTOR, KubeletJobs } from './support/kubelet-jobs.ts';
import { eventually, succeeded } from './support/operator.ts';

const INDEX = 'batch.kubernetes.io/job-completion-index';
const WAIT = 'console.log("pid", process.pid); setInterval(() => {}, 1000);';
const onTerm = (action: string) => `process.on("SIGTERM", () => { console.log("stopping"); ${action} }); ${WAIT}`;
const PRINT_INDEX = 'console.log("index", process.env.JOB_COMPLETION_INDEX);';
const FAIL_INDEX_1 = `${PRINT_INDEX}
  require("fs").writeFileSync(process.argv[1], "no such store: " + process.env.JOB_COMPLETION_INDEX);
  process.exit(process.env.JOB_COMPLETION_INDEX === "1" ? 3 : 0);`;

describe('the test kubelet', function () {
  this.timeout(180_000);
  let cluster: Cluster;
  let kubelet: Kubelet;
  let jobs: KubeletJobs;

  before(async function () {
    this.timeout(900_000);
    cluster = await startCluster({ controllerManager: true });
    kubelet = await startKubelet({
      cluster,
      selector: KUBELET_TEST_SELECTOR,
      entrypoint: () => [process.execPath, '-e'],
      nodes: 2,
    });
    jobs = new KubeletJobs(cluster, kubelet);
  });

  after(async () => {
    await kubelet?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  /** A script that runs may not have set its signal handlers yet. */
  async function untilSaysPid(pod: V1Pod): Promise<string> {
    const name = nameOf(pod);
    await eventually(`${name} says its pid`, () => /pid/.test(kubelet.output(name)));
    return name;
  }

  it('completes an Indexed Job, each pod with its index', async () => {
    await jobs.createJob('complete', [`${PRINT_INDEX} setTimeout(() => {}, 500)`], { completions: 3, parallelism: 2 });
    const { status } = await jobs.untilJob('complete', 'Complete');
    assert.equal(status?.completedIndexes, '0-2');
    const pods = await jobs.podsOf('complete');
    assert.deepEqual(pods.map(({ metadata }) => kubelet.output(metadata?.name ?? '')).sort(), [
      'index 0\n',
      'index 1\n',
      'index 2\n',
    ]);
    assert.deepEqual([...new Set(pods.map(({ spec }) => spec?.nodeName))].sort(), ['node-0', 'node-1']);
    for (const pod of pods) assert.equal(terminatedOf(pod)?.reason, 'Completed');
  });

  it('fails one index by its exit code, with its termination message', async () => {
    const script = [FAIL_INDEX_1, '/dev/termination-log'] as const;
    await jobs.createJob('one-fails', script, { completions: 3, parallelism: 2 });
    const { status } = await jobs.untilJob('one-fails', 'Failed');
    assert.deepEqual([status?.completedIndexes, status?.failedIndexes], ['0,2', '1']);
    const failed = (await jobs.podsOf('one-fails')).filter((pod) => pod.status?.phase === 'Failed');
    assert.equal(failed.length, 1, 'one attempt');
    const { exitCode, reason, message } = terminatedOf(failed[0]) ?? {};
    assert.deepEqual({ exitCode, reason, message }, { exitCode: 3, reason: 'Error', message: 'no such store: 1' });
  });

  it('waits for the back-off of an index, one at a time, and starts nothing after one that has failed for good', async () => {
    const script = `const { mkdirSync } = require("fs"); const index = process.env.JOB_COMPLETION_INDEX;
      try { mkdirSync(process.argv[1] + index); process.exit(index === "0" ? 5 : 3); } catch { process.exit(0); }`;
    const seen = join(tmpdir(), `prom-migrator-${process.pid}-`);
    await jobs.createJob('in-order', [script, seen], { completions: 3, maxFailedIndexes: 0 });
    await jobs.untilJob('in-order', 'Failed');
    const indexes = (await jobs.podsOf('in-order')).map(({ metadata }) => metadata?.annotations?.[INDEX]);
    for (const index of ['0', '1']) await rm(seen + index, { recursive: true });
    assert.deepEqual(indexes.sort(), ['0', '0', '1']);
  });

  it('replaces a killed pod, after the back-off of its index', async () => {
    await jobs.createJob('killed', [WAIT]);
    const first = await jobs.untilRunning('killed');
    await kubelet.kill(nameOf(first), 'OOMKilled');
    const second = await jobs.untilRunning('killed', [nameOf(first)]);
    const { exitCode, reason } = terminatedOf(await jobs.pod(nameOf(first))) ?? {};
    assert.deepEqual({ exitCode, reason }, { exitCode: 137, reason: 'OOMKilled' });
    assert.equal(second.metadata?.annotations?.['batch.kubernetes.io/job-index-failure-count'], '1');
  });

  it('evicts a pod, which the Job does not count as a failure', async () => {
    await jobs.createJob('evicted', [onTerm('process.exit(1);')], { backoffLimitPerIndex: 0 });
    const first = await untilSaysPid(await jobs.untilRunning('evicted'));
    await kubelet.evict(first);
    const second = await jobs.untilRunning('evicted', [first]);
    assert.match(kubelet.output(first), /stopping/);
    const annotations = second.metadata?.annotations ?? {};
    assert.equal(annotations['batch.kubernetes.io/job-index-failure-count'], '0');
    assert.equal(annotations['batch.kubernetes.io/job-index-ignored-failure-count'], '1');
  });

  it('stops the pods of a suspended Job by SIGTERM; a resumed Job waits for them', async () => {
    await jobs.createJob('suspended', [onTerm('setTimeout(() => process.exit(0), 4000);')]);
    const first = await untilSaysPid(await jobs.untilRunning('suspended'));
    await jobs.editJob('suspended', { suspend: true });
    await jobs.untilJob('suspended', 'Suspended');
    await eventually('the pod gets SIGTERM', () => /stopping/.test(kubelet.output(first)));
    assert.ok(isAlive(kubelet.output(first)), 'the condition does not wait for the pods');
    await jobs.editJob('suspended', { suspend: false });
    await jobs.untilRunning('suspended', [first]);
    assert.equal(isAlive(kubelet.output(first)), false);
    assert.equal((await jobs.job('suspended')).status?.completedIndexes, undefined, 'its exit code does not count');
  });

  it('deletes a pod of a Job, whose index is complete if the pod then exits with 0', async () => {
    await jobs.createJob('obedient', [onTerm('process.exit(0);')]);
    const first = await untilSaysPid(await jobs.untilRunning('obedient'));
    await jobs.delete(first, 10);
    const { status } = await jobs.untilJob('obedient', 'Complete');
    assert.equal(status?.completedIndexes, '0');
  });

  it('kills a deleted pod that ignores SIGTERM after its grace period', async () => {
    await jobs.createPod('stubborn', [onTerm('')], {}, { finalizers: ['example.org/keep'] });
    await untilSaysPid(await jobs.untilPod('stubborn', 'runs', ({ status }) => status?.phase === 'Running'));
    await jobs.delete('stubborn', 2);
    const pod = await jobs.untilPod('stubborn', 'has failed', ({ status }) => status?.phase === 'Failed');
    assert.equal(terminatedOf(pod)?.exitCode, 137);
    assert.match(kubelet.output('stubborn'), /stopping/);
    assert.equal(isAlive(kubelet.output('stubborn')), false);
    await jobs.editPod('stubborn', { metadata: { finalizers: null } });
    await eventually('it is gone', async () => (await jobs.pod('stubborn')).metadata?.name === undefined);
  });

  it('mounts ConfigMaps and Secrets, and waits for those that are missing', async () => {
    const script = 'for (const file of process.argv.slice(1)) console.log(require("fs").readFileSync(file, "utf8"));';
    const print = `${script} console.log(process.env.FROM_SECRET, process.env.HOSTNAME);`;
    await jobs.create('/api/v1/namespaces/default/configmaps', {
      metadata: { name: 'settings' },
      data: { 'a.yaml': 'a: 1', 'b.yaml': 'b: 2' },
    });
    await jobs.createPod(
      'mounting',
      [print, '/etc/app/a.yaml', '/etc/app/deep/secret/token', '/etc/one.yaml', '/etc/all/renamed'],
      {
        volumes: [
          { name: 'settings', configMap: { name: 'settings' } },
          { name: 'token', secret: { secretName: 'token', defaultMode: 0o400 } },
          {
            name: 'all',
            projected: { sources: [{ configMap: { name: 'settings', items: [{ key: 'b.yaml', path: 'renamed' }] } }] },
          },
          { name: 'optional', secret: { secretName: 'none', optional: true } },
        ],
        containers: [
          {
            name: 'script',
            env: [{ name: 'FROM_SECRET', valueFrom: { secretKeyRef: { name: 'variables', key: 'name' } } }],
            volumeMounts: [
              { name: 'settings', mountPath: '/etc/app' },
              { name: 'token', mountPath: '/etc/app/deep/secret' },
              { name: 'settings', mountPath: '/etc/one.yaml', subPath: 'a.yaml' },
              { name: 'all', mountPath: '/etc/all' },
            ],
          },
        ],
      },
    );
    await jobs.untilPod('mounting', 'waits', (pod) => waitingOf(pod)?.reason === 'ContainerCreating');
    await eventually('its event names the Secret', async () => {
      const events = succeeded(await cluster.kubectl(['events', '--for=pod/mounting']));
      return /FailedMount.*volume "token" : secret "token" not found/.test(events);
    });
    const secrets = '/api/v1/namespaces/default/secrets';
    await jobs.create(secrets, { metadata: { name: 'token' }, stringData: { token: 't0ken' } });
    const pod = await jobs.untilPod('mounting', 'misses a variable', (pod) => waitingOf(pod)?.message !== undefined);
    const { reason, message } = waitingOf(pod) ?? {};
    assert.deepEqual([reason, message], ['CreateContainerConfigError', 'secret "variables" not found']);
    await jobs.create(secrets, { metadata: { name: 'variables' }, stringData: { name: 'value' } });
    await jobs.untilPod('mounting', 'has succeeded', ({ status }) => status?.phase === 'Succeeded');
    assert.equal(kubelet.output('mounting'), 'a: 1\nt0ken\na: 1\nb: 2\nvalue mounting\n');
  });

  it('restarts a container whose pod says OnFailure', async () => {
    const script = 'const {appendFileSync: append, readFileSync: read} = require("fs"); append("runs", "x");';
    const failOnce = `${script} if (read("runs", "utf8") === "x") { console.log("first run"); process.exit(1); }`;
    const container = { name: 'script', terminationMessagePolicy: 'FallbackToLogsOnError' };
    await jobs.createPod('restarted', [failOnce], { restartPolicy: 'OnFailure', containers: [container] });
    const pod = await jobs.untilPod('restarted', 'has succeeded', ({ status }) => status?.phase === 'Succeeded');
    const { restartCount, lastState } = pod.status?.containerStatuses?.[0] ?? {};
    assert.equal(restartCount, 1);
    assert.deepEqual([lastState?.terminated?.exitCode, lastState?.terminated?.message], [1, 'first run\n']);
  });

  it('leaves pods pending: no capacity, not schedulable, no image', async () => {
    const scheduled = ({ status }: V1Pod) => status?.conditions?.find(({ type }) => type === 'PodScheduled');
    kubelet.unschedulable = '0/2 nodes are available: 2 Insufficient cpu.';
    await jobs.createPod('pending', ['']);
    const waits = (pod: V1Pod) => scheduled(pod)?.reason === 'Unschedulable';
    const pod = await jobs.untilPod('pending', 'is not scheduled', waits);
    assert.equal(scheduled(pod)?.message, kubelet.unschedulable);
    kubelet.unschedulable = undefined;
    kubelet.maxPodsPerNode = 0;
    const full = '0/2 nodes are available: 2 Too many pods.';
    await jobs.untilPod('pending', 'has no room', (pod) => scheduled(pod)?.message === full);
    kubelet.maxPodsPerNode = 110;
    kubelet.refusedImages.set('example.org/node', 'not found');
    await jobs.createPod('imageless', ['']);
    const refused = await jobs.untilPod('imageless', 'waits', (pod) => waitingOf(pod)?.message !== undefined);
    assert.equal(waitingOf(refused)?.reason, 'ImagePullBackOff');
    assert.match(waitingOf(refused)?.message ?? '', /example\.org\/node.*not found/);
    kubelet.refusedImages.clear();
    for (const name of ['pending', 'imageless']) {
      await jobs.untilPod(name, 'has succeeded', ({ status }) => status?.phase === 'Succeeded');
    }
  });

  it('loses a node: its pod is replaced only when the node is declared out of service', async () => {
    await jobs.createJob('lost', [WAIT]);
    const pod = await jobs.untilRunning('lost');
    const first = await untilSaysPid(pod);
    const node = pod.spec?.nodeName ?? '';
    await kubelet.loseNode(node, { processes: 'running', detected: true });
    await jobs.delete(first, 0);
    await sleep(15_000);
    const pods = await jobs.podsOf('lost');
    assert.deepEqual(pods.map(nameOf), [first], 'a forced deletion does not end a pod of a Job');
    assert.equal(pods[0]?.status?.phase, 'Running');
    const taint = 'node.kubernetes.io/out-of-service=nodeshutdown:NoExecute';
    succeeded(await cluster.kubectl(['taint', 'node', node, taint]));
    const second = await jobs.untilRunning('lost', [first]);
    assert.notEqual(second.spec?.nodeName, node);
    assert.ok(isAlive(kubelet.output(first)), 'two pods of one index run in the partition');
    await kubelet.recoverNode(node);
    await eventually('the orphan is stopped', () => !isAlive(kubelet.output(first)));
    succeeded(await cluster.kubectl(['taint', 'node', node, `${taint}-`]));
  });

  it('reports the end of a pod that ended while the API server was unavailable', async () => {
    await jobs.createJob('outage', ['setTimeout(() => {}, 2000)'], { ttlSecondsAfterFinished: 2 });
    const first = nameOf(await jobs.untilRunning('outage'));
    await cluster.stopApiServer();
    await sleep(3_000);
    await cluster.startApiServer();
    await jobs.untilJob('outage', 'Complete');
    assert.match(kubelet.report(), /ECONNREFUSED/, 'the kubelet noticed');
    const gone = async () => (await jobs.pod(first)).metadata?.name === undefined;
    await eventually('Kubernetes removes the Job and its pod after the time to live', gone);
  });

  it('reports what happened on a lost node when it recovers', async () => {
    await jobs.createPod('unreported', [WAIT]);
    const pod = await jobs.untilPod('unreported', 'runs', ({ status }) => status?.phase === 'Running');
    const node = pod.spec?.nodeName ?? '';
    await kubelet.loseNode(node, { processes: 'killed' });
    await sleep(2_000);
    assert.equal((await jobs.pod('unreported')).status?.phase, 'Running');
    await kubelet.recoverNode(node);
    const failed = await jobs.untilPod('unreported', 'has failed', ({ status }) => status?.phase === 'Failed');
    assert.equal(terminatedOf(failed)?.exitCode, 137);
  });

  it('leaves no process behind', async () => {
    await jobs.createPod('left', [onTerm('')]);
    await untilSaysPid(await jobs.untilPod('left', 'runs', ({ status }) => status?.phase === 'Running'));
    assert.ok(isAlive(kubelet.output('left')));
    await kubelet[Symbol.asyncDispose]();
    const pids = [...kubelet.report().matchAll(/^pid \d+$/gm)].map(([line]) => line);
    assert.deepEqual(pids.filter(isAlive), []);
  });
});

function nameOf(pod: V1Pod | undefined): string {
  return pod?.metadata?.name ?? '';
}

function terminatedOf(pod: V1Pod | undefined) {
  return pod?.status?.containerStatuses?.[0]?.state?.terminated;
}

function waitingOf(pod: V1Pod) {
  return pod.status?.containerStatuses?.[0]?.state?.waiting;
}

/** Whether the process exists that wrote its id. */
function isAlive(output: string): boolean {
  try {
    return process.kill(Number(/pid (\d+)/.exec(output)?.[1]), 0);
  } catch {
    return false;
  }
}
