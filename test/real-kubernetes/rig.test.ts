// Checks the environment of all tests on a real Kubernetes API: the API server accepts and validates our resource, enforces RBAC, keeps its
// data while parts of it are stopped, and no process outlives a test.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findServer } from '../support/install.ts';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';
import { KUBERNETES } from '../support/server-sources.ts';
import { eventually, succeeded } from './support/operator.ts';

const EXAMPLE = resolve(import.meta.dirname, '../../examples/prometheus-to-prometheus.yaml');

const chart = {
  'Chart.yaml':
    'apiVersion: v2\nname: rig\ndescription: For the rig.\nversion: 1.0.0\nkubeVersion: ">=1.30.0-0"\nicon: https://example.org/i.svg\n',
  'values.yaml': 'greeting: hello\n',
  'templates/config.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  greeting: {{ .Values.greeting | quote }}\n',
};

async function writeChart(directory: string): Promise<void> {
  await mkdir(join(directory, 'templates'), { recursive: true });
  for (const [name, text] of Object.entries(chart)) await writeFile(join(directory, name), text);
}

describe('a real Kubernetes API', function () {
  this.timeout(900_000);
  let cluster: Cluster;
  let directory = '';

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'prom-migrator-rig-'));
    // Build times do not count as startup time.
    for (const name of ['kube-apiserver', 'kubectl'] as const) await findServer(name, KUBERNETES);
    await findServer('etcd', '3.5');
    const startedMs = Date.now();
    cluster = await startCluster({ audit: true });
    const tookMs = Date.now() - startedMs;
    assert.ok(tookMs < 30_000, `ready after ${tookMs} ms`);
    await cluster.applyCrd();
  });

  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  it('has the requested version, and its namespaces', async () => {
    const { status, body } = await cluster.request('GET', '/version');
    assert.equal(status, 200);
    assert.equal((body as { gitVersion: string }).gitVersion.replace(/^v/, ''), cluster.version);
    const names = succeeded(await cluster.kubectl(['get', 'namespaces', '-o', 'name'])).split('\n');
    assert.ok(names.includes('namespace/default') && names.includes('namespace/kube-system'), names.join());
  });

  it('accepts the CRD without warnings', async () => {
    const conditions = '-o=jsonpath={range .status.conditions[*]}{.type}={.status} {end}';
    const text = succeeded(await cluster.kubectl(['get', 'crd', 'prommigrations.prom-migrator.io', conditions]));
    assert.match(text, /Established=True/);
    assert.match(text, /NamesAccepted=True/);
    assert.doesNotMatch(text, /NonStructuralSchema=True/);
  });

  it('explains the fields', async () => {
    const text = succeeded(await cluster.kubectl(['explain', 'prommigration.spec.destination.progress']));
    assert.match(text, /prom_migrator_progress/);
    assert.match(text, /protocol\t<string>/);
  });

  it('accepts an example and sets its defaults', async () => {
    succeeded(await cluster.kubectl(['apply', '-f', EXAMPLE]));
    const ordering = '-o=jsonpath={.spec.destination.ordering} {.spec.progressDeadlineSeconds}';
    assert.equal(
      succeeded(await cluster.kubectl(['get', 'pmig', 'prometheus-to-prometheus', ordering])),
      'InOrder 600',
    );
  });

  it("rejects what the CRD's rules forbid, with their messages", async () => {
    const text = (await readFile(EXAMPLE, 'utf8')).replace('name: prometheus-to-prometheus', 'name: too-wide');
    const invalid = text.replace('\nspec:\n', '\nspec:\n  window: { max: 2h }\n');
    assert.notEqual(invalid, text);
    const { code, stderr } = await cluster.kubectl(['apply', '-f', '-'], invalid);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /spec\.window\.max: Invalid value.*must not be longer than 1h with destination\.ordering InOrder/,
    );
    const patch = '{"spec":{"timeRange":{"start":"2023-01-01T00:00:00Z"}}}';
    const change = await cluster.kubectl(['patch', 'pmig', 'prometheus-to-prometheus', '--type=merge', '-p', patch]);
    assert.equal(change.code, 1);
    assert.match(change.stderr, /timeRange is immutable because it defines the copy/);
  });

  it('gives a service account the permissions of its roles, and no others', async () => {
    succeeded(await cluster.kubectl(['create', 'namespace', 'tenant']));
    succeeded(await cluster.kubectl(['create', 'serviceaccount', 'reader', '--namespace=tenant']));
    const kubeconfig = await cluster.serviceAccountKubeconfig('tenant', 'reader');
    const refused = await cluster.kubectl(['get', 'pmig'], undefined, { kubeconfig });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /Forbidden.*system:serviceaccount:tenant:reader.*in the namespace "tenant"/);

    const resource = '--resource=prommigrations.prom-migrator.io';
    const role = ['create', 'role', 'reader', '--namespace=tenant', '--verb=get,list', resource];
    succeeded(await cluster.kubectl(role));
    const account = '--serviceaccount=tenant:reader';
    succeeded(await cluster.kubectl(['create', 'rolebinding', 'reader', '-n=tenant', '--role=reader', account]));
    await eventually('the role is obeyed', async () => {
      return (await cluster.kubectl(['get', 'pmig'], undefined, { kubeconfig })).code === 0;
    });
    for (const args of [
      ['get', 'secrets'],
      ['get', 'pmig', '--namespace=default'],
      ['delete', 'pmig', 'any'],
    ]) {
      const { code, stderr } = await cluster.kubectl(args, undefined, { kubeconfig });
      assert.equal(code, 1, args.join(' '));
      assert.match(stderr, /Forbidden/, args.join(' '));
    }
  });

  it('logs the requests with their users', async () => {
    const events = (await cluster.auditEvents()).filter(
      ({ user }) => user.username === 'system:serviceaccount:tenant:reader',
    );
    const codes = (resource: string) =>
      events.filter(({ objectRef }) => objectRef?.resource === resource).map((event) => event.responseStatus?.code);
    assert.deepEqual(codes('secrets'), [403]);
    assert.ok(codes('prommigrations').includes(200));
    assert.ok(codes('prommigrations').includes(403));
  });

  it('keeps its data, its address and its tokens while it is stopped', async () => {
    const identity = [
      'get',
      'pmig',
      'prometheus-to-prometheus',
      '-o=jsonpath={.metadata.uid} {.metadata.resourceVersion}',
    ];
    const before = succeeded(await cluster.kubectl(identity));
    const kubeconfig = await cluster.serviceAccountKubeconfig('tenant', 'reader');
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await cluster.stopApiServer(signal);
      const away = await cluster.kubectl(['get', 'pmig', '--request-timeout=5s']);
      assert.match(away.stderr, /refused/);
      await cluster.startApiServer();
      assert.equal(succeeded(await cluster.kubectl(identity)), before);
    }
    succeeded(await cluster.kubectl(['get', 'pmig'], undefined, { kubeconfig }));
  });

  it('keeps its data when etcd crashes, and responds again once it is back', async () => {
    succeeded(await cluster.kubectl(['create', 'configmap', 'last-words', '--from-literal=said=yes']));
    const apiServer = cluster.pids()['kube-apiserver'];
    await cluster.stopEtcd();
    const away = await cluster.kubectl(['get', 'configmap', 'last-words', '--request-timeout=2s']);
    assert.notEqual(away.code, 0);
    await cluster.startEtcd();
    const words = ['get', 'configmap', 'last-words', '-o=jsonpath={.data.said}', '--request-timeout=5s'];
    await eventually(
      'the API server has found etcd again',
      async () => (await cluster.kubectl(words)).stdout === 'yes',
    );
    assert.equal(cluster.pids()['kube-apiserver'], apiServer);
    assert.match(cluster.log(), /== etcd, stopped/);
  });

  it('ends a kubectl watch when aborted, and streams its output', async () => {
    const stop = new AbortController();
    let seen = '';
    const onOutput = (text: string) => {
      seen += text;
      if (seen.includes('prometheus-to-prometheus')) stop.abort();
    };
    const { code } = await cluster.kubectl(['get', 'pmig', '--watch'], undefined, { signal: stop.signal, onOutput });
    assert.notEqual(code, 0);
    assert.match(seen, /NAME +PHASE +PROGRESS +SAMPLES/);
  });

  it("installs a helm release that is independent of the user's own settings", async () => {
    const namespace = process.env['HELM_NAMESPACE'];
    process.env['HELM_NAMESPACE'] = 'nowhere';
    try {
      await installUpgradeAndRemove();
    } finally {
      if (namespace === undefined) delete process.env['HELM_NAMESPACE'];
      else process.env['HELM_NAMESPACE'] = namespace;
    }
  });

  async function installUpgradeAndRemove(): Promise<void> {
    assert.match(succeeded(await cluster.helm(['version', '--short'])), /^v4\./);
    const path = join(directory, 'rig');
    await writeChart(path);
    assert.match(succeeded(await cluster.helm(['lint', '--strict', path])), /1 chart\(s\) linted, 0 chart\(s\) failed/);
    const greeting = ['get', 'configmap', 'release', '-o=jsonpath={.data.greeting}'];
    succeeded(await cluster.helm(['install', 'release', path]));
    assert.equal(succeeded(await cluster.kubectl(greeting)), 'hello');
    succeeded(await cluster.helm(['upgrade', 'release', path, '--values', '-'], 'greeting: good day\n'));
    assert.equal(succeeded(await cluster.kubectl(greeting)), 'good day');
    succeeded(await cluster.helm(['rollback', 'release']));
    assert.equal(succeeded(await cluster.kubectl(greeting)), 'hello');
    succeeded(await cluster.helm(['uninstall', 'release']));
    assert.equal((await cluster.kubectl(greeting)).code, 1);
  }
});

