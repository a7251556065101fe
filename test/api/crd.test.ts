import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parse } from '@bufbuild/cel';
import { parse as parseYaml } from 'yaml';
import {
  endpointTypesPath,
  executionTypesPath,
  referencePath,
  sidesTypesPath,
  statusTypesPath,
  typesPath,
} from '../../scripts/docs.ts';
import { referenceFile } from '../../scripts/docs-manifest.ts';
import {
  endpointTypesFile,
  executionTypesFile,
  sidesTypesFile,
  statusTypesFile,
  typesFile,
} from '../../scripts/docs-types.ts';
import { COMPILED_CRD } from '../../src/api/compiled-crd.ts';
import { CRD_FILE, type Schema } from '../../src/api/crd.ts';
import { referencesOf } from '../../src/api/secret-source.ts';

const { schema, apiVersion } = COMPILED_CRD.resource;

/** Every nested schema, including the given one, with its path. */
function* walk(node: Schema, path: string): Generator<readonly [string, Schema]> {
  yield [path, node];
  for (const [name, field] of Object.entries(node.properties ?? {})) yield* walk(field, `${path}.${name}`);
  if (node.items !== undefined) yield* walk(node.items, `${path}[]`);
  if (node.additionalProperties !== undefined) yield* walk(node.additionalProperties, `${path}.*`);
}

const nodes = [...walk(schema, '')];

function field(...names: readonly string[]): Schema {
  const found = names.reduce<Schema | undefined>((node, name) => node?.properties?.[name], schema);
  assert.ok(found, names.join('.'));
  return found;
}

