// The chart's admission policy on a real API server: a PromMigration connects only to the hosts that its namespace may use, however a URL
// is written, and in every field that decides where a request goes.

import assert from 'node:assert/strict';
import { type Changes, changed } from '../api/manifests.ts';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';
import {
  ALLOWED,
  CHANGES_OF_ENDPOINTS,
  CHANGES_THAT_MAY_START,
  EVASIONS,
  evilChanges,
  OTHER_PORTS,
} from './support/endpoint-attempts.ts';
import { MigrationObjects } from './support/migration-objects.ts';
import { CHART, eventually, installChart, OPERATOR_NAMESPACE, succeeded } from './support/operator.ts';
import { collectionPath, type Refusal } from './support/resource-requests.ts';

const POLICY = 'prom-migrator-endpoints';
const FORBIDDEN = { source: { url: 'http://source.evil.example/read' } };

interface Reply {
  readonly status: number;
  readonly body: Refusal;
}

describe("the chart's admission policy", function () {
  this.timeout(900_000);
  let cluster: Cluster;
  let older: MigrationObjects;

  before(async () => {
    cluster = await startCluster();
    await installChart(cluster, {}, { lease: 'none' });
    older = await MigrationObjects.inNamespace(cluster, 'older');
    for (const name of ['team-a', 'anything', 'partly', 'unlisted'])
      succeeded(await cluster.kubectl(['create', 'namespace', name]));
    const { spec } = changed({ 'spec.source.url': FORBIDDEN.source.url, 'spec.suspend': true }) as { spec: object };
    await older.create('suspended', spec);
    await older.create('running', { ...spec, suspend: false });
    await upgrade({ enabled: true, ...ALLOWED });
    await eventually('the policy is in force', async () => (await create('unlisted', {})).status === 403);
  });

  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  async function upgrade(admissionPolicy: object): Promise<void> {
    const args = ['upgrade', 'prom-migrator', CHART, '-n', OPERATOR_NAMESPACE, '--values', '-'];
    succeeded(await cluster.helm(args, JSON.stringify({ admissionPolicy })));
  }

  /** A server-side dry run, on which the policy acts as well. */
  async function create(namespace: string, changes: Changes): Promise<Reply> {
    const manifest = changed({ 'metadata.namespace': namespace, ...changes });
    return (await cluster.request('POST', collectionPath(manifest, '?dryRun=All'), manifest)) as Reply;
  }

  function assertRefused({ status, body }: Reply, field: string): void {
    assert.equal(status, 403, JSON.stringify(body));
    assert.ok(body.message.includes(`${POLICY}' denied request: `), body.message);
    assert.ok(body.message.includes(`${field}: `), body.message);
  }

  it('admits what the namespace may use', async () => {
    const { status, body } = await create('team-a', {});
    assert.equal(status, 201, body.message);
  });

  it('admits a StoreAPI', async () => {
    const url = 'grpc://store.example.com:10901';
    const { status, body } = await create('team-a', { 'spec.source.protocol': 'ThanosStore', 'spec.source.url': url });
    assert.equal(status, 201, body.message);
  });

  it('names field, host, what is allowed and whom to ask', async () => {
    const { status, body } = await create('team-a', { 'spec.source.url': 'https://evil.example/read?token=hidden' });
    assert.equal(status, 403);
    assert.match(
      body.message,
      /spec\.source\.url: https:\/\/evil\.example:443 is not in the sources that are allowed in the namespace team-a; use http:\/\/source:9090, .*, or ask who runs the operator to allow it$/,
    );
    assert.doesNotMatch(body.message, /hidden/);
  });

  it('uses the default for lists that the namespace does not have, and can allow everything', async () => {
    const { status, body } = await create('unlisted', {});
    assert.equal(status, 403);
    for (const field of ['destination.url', 'destination.progress.url'])
      assert.ok(body.message.includes(`spec.${field}: `), body.message);
    assert.doesNotMatch(body.message, /spec\.source/, 'allowed by default');
    assert.match(body.message, /in the namespace unlisted; none is, or ask/);
    const partly = await create('partly', {});
    assert.equal(partly.status, 201, partly.body.message);
    for (const changes of Object.values(evilChanges())) {
      const admitted = await create('anything', changes);
      assert.equal(admitted.status, 201, admitted.body.message);
    }
  });

  for (const [field, changes] of Object.entries(evilChanges())) {
    it(`checks ${field}`, async () => {
      assertRefused(await create('team-a', changes), field);
    });
  }

  for (const [url, reason] of EVASIONS) {
    it(`is not evaded by ${reason}: ${JSON.stringify(url)}`, async () => {
      for (const field of ['spec.source.url', 'spec.destination.url']) {
        const reply = await create('team-a', { [field]: url });
        // 422: the schema rejects it.
        if (reply.status !== 422) assertRefused(reply, field);
      }
    });
  }

  for (const [url, isAllowed] of OTHER_PORTS) {
    it(`${isAllowed ? 'admits' : 'refuses'} ${url}`, async () => {
      const reply = await create('team-a', { 'spec.destination.url': url });
      if (isAllowed) assert.equal(reply.status, 201, reply.body.message);
      else assertRefused(reply, 'spec.destination.url');
    });
  }

  it('lets what is older than it end, be suspended and deleted, and checks it before it may start', async () => {
    const refused = /spec\.source\.url: http:\/\/source\.evil\.example:80 /;
    for (const [title, spec] of Object.entries(CHANGES_THAT_MAY_START)) {
      await assert.rejects(older.edit('running', spec), refused, title);
      await older.edit('suspended', spec);
    }
    await older.edit('running', { suspend: true, limits: { inFlightWrites: 3 } });
    await older.putFinalizers('running', ['example.org/hold']);
    await older.forge('running', { phase: 'Suspended' });
    for (const [title, spec] of Object.entries(CHANGES_OF_ENDPOINTS))
      await assert.rejects(older.edit('running', spec), refused, title);
    await older.delete('running');
    await older.putFinalizers('running', []);
    assert.equal(await older.exists('running'), false);
  });

  it('checks a change like a new migration', async () => {
    const objects = await MigrationObjects.inNamespace(cluster, 'team-b');
    await objects.create('move', (changed({}) as { spec: object }).spec);
    await objects.edit('move', { suspend: true });
    await objects.edit('move', { suspend: false });
    await assert.rejects(objects.edit('move', { source: { proxyUrl: 'http://evil.example:3128' } }), /proxyUrl/);
    await objects.edit('move', { source: { proxyUrl: 'http://proxy.example.com:3128' } });
    for (const spec of Object.values(CHANGES_THAT_MAY_START)) await objects.edit('move', spec);
  });

  it('refuses kubectl scale, which does not show the hosts', async () => {
    const { code, stderr } = await cluster.kubectl(['scale', 'pmig/suspended', '--replicas=0', '-n', 'older']);
    assert.notEqual(code, 0);
    assert.match(stderr, /kubectl scale .*; change spec\.execution\.parallelism/);
  });

  const inherited = 'spec.destination.progress.tls.serverName';
  it(`checks a ${inherited} that is inherited`, async () => {
    // The name belongs to a host that is allowed at the destination's port only.
    const both = {
      'spec.destination.url': 'https://destination.example.com',
      'spec.destination.tls': { serverName: 'destination.example.com' },
      'spec.destination.progress.url': 'https://eu.stores.example.com',
    };
    assert.equal((await create('team-a', both)).status, 201);
    const elsewhere = { ...both, 'spec.destination.progress.url': 'http://10.0.0.1:9090' };
    assertRefused(await create('team-a', elsewhere), inherited);
    const own = await create('team-a', {
      ...elsewhere,
      'spec.destination.progress.tls': { insecureSkipVerify: false },
    });
    assert.equal(own.status, 201, own.body.message);
    const none = { 'spec.destination.progress': { protocol: 'None' } };
    const unused = await create('team-a', { ...both, ...none });
    assert.equal(unused.status, 201, unused.body.message);
  });

  it('is within the limits of the API server with many namespaces and many hosts', async () => {
    const hosts = (count: number) =>
      Array.from({ length: count }, (_, host) => `https://store-${host}.example.com:8443`);
    const small = { sources: hosts(5), destinations: hosts(5) };
    const namespaces = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`team-${at}`, small]));
    const long = [...hosts(300), 'http://source:9090', 'http://destination:8428'];
    await upgrade({ enabled: true, namespaces: { ...namespaces, 'team-a': { sources: long, destinations: long } } });
    await eventually('it is in force', async () => (await create('partly', {})).status === 403);
    const admitted = await create('team-a', {});
    assert.equal(admitted.status, 201, admitted.body.message);
    const refused = await create('team-a', { 'spec.source.url': 'http://evil.example' });
    assert.equal(refused.status, 403);
    // All hosts of the list would make a message that is longer than the API server allows.
    assert.match(refused.body.message, /connects to a host that is not allowed in its namespace; ask who runs/);
  });
});