describe("Kubernetes' own controllers", function () {
  this.timeout(900_000);

  it('aggregate roles, delete namespaces and delete objects whose owner is gone', async () => {
    await using cluster = await startCluster({ controllerManager: true });
    const role = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'see-migrations', labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
      rules: [{ apiGroups: ['prom-migrator.io'], resources: ['prommigrations'], verbs: ['get', 'list', 'watch'] }],
    };
    succeeded(await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(role)));
    const view = ['get', 'clusterrole', 'view', '-o=jsonpath={.rules[*].resources}'];
    await eventually('the role is part of view', async () => {
      return (await cluster.kubectl(view)).stdout.includes('prommigrations');
    });

    succeeded(await cluster.kubectl(['create', 'namespace', 'short-lived']));
    succeeded(await cluster.kubectl(['create', 'deployment', 'idle', '--image=none', '--namespace=short-lived']));
    const replicaSets = ['get', 'replicasets', '--namespace=short-lived', '-o', 'name'];
    await eventually('a replica set', async () => (await cluster.kubectl(replicaSets)).stdout.includes('idle-'));
    succeeded(await cluster.kubectl(['delete', 'deployment', 'idle', '--namespace=short-lived']));
    await eventually('no replica set', async () => (await cluster.kubectl(replicaSets)).stdout === '');
    succeeded(await cluster.kubectl(['delete', 'namespace', 'short-lived', '--timeout=30s']));
  });
});