describe('the CustomResourceDefinition', () => {
  it('has a name that follows the Kubernetes conventions', () => {
    const crd = parseYaml(readFileSync(CRD_FILE, 'utf8'));
    assert.equal(crd.metadata.name, `${crd.spec.names.plural}.${crd.spec.group}`);
    assert.equal(apiVersion, 'prom-migrator.io/v1alpha1');
    assert.deepEqual(crd.spec.names.shortNames, ['pmig']);
    assert.deepEqual(crd.spec.versions[0].subresources, {
      status: {},
      scale: { specReplicasPath: '.spec.execution.parallelism', statusReplicasPath: '.status.stretches.running' },
    });
    assert.deepEqual(
      crd.spec.versions[0].additionalPrinterColumns.map(
        (column: { name: string; priority?: number }) => `${column.name}${column.priority ?? ''}`,
      ),
      [
        'Phase',
        'Progress',
        'Samples',
        'Rate',
        'ETA',
        'Through',
        'Age',
        'Source1',
        'Destination1',
        'Verified1',
        'Reason1',
      ],
    );
  });

  it('describes every field', () => {
    const silent = nodes.filter(
      ([path, node]) => !/(\*|\[\])$/.test(path) && path !== '.metadata' && !node.description,
    );
    assert.deepEqual(
      silent.map(([path]) => path),
      [],
    );
  });

  it('bounds every string, list and map of the spec, so that the API server can estimate the cost of its rules', () => {
    const unbounded = nodes.filter(([path, node]) => {
      if (!path.startsWith('.spec')) return false;
      if (node.type === 'string') return node.maxLength === undefined && node.enum === undefined;
      if (node.type === 'array') return node.maxItems === undefined;
      return node.additionalProperties !== undefined && node.maxProperties === undefined;
    });
    assert.deepEqual(
      unbounded.map(([path]) => path),
      [],
    );
  });

  // kubectl explain calls a field without a type, as one with x-kubernetes-int-or-string is, an <Object>: only the resources of a pod,
  // which people write as numbers too, are worth that.
  it('is structural: every node has a type, and unknown fields are pruned', () => {
    for (const [path, node] of nodes) {
      assert.ok(!(node.properties !== undefined && node.additionalProperties !== undefined), path);
    }
    assert.deepEqual(
      nodes.filter(([, node]) => node.type === undefined).map(([path]) => path),
      ['requests', 'limits'].map((name) => `.spec.execution.job.resources.${name}.*`),
    );
  });

  it('keeps unknown fields only in what Kubernetes defines at length, for the pods of a Job', () => {
    assert.deepEqual(
      nodes.filter(([, node]) => Object.hasOwn(node, 'x-kubernetes-preserve-unknown-fields')).map(([path]) => path),
      [
        '.spec.execution.job.affinity.nodeAffinity',
        '.spec.execution.job.affinity.podAffinity',
        '.spec.execution.job.affinity.podAntiAffinity',
        '.spec.execution.job.topologySpreadConstraints[].labelSelector',
      ],
    );
  });

  it('has valid CEL rules, each with a readable message', () => {
    for (const [path, node] of nodes) {
      for (const { rule, message } of node['x-kubernetes-validations'] ?? []) {
        assert.doesNotThrow(() => parse(rule), `${path}: ${rule}`);
        assert.ok(message && !message.includes('\n') && message.length <= 2048, `${path}: ${rule}`);
      }
    }
  });

  it('has field paths that point to existing fields', () => {
    for (const [path, node] of nodes) {
      for (const { fieldPath } of node['x-kubernetes-validations'] ?? []) {
        const names = fieldPath?.split('.').slice(1) ?? [];
        let at: Schema | undefined = node;
        for (const name of names) at = at?.properties?.[name];
        assert.ok(at !== undefined, `${path}: ${fieldPath}`);
      }
    }
  });

  it('makes the fields that define the copy immutable, and no others', () => {
    const transitions = nodes
      .flatMap(([, node]) => node['x-kubernetes-validations'] ?? [])
      .filter(({ rule }) => rule.includes('oldSelf'));
    assert.deepEqual(
      transitions.map(({ message }) => message?.replace(/ is immutable because it defines the copy.*$/, '')),
      [
        'source.url',
        'source.protocol',
        'source.replicaLabels',
        'source.tenant',
        'source.headers',
        'destination.url',
        'destination.tenant',
        'destination.headers',
        'destination.progress.labels',
        'selectors',
        'timeRange',
        'externalLabels',
        'relabelings',
      ],
    );
  });

  it('refers to Secrets and ConfigMaps only where the program reads them', () => {
    const isReference = ([path, node]: readonly [string, Schema]) =>
      path.startsWith('.spec') && Object.keys(node.properties ?? {}).join() === 'name,key';
    const paths = nodes.filter(isReference).map(([path]) => path.slice(1).split('.'));
    const migration = paths.reduce<unknown>(
      (whole, path) =>
        merged(
          whole,
          path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), REFERENCE),
        ),
      {},
    );
    assert.ok(paths.length > 30);
    assert.deepEqual(
      referencesOf(migration)
        .map(({ path }) => path.join('.'))
        .sort(),
      paths.map((path) => path.join('.')).sort(),
    );
  });

  it('has the same endpoint fields in source, destination and progress', () => {
    const credentials = ['basicAuth', 'authorization', 'oauth2', 'sigv4', 'azureAd'];
    const names = ['headers', 'tenant', ...credentials, 'tls', 'proxyUrl', 'timeouts'];
    for (const name of names) {
      assert.deepEqual(field('spec', 'destination', name), field('spec', 'source', name), name);
      const own = withoutTexts(field('spec', 'destination', 'progress', name));
      const usual = withoutTexts(field('spec', 'source', name));
      assert.deepEqual(own, name === 'timeouts' ? withoutDefaults(usual) : usual, name);
    }
    // Progress inherits missing fields from the destination: defaults of its own would hide that.
    for (const name of names) assert.equal(field('spec', 'destination', 'progress', name).default, undefined, name);
  });
});

const REFERENCE = { name: 'n', key: 'k' };

function merged(a: unknown, b: unknown): unknown {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return b;
  const both = Object.entries(b).map(([name, value]) => [name, merged((a as Record<string, unknown>)[name], value)]);
  return { ...a, ...Object.fromEntries(both) };
}

function withoutTexts(node: Schema): unknown {
  return JSON.parse(JSON.stringify(node), (key, value) =>
    key === 'description' && typeof value === 'string' ? undefined : value,
  );
}

function withoutDefaults(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (key, inner) => (key === 'default' ? undefined : inner));
}

describe('files generated from the CustomResourceDefinition', () => {
  const made: readonly (readonly [string, URL, string])[] = [
    ['the types', typesPath, typesFile(schema, apiVersion)],
    ['the types of the endpoint fields', endpointTypesPath, endpointTypesFile(schema)],
    ['the types of the execution', executionTypesPath, executionTypesFile(schema)],
    ['the types of the source and the destination', sidesTypesPath, sidesTypesFile(schema)],
    ['the types of the status', statusTypesPath, statusTypesFile(schema)],
    ['the reference', referencePath, referenceFile(schema, apiVersion)],
  ];
  for (const [name, path, text] of made) {
    it(`${name} is current (npm run docs generates it)`, () => assert.equal(readFileSync(path, 'utf8'), text));
  }
});
