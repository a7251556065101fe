// Holds the CRD to its promise on a real API server: what `run` takes and refuses the server takes and refuses, in the same words; what defines a
// copy cannot be changed; defaults are the same and belong to nobody; every field explains itself.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { COMPILED_CRD } from '../../src/api/compiled-crd.ts';
import type { Schema } from '../../src/api/crd.ts';
import { validateMigration } from '../../src/api/validate.ts';
import { badManifests, goodManifests } from '../api/manifest-tables.ts';
import { type Changes, changed, nowMs, smallest } from '../api/manifests.ts';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';
import { succeeded } from './support/operator.ts';

const { schema, apiVersion } = COMPILED_CRD.resource;
const EXAMPLES = new URL('../../examples/', import.meta.url);

interface Resource {
  metadata: { name: string; generation: number; namespace: string };
  spec: Record<string, unknown>;
  status?: unknown;
}

interface Cause {
  reason: string;
  message: string;
  field: string;
}

interface Refusal {
  reason: string;
  message: string;
  details?: { causes?: Cause[] };
}

/** What only someone who parses URLs, PromQL and RE2, or looks at the clock, can find wrong. */
const BEYOND_THE_SERVER = [
  / must be a PromQL series selector: /,
  / must be an absolute http:\/\/ or https:\/\/ URL with a valid host and port$/,
  / must be in the past \(it is now .*\)$/,
  / must be earlier than now minus lag, /,
  / must not be in the future /,
];

function collectionPath(manifest: Record<string, unknown>, query = ''): string {
  const namespace = (manifest['metadata'] as { namespace?: string } | undefined)?.namespace ?? 'default';
  return `/apis/${apiVersion}/namespaces/${namespace}/prommigrations${query}`;
}

function* nodesOf(node: Schema, path: readonly string[] = []): Generator<readonly [readonly string[], Schema]> {
  yield [path, node];
  for (const [name, field] of Object.entries(node.properties ?? {})) yield* nodesOf(field, [...path, name]);
  if (node.items !== undefined) yield* nodesOf(node.items, path);
}

const ruleMessages = new Set(
  [...nodesOf(schema)].flatMap(([, node]) => (node['x-kubernetes-validations'] ?? []).map(({ message }) => message)),
);

/** As the server writes it. */
function pathOf(line: string): string {
  return (line.split(': ', 1)[0] ?? '').replaceAll(/\["([^"]*)"\]/g, '.$1');
}

function titleOf(changes: Changes): string {
  return JSON.stringify(changes, (_, value) => (value === undefined ? '(none)' : value)).slice(0, 120);
}

