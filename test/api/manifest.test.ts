import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type ManifestFile, loadManifests } from '../../src/api/manifest.ts';
import { originOf } from '../../src/api/origin.ts';
import { Secret } from '../../src/telemetry/secret.ts';
import { changed, documents, linesOf, load, nowMs, secret, smallest } from './manifests.ts';

const only =
  'only a PromMigration (apiVersion prom-migrator.io/v1alpha1) and the Secrets and ConfigMaps (apiVersion v1) it refers to are allowed here';

function loadFiles(...files: readonly (readonly [string, string])[]): ReturnType<typeof loadManifests> {
  return loadManifests(
    files.map(([name, text]): ManifestFile => ({ name, text: new Secret(text) })),
    undefined,
    nowMs,
  );
}

describe('manifest files', () => {
  const text = documents(smallest());

  const refused: readonly (readonly [string, string, readonly string[]])[] = [
    ['an empty file', '', ['m.yaml: is empty']],
    ['only comments', '# nothing\n---\n# here either\n', ['m.yaml: is empty']],
    [
      'two PromMigrations',
      `${text}\n---\n${text}`,
      ['m.yaml, document 2: a second PromMigration; the first one is in m.yaml, document 1, and only one can run'],
    ],
    [
      'another kind',
      documents({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x' } }),
      [`m.yaml, document 1: is of kind "Deployment" (apiVersion "apps/v1"); ${only}`],
    ],
    [
      'another kind in addition',
      `${text}\n---\nkind: Pod\napiVersion: v1\n`,
      [`m.yaml, document 2: is of kind "Pod" (apiVersion "v1"); ${only}`],
    ],
    [
      'another version',
      documents({ ...smallest(), apiVersion: 'prom-migrator.io/v1' }),
      ['m.yaml, document 1: has the apiVersion "prom-migrator.io/v1"; must be prom-migrator.io/v1alpha1'],
    ],
    [
      'no version',
      documents({ ...smallest(), apiVersion: undefined }),
      ['m.yaml, document 1: has the apiVersion none; must be prom-migrator.io/v1alpha1'],
    ],
    ['no kind', 'spec: {}', [`m.yaml, document 1: has no kind; ${only}`]],
    ['a string', 'just words', [`m.yaml, document 1: is not a Kubernetes object; ${only}`]],
    [
      'only Secrets',
      documents(secret('a', {})),
      ['m.yaml: contains no PromMigration (apiVersion prom-migrator.io/v1alpha1)'],
    ],
    [
      'a tab',
      'kind: x\nspec:\n\turl: x\n',
      ['m.yaml, document 1: is not valid YAML: line 3, column 1: a tab in the indentation; use spaces'],
    ],
    [
      'a duplicate key',
      'kind: x\nkind: y\n',
      ['m.yaml, document 1: is not valid YAML: line 2, column 1: the same key twice'],
    ],
    [
      'a missing brace',
      'kind: {a: 1\n',
      [
        'm.yaml, document 1: is not valid YAML: line 2, column 1: wrong indentation, or a bracket or brace before it that is not closed',
      ],
    ],
    [
      'an unknown alias',
      'kind: *x\n',
      ['m.yaml, document 1: is not valid YAML: an alias to an anchor that does not exist'],
    ],
    [
      'an extra colon',
      'kind: a: b\n',
      [
        'm.yaml, document 1: is not valid YAML: line 1, column 7: a mapping where a value should be (": " inside text that is not in quotes?)',
      ],
    ],
    ['a key that is a list', '? [a]\n: b\n', ['m.yaml, document 1: has a key that is not a string']],
    [
      'invalid YAML in the second document',
      `${text}\n---\na: "b\n`,
      ['m.yaml, document 2: is not valid YAML: line 25, column 1: a quote, bracket, brace, comma or colon is missing'],
    ],
  ];
  for (const [name, given, lines] of refused) {
    it(`are rejected with ${name}`, () => assert.deepEqual(linesOf(load(given)), lines));
  }

  it('may contain empty documents, a byte order mark and JSON', () => {
    for (const given of [`---\n---\n${text}\n---\n`, `\uFEFF${text}`, JSON.stringify(smallest())]) {
      assert.deepEqual(linesOf(load(given)), []);
    }
  });

  it('may be several, and each error names its file', () => {
    const second = loadFiles(['a.yaml', text], ['b.yaml', `${documents(secret('s', {}))}\n---\n${text}`]);
    assert.deepEqual(linesOf(second), [
      'b.yaml, document 2: a second PromMigration; the first one is in a.yaml, document 1, and only one can run',
    ]);
    assert.deepEqual(linesOf(loadFiles(['a.yaml', text], ['b.yaml', ''])), ['b.yaml: is empty']);
  });

  it('yield the migration, its namespace and its file', () => {
    const loaded = loadFiles(
      ['s.yaml', documents(secret('s', {}))],
      ['a.yaml', `${documents(secret('t', {}))}\n---\n${text}`],
    );
    assert.ok('migration' in loaded);
    assert.equal(loaded.namespace, 'default');
    assert.equal(loaded.migration.metadata.namespace, 'default');
    assert.deepEqual(originOf(loaded.migration), { file: 'a.yaml', document: 2 });
    const named = load(documents(changed({ 'metadata.namespace': 'monitoring' })));
    assert.ok('migration' in named);
    assert.equal(named.namespace, 'monitoring');
  });

  it('may use aliases, but not exponentially many', () => {
    const yaml = `
apiVersion: prom-migrator.io/v1alpha1
kind: PromMigration
metadata: {name: m}
spec:
  source: &source {url: http://s/read, timeouts: &t {connect: 1s}}
  destination: {<<: *source, timeouts: *t, progress: {protocol: None}}
  timeRange: {start: 2024-01-01T00:00:00Z}
`;
    const loaded = load(yaml);
    assert.ok('migration' in loaded, linesOf(loaded).join('\n'));
    assert.equal(loaded.migration.spec.destination.url, 'http://s/read');

    const levels = Array.from({ length: 30 }, (_, level) => `a${level + 1}: &a${level + 1} [*a${level}, *a${level}]`);
    assert.deepEqual(linesOf(load(`a0: &a0 x\n${levels.join('\n')}\n`)), [
      'm.yaml, document 1: is not valid YAML: too many aliases, or one that refers to itself',
    ]);
  });

  it('are never quoted in YAML syntax errors, because they could be Secrets', () => {
    const broken = [
      'stringData:\n  password: hunter2: x\n',
      'a: "hunter2\n',
      'a: b\n hunter2: [\n',
      '- a\nhunter2\n',
      '%hunter2\n',
      '!hunter2 x',
    ];
    for (const given of broken) {
      const lines = linesOf(load(`apiVersion: v1\nkind: Secret\n${given}`));
      assert.ok(lines.length > 0, given);
      assert.ok(!lines.join('\n').includes('hunter2'), lines.join('\n'));
    }
  });

  it('produce an error or a migration, whatever they contain', () => {
    const piece = fc.constantFrom(
      ...[
        '---\n',
        'a: ',
        '- ',
        '{',
        '}',
        '[',
        ']',
        '"',
        "'",
        '&a ',
        '*a',
        '\n',
        '  ',
        '\t',
        '#',
        '|\n',
        '!!',
        '? ',
        '<<: ',
        '__proto__: ',
      ],
      ...[
        'apiVersion: prom-migrator.io/v1alpha1\n',
        'kind: PromMigration\n',
        'kind: Secret\n',
        'spec:\n',
        'metadata: ',
      ],
    );
    const any = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 40 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(any, (given) => {
        const loaded = load(given);
        assert.ok('problems' in loaded && loaded.problems.length > 0);
      }),
      { numRuns: 300 },
    );
  });

  it('produce an error or a migration, whatever the values of their fields', () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(
        '0',
        '1e999',
        '99999999999999999999h',
        '-5m',
        'http://[',
        'http://a b',
        '2024-01-01T00:00:00Z',
        '{',
        '(',
        Number.MAX_VALUE,
        -0,
      ),
    );
    const path = fc.constantFrom(
      ...[
        'spec',
        'spec.source',
        'spec.source.url',
        'spec.source.headers',
        'spec.source.tenant',
        'spec.source.tls',
        'spec.source.timeouts',
      ],
      ...[
        'spec.source.basicAuth',
        'spec.source.authorization',
        'spec.source.maxFrameBytes',
        'spec.destination.progress',
        'spec.selectors',
      ],
      ...[
        'spec.timeRange',
        'spec.timeRange.start',
        'spec.timeRange.lag',
        'spec.window.max',
        'spec.limits.memory',
        'spec.relabelings',
      ],
      ...[
        'metadata',
        'metadata.name',
        'status',
        'spec.externalLabels',
        'spec.source.proxyUrl',
        'spec.limits.samplesPerSecond',
      ],
    );
    fc.assert(
      fc.property(path, value, (at, given) => {
        const loaded = load(JSON.stringify(changed({ [at]: given })));
        assert.ok('migration' in loaded || loaded.problems.length > 0);
      }),
      { numRuns: 300 },
    );
  });

  it('are rejected when nested too deeply', () => {
    for (const given of [
      '['.repeat(2000),
      '{a: '.repeat(2500),
      `${'- '.repeat(5000)}x`,
      `a: ${'['.repeat(800)}${']'.repeat(800)}`,
    ]) {
      assert.ok(linesOf(load(given)).length > 0);
    }
  });
});
