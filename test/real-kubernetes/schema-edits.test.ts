// Edits of a PromMigration on a real API server: the fields that define the copy are immutable, and tools that apply manifests own no
// defaults.

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { type Changes, changed, smallest } from '../api/manifests.ts';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';
import { eventually, succeeded } from './support/operator.ts';
import { collectionPath, type Refusal, type Resource } from './support/resource-requests.ts';

const OLD_CRD = fileURLToPath(new URL('../fixtures/upgrade/0.1.0/crd.yaml', import.meta.url));
const old = { ...smallest(), metadata: { name: 'old' } };

describe('an edit of a PromMigration on a real API server', function () {
  this.timeout(900_000);
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster();
    await cluster.applyCrd(OLD_CRD);
    const { status, body } = await cluster.request('POST', collectionPath(old), old);
    assert.deepEqual([status, (body as Resource).status], [201, undefined]);
    await cluster.applyCrd();
  });

  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  it('is not needed for an object of version 0.1.0 without a status: kstatus sees that no operator has looked at it', async () => {
    await eventually('the API server has the new schema', async () => {
      const { body } = await cluster.request('GET', `${collectionPath(old)}/old`);
      const { status } = body as Resource;
      return isDeepStrictEqual(status, { observedGeneration: -1 });
    });
  });

  describe('preserves the fields that define the copy', () => {
    const optional: Changes = {
      'spec.source.tenant': { value: 'a' },
      'spec.source.headers': { 'X-A': '1' },
      'spec.destination.tenant': { value: 'a' },
      'spec.destination.headers': { 'X-A': '1' },
      'spec.destination.progress.labels': { team: 'a' },
      'spec.selectors': ['up'],
      'spec.timeRange.end': '2024-02-01T00:00:00Z',
      'spec.externalLabels': { team: 'a' },
      'spec.relabelings': [{ action: 'labeldrop', regex: 'a' }],
    };
    const others: Changes = {
      'spec.source.url': 'http://other:9090/api/v1/read',
      'spec.source.tenant.value': 'b',
      'spec.source.tenant.header': 'X-Tenant',
      'spec.source.headers': { 'X-A': '2' },
      'spec.destination.url': 'http://other:8428/api/v1/write',
      'spec.destination.tenant.value': 'b',
      'spec.destination.headers': { 'X-B': '1' },
      'spec.destination.progress.labels': { team: 'b' },
      'spec.selectors': ['up', 'down'],
      'spec.timeRange.start': '2024-01-01T00:00:00.001Z',
      'spec.timeRange.end': '2024-02-01T00:00:00.001Z',
      'spec.timeRange.lag': '6m',
      'spec.externalLabels': { team: 'a', more: 'b' },
      'spec.relabelings': [{ action: 'labeldrop', regex: 'b' }],
    };
    const full = { ...changed(optional), metadata: { name: 'full' } };
    const bare = { ...smallest(), metadata: { name: 'bare' } };

    before(async () => {
      for (const manifest of [full, bare]) {
        const { status, body } = await cluster.request('POST', collectionPath(manifest), manifest);
        assert.equal(status, 201, JSON.stringify(body));
      }
    });

    async function patch(name: string, path: string, value: unknown): Promise<{ status: number; body: Refusal }> {
      const change = path.split('.').reduceRight<unknown>((inner, field) => ({ [field]: inner }), value);
      const address = `${collectionPath(full)}/${name}?dryRun=All&fieldValidation=Strict`;
      const response = await cluster.request('PATCH', address, change, 'application/merge-patch+json');
      return response as { status: number; body: Refusal };
    }

    function assertKept(path: string, { status, body }: { status: number; body: Refusal }): void {
      const name = /^spec\.((?:source|destination)\.(?:url|tenant|headers|progress\.labels)|\w+)/.exec(path)?.[1];
      assert.equal(status, 422, JSON.stringify(body));
      // Kubernetes 1.30 says the type of the value too.
      const said = (body.details?.causes ?? []).map(({ message }) => message.replace(': "object": ', ': '));
      const expected = `Invalid value: ${name} is immutable because it defines the copy; create another PromMigration`;
      assert.deepEqual(said, [expected]);
    }

    for (const [path, value] of Object.entries(others)) {
      it(`when ${path} is changed`, async () => assertKept(path, await patch('full', path, replacing(path, value))));
    }
    for (const [path, value] of Object.entries(optional)) {
      it(`when ${path} appears`, async () => assertKept(path, await patch('bare', path, value)));
      it(`when ${path} vanishes`, async () => assertKept(path, await patch('full', path, null)));
    }

    /** A merge patch adds to a map; keys to remove have to be named. */
    function replacing(path: string, value: unknown): unknown {
      return path === 'spec.destination.headers' ? { ...(value as object), 'X-A': null } : value;
    }

    const free: Changes = {
      'spec.suspend': true,
      'spec.limits': {
        memory: '512Mi',
        inFlightWrites: 8,
        samplesPerWrite: 2000,
        samplesPerSecond: 5,
        bytesPerSecond: '1M',
      },
      'spec.window': { min: '2s', max: '10m', targetSamples: 1000 },
      'spec.execution': { mode: 'Job', parallelism: 0, stretch: '1d', job: { podLabels: { a: 'b' } } },
      'spec.progressDeadlineSeconds': 60,
      'spec.activeDeadlineSeconds': 3600,
      'spec.ttlSecondsAfterFinished': 0,
      'spec.rejectedSamples': 'Skip',
      'spec.preflight': 'Enforce',
      'spec.verification': { mode: 'Full', onDifference: 'Report', onExtra: 'Ignore', settle: '1m' },
      'spec.source.basicAuth': { username: { name: 'a', key: 'u' }, password: { name: 'a', key: 'p' } },
      'spec.destination.authorization': { credentials: { name: 'a', key: 'b' } },
      'spec.destination.tls': { ca: { configMap: { name: 'a', key: 'b' } } },
      'spec.source.timeouts': { silence: '1m' },
      'spec.source.readMode': 'Samples',
    };
    for (const [path, value] of Object.entries(free)) {
      it(`and lets ${path} be set, changed and removed`, async () => {
        const name = 'bare';
        const address = `${collectionPath(bare)}/${name}`;
        const before = (await cluster.request('GET', address)).body as Resource;
        const change = (content: unknown) =>
          path.split('.').reduceRight<unknown>((inner, field) => ({ [field]: inner }), content);
        const send = async (content: unknown): Promise<Resource> => {
          const reply = await cluster.request('PATCH', address, change(content), 'application/merge-patch+json');
          assert.equal(reply.status, 200, JSON.stringify(reply.body));
          return reply.body as Resource;
        };
        const set = await send(value);
        assert.equal(set.metadata.generation, before.metadata.generation + 1);
        assert.notDeepEqual(set.spec, before.spec);
        assert.deepEqual((await send(null)).spec, before.spec, 'the defaults are back');
      });
    }
  });

  describe('with kubectl scale', () => {
    const inOrder = { ...smallest(), metadata: { name: 'one' } };
    const any = { ...changed({ 'spec.destination.ordering': 'Any' }), metadata: { name: 'many' } };

    before(async () => {
      for (const manifest of [inOrder, any])
        succeeded(await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(manifest)));
    });

    async function read(name: string): Promise<Resource> {
      return (await cluster.request('GET', `${collectionPath(any)}/${name}`)).body as Resource;
    }

    it('sees the default parallelism, and no stretch under way', async () => {
      const { status, body } = await cluster.request('GET', `${collectionPath(any)}/many/scale`);
      assert.equal(status, 200, JSON.stringify(body));
      const { spec, status: observed } = body as { spec: unknown; status: unknown };
      assert.deepEqual([spec, observed], [{ replicas: 1 }, { replicas: 0 }]);
    });

    it('sets the parallelism and nothing else', async () => {
      const { spec } = await read('many');
      succeeded(await cluster.kubectl(['scale', 'pmig/many', '--replicas=4']));
      const scaled = await read('many');
      const execution = { ...(spec['execution'] as object), parallelism: 4 };
      assert.deepEqual(scaled.spec, { ...spec, execution });
    });

    it('is rejected by the rules of the manifest', async () => {
      const ordered = await cluster.kubectl(['scale', 'pmig/one', '--replicas=2']);
      assert.match(ordered.stderr, /must not be more than 1 with destination\.ordering InOrder/);
      const none = await cluster.kubectl(['scale', 'pmig/many', '--replicas=0']);
      assert.match(none.stderr, /to pause the migration, set spec\.suspend to true/);
      assert.deepEqual([ordered.code, none.code], [1, 1]);
    });
  });

  describe('can be managed by GitOps', () => {
    const named = (name: string): Record<string, unknown> => ({
      ...smallest(),
      metadata: { name, namespace: 'default' },
    });

    async function apply(manager: string, manifest: object): Promise<string> {
      const args = ['apply', '--server-side', `--field-manager=${manager}`, '-f', '-'];
      return succeeded(await cluster.kubectl(args, JSON.stringify(manifest)));
    }

    async function read(name: string): Promise<Resource & { spec: { limits: Record<string, unknown> } }> {
      const text = succeeded(await cluster.kubectl(['get', 'pmig', name, '-o', 'json']));
      return JSON.parse(text) as Resource & { spec: { limits: Record<string, unknown> } };
    }

    it('by two managers with server-side apply, without conflicts over defaults', async () => {
      const whole = named('shared');
      const { spec: _, ...head } = whole;
      const tuning = { ...head, spec: { limits: { inFlightWrites: 12 }, suspend: true } };
      await apply('argo', whole);
      await apply('tuner', tuning);
      const tuned = await read('shared');
      assert.equal(tuned.spec.limits['inFlightWrites'], 12);
      assert.equal(tuned.spec.limits['samplesPerWrite'], 50_000, 'the default of what nobody set');
      for (let round = 1; round <= 2; round++) {
        await apply('argo', whole);
        await apply('tuner', tuning);
      }
      const after = await read('shared');
      assert.deepEqual(after.spec, tuned.spec);
      assert.equal(after.metadata.generation, tuned.metadata.generation, 'applying again changes nothing');
      const diff = await cluster.kubectl(
        ['diff', '--server-side', '--field-manager=argo', '-f', '-'],
        JSON.stringify(whole),
      );
      assert.equal(diff.code, 0, diff.stdout + diff.stderr);
      // The tuner removes its field, and the default returns.
      await apply('tuner', head);
      assert.equal((await read('shared')).spec.limits['inFlightWrites'], 8);
    });

    it('and two managers with different values get a conflict', async () => {
      const args = ['apply', '--server-side', '--field-manager=other', '-f', '-'];
      await apply('argo', {
        ...named('contested'),
        spec: { ...(named('contested')['spec'] as object), suspend: false },
      });
      const change = { ...named('contested'), spec: { ...(named('contested')['spec'] as object), suspend: true } };
      const refused = await cluster.kubectl(args, JSON.stringify(change));
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, /conflict with "argo": \.spec\.suspend/);
    });

    it('with client-side apply, which finds no difference the second time', async () => {
      const text = JSON.stringify(named('classic'));
      succeeded(await cluster.kubectl(['apply', '-f', '-'], text));
      assert.match(succeeded(await cluster.kubectl(['apply', '-f', '-'], text)), /unchanged/);
      const diff = await cluster.kubectl(['diff', '-f', '-'], text);
      assert.equal(diff.code, 0, diff.stdout + diff.stderr);
    });

    it('and suspended by hand', async () => {
      succeeded(await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(named('by-hand'))));
      const change = ['patch', 'pmig', 'by-hand', '--type=merge', '-p', '{"spec":{"suspend":true}}'];
      assert.match(succeeded(await cluster.kubectl(change)), /patched/);
      assert.equal((await read('by-hand')).spec['suspend'], true);
    });
  });
});