describe('the PromMigration resource on a real API server', function () {
  this.timeout(900_000);
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster();
    await cluster.applyCrd();
  });

  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  /** What the server would make of it, without keeping it. */
  async function dryRun(manifest: Record<string, unknown>): Promise<{ status: number; body: Resource & Refusal }> {
    const path = collectionPath(manifest, '?dryRun=All&fieldValidation=Strict');
    return (await cluster.request('POST', path, manifest)) as { status: number; body: Resource & Refusal };
  }

  it('is accepted, its rules within the budget that the server has for them', async () => {
    const response = await cluster.request(
      'GET',
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/prommigrations.prom-migrator.io',
    );
    const { conditions } = (response.body as { status: { conditions: { type: string; status: string }[] } }).status;
    const states = Object.fromEntries(conditions.map(({ type, status }) => [type, status]));
    assert.equal(states['Established'], 'True');
    assert.equal(states['NamesAccepted'], 'True');
    assert.equal(states['NonStructuralSchema'], undefined);
    assert.equal(succeeded(await cluster.kubectl(['get', 'pmig', '-o', 'name'])), '');
  });

  describe('refuses what run refuses', () => {
    for (const [changes, lines] of badManifests) {
      const seen = lines.filter((line) => !BEYOND_THE_SERVER.some((beyond) => beyond.test(line)));
      const manifest = changed(changes);
      if (seen.length === 0) {
        it(`apart from what a schema cannot say: ${titleOf(changes)}`, async () => {
          const { status, body } = await dryRun(manifest);
          assert.equal(status, 201, body.message);
        });
        continue;
      }
      it(`and for the same reason: ${titleOf(changes)}`, async () => {
        const { status, body } = await dryRun(manifest);
        assert.ok(status === 400 || status === 404 || status === 422, `${status} ${JSON.stringify(body)}`);
        if (status !== 422) return assertSaidAtOnce(body, seen);
        const causes = body.details?.causes ?? [];
        // A rule further out that stumbles over the same value.
        const own = causes.filter(({ field, message }) => field !== '<nil>' && !message.includes('evaluating rule'));
        const paths = seen.map(pathOf);
        assert.deepEqual([...new Set(own.map(({ field }) => field))].sort(), [...new Set(paths)].sort());
        if (causes.some(({ message }) => message.includes('some validation rules were not checked'))) return;
        for (const line of seen) {
          const rule = [...ruleMessages].find((message) => message !== undefined && line.endsWith(`: ${message}`));
          const said = own.filter(({ field }) => field === pathOf(line)).map(({ message }) => message);
          if (rule !== undefined)
            assert.ok(
              said.some((message) => message.endsWith(`: ${rule}`)),
              said.join('\n'),
            );
        }
      });
    }

    /** What the server says before it looks at values. */
    function assertSaidAtOnce({ message }: Refusal, lines: readonly string[]): void {
      const unknown = [...message.matchAll(/unknown field "([^"]*)"/g)].map(([, path]) => path);
      const expected = lines.filter((line) => line.includes(': unknown field;')).map(pathOf);
      if (expected.length > 0) assert.deepEqual(unknown.sort(), expected.sort());
      else assert.deepEqual([lines.map(pathOf), /namespace/.test(message)], [['metadata.namespace'], true], message);
    }
  });

  describe('takes what run takes, with the same defaults', () => {
    for (const [name, changes] of goodManifests) {
      it(name, async () => {
        const manifest = changed(changes);
        const { status, body } = await dryRun(manifest);
        assert.equal(status, 201, body.message);
        assert.deepEqual(body.spec, specOfRun(manifest));
        assert.equal(body.status, undefined, 'the status is the operator’s');
      });
    }

    for (const file of readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml'))) {
      it(`examples/${file}`, async () => {
        const text = readFileSync(new URL(file, EXAMPLES), 'utf8');
        const applied = await cluster.kubectl(['apply', '--dry-run=server', '--validate=strict', '-f', '-'], text);
        succeeded(applied);
        assert.doesNotMatch(applied.stderr, /Warning/);
        for (const document of parseAllDocuments(text)) {
          const manifest = document.toJS() as Record<string, unknown> | null;
          if (manifest?.['kind'] !== 'PromMigration') continue;
          const { status, body } = await dryRun(manifest);
          assert.equal(status, 201, body.message);
          assert.deepEqual(body.spec, specOfRun(manifest));
        }
      });
    }

    function specOfRun(manifest: unknown): unknown {
      const validated = validateMigration(manifest, Math.max(nowMs, Date.now()));
      assert.ok('migration' in validated, JSON.stringify(validated));
      return JSON.parse(JSON.stringify(validated.migration.spec)) as unknown;
    }
  });

  it('explains every field to kubectl explain', async () => {
    const parents = [...nodesOf(schema)].filter(
      ([path, node]) => node.properties !== undefined && path[0] !== 'metadata',
    );
    assert.ok(parents.length > 30, `${parents.length} objects`);
    const silent: string[] = [];
    const queue = [...parents];
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
          const [path, node] = next;
          const name = ['prommigration', ...path].join('.');
          const text = succeeded(await cluster.kubectl(['explain', name]));
          const described = describedFields(text);
          assert.deepEqual([...described.keys()].sort(), Object.keys(node.properties ?? {}).sort(), name);
          for (const [field, words] of described) {
            if (!/[a-z]/i.test(words) || words.includes('<no description>')) silent.push(`${name}.${field}`);
          }
        }
      }),
    );
    assert.deepEqual(silent, []);
    const [, limits = ''] = succeeded(await cluster.kubectl(['explain', 'pmig.spec.limits'])).split(/^FIELDS:$/m);
    assert.match(limits, /^ {2}memory\t<string>$/m);
    assert.doesNotMatch(limits, /<Object>/, 'a quantity is no object');
    const manual = succeeded(await cluster.kubectl(['explain', 'pmig.spec.destination.progress']));
    const ours = schema.properties?.['spec']?.properties?.['destination']?.properties?.['progress']?.description ?? '';
    assert.ok(manual.replaceAll(/\s+/g, ' ').includes(ours.slice(0, 60)), manual);
  });

  describe('keeps what defines the copy', () => {
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
      const said = (body.details?.causes ?? []).map(({ message }) => message);
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

    /** A merge patch adds to a map; what is not meant to stay has to be named. */
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
      'spec.progressDeadlineSeconds': 60,
      'spec.activeDeadlineSeconds': 3600,
      'spec.ttlSecondsAfterFinished': 0,
      'spec.rejectedSamples': 'Skip',
      'spec.source.basicAuth': { username: { name: 'a', key: 'u' }, password: { name: 'a', key: 'p' } },
      'spec.destination.authorization': { credentials: { name: 'a', key: 'b' } },
      'spec.destination.tls': { ca: { configMap: { name: 'a', key: 'b' } } },
      'spec.source.timeouts': { silence: '1m' },
      'spec.source.readMode': 'Samples',
    };
    for (const [path, value] of Object.entries(free)) {
      it(`and lets ${path} be set, changed and taken away`, async () => {
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

    it('by two managers with server-side apply, who do not fight over defaults', async () => {
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
      // The tuner goes, and the default comes back.
      await apply('tuner', head);
      assert.equal((await read('shared')).spec.limits['inFlightWrites'], 8);
    });

    it('and two who want different things are told so', async () => {
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

    it('with client-side apply, which sees no difference the second time', async () => {
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

/** The fields below FIELDS in what `kubectl explain` prints, each with its words. */
function describedFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  let current: string | undefined;
  for (const line of (text.split(/^FIELDS:$/m)[1] ?? '').split('\n')) {
    const name = /^ {2}(\S+)\t/.exec(line)?.[1];
    if (name !== undefined) {
      current = name;
      fields.set(name, '');
    } else if (current !== undefined && line.startsWith('    ')) {
      fields.set(current, `${fields.get(current)} ${line.trim()}`);
    }
  }
  return fields;
}
