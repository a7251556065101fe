// Validates the CRD on a real API server: it accepts and rejects the same manifests as `run`, with the same messages; the fields that
// define a copy are immutable; defaults are the same and have no field manager; every field has a description.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { COMPILED_CRD } from '../../src/api/compiled-crd.ts';
import type { Schema } from '../../src/api/crd.ts';
import { validateMigration } from '../../src/api/validate.ts';
import { badManifests, goodManifests } from '../api/manifest-tables.ts';
import { type Changes, changed, nowMs } from '../api/manifests.ts';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';
import { succeeded } from './support/operator.ts';
import { type Resource, type Refusal, collectionPath } from './support/resource-requests.ts';

const { schema } = COMPILED_CRD.resource;
const EXAMPLES = new URL('../../examples/', import.meta.url);

/** Errors that require a parser for URLs, PromQL or RE2, or the current time. */
const BEYOND_THE_SERVER = [
  / must be a PromQL series selector: /,
  / must be an absolute http:\/\/ or https:\/\/ URL with a valid host and port$/,
  / must be grpc:\/\/host:port or grpcs:\/\/host:port with a valid host and port$/,
  / divides the time range into \d+ stretches, and at most 4096 are possible; /,
  / must be in the past \(it is now .*\)$/,
  / must be earlier than now minus lag, /,
  / must not be in the future /,
  / must be a positive multiple of 2h, /,
];

function* nodesOf(node: Schema, path: readonly string[] = []): Generator<readonly [readonly string[], Schema]> {
  yield [path, node];
  for (const [name, field] of Object.entries(node.properties ?? {})) yield* nodesOf(field, [...path, name]);
  if (node.items !== undefined) yield* nodesOf(node.items, path);
}

const ruleMessages = new Set(
  [...nodesOf(schema)].flatMap(([, node]) => (node['x-kubernetes-validations'] ?? []).map(({ message }) => message)),
);

/** In the notation of the server. */
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

  /** A server-side dry run. */
  async function dryRun(manifest: Record<string, unknown>): Promise<{ status: number; body: Resource & Refusal }> {
    const path = collectionPath(manifest, '?dryRun=All&fieldValidation=Strict');
    return (await cluster.request('POST', path, manifest)) as { status: number; body: Resource & Refusal };
  }

  it('is accepted, with its rules within the cost budget of the server', async () => {
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

  describe('rejects what run rejects', () => {
    for (const [changes, lines] of badManifests) {
      const seen = lines.filter((line) => !BEYOND_THE_SERVER.some((beyond) => beyond.test(line)));
      const manifest = changed(changes);
      if (seen.length === 0) {
        it(`apart from what a schema cannot express: ${titleOf(changes)}`, async () => {
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
        // An outer rule that fails for the same value, and the scale subresource, which does not find its field there.
        const own = causes.filter(
          ({ field, message }) => field !== '<nil>' && !/evaluating rule| accessor error: /.test(message),
        );
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

    /** Errors that the server reports before it validates values. */
    function assertSaidAtOnce({ message }: Refusal, lines: readonly string[]): void {
      const unknown = [...message.matchAll(/unknown field "([^"]*)"/g)].map(([, path]) => path);
      const expected = lines.filter((line) => line.includes(': unknown field;')).map(pathOf);
      if (expected.length > 0) assert.deepEqual(unknown.sort(), expected.sort());
      else assert.deepEqual([lines.map(pathOf), /namespace/.test(message)], [['metadata.namespace'], true], message);
    }
  });

  describe('accepts what run accepts, with the same defaults', () => {
    for (const [name, changes] of goodManifests) {
      it(name, async () => {
        const manifest = changed(changes);
        const { status, body } = await dryRun(manifest);
        assert.equal(status, 201, body.message);
        assert.deepEqual(body.spec, specOfRun(manifest));
        assert.deepEqual(body.status, { observedGeneration: -1 }, 'no operator has looked at it');
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
});

/** The fields below FIELDS in the output of `kubectl explain`, each with its description. */
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
