import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type ManifestFile, loadManifests } from '../../src/api/manifest.ts';
import { originOf } from '../../src/api/origin.ts';
import { changed, documents, linesOf, load, nowMs, secret, smallest } from './manifests.ts';

const only =
  'only a PromMigration (apiVersion prom-migrator.io/v1alpha1) and the Secrets and ConfigMaps (apiVersion v1) it refers to are allowed here';

function loadFiles(...files: readonly (readonly [string, string])[]): ReturnType<typeof loadManifests> {
  return loadManifests(
    files.map(([name, text]): ManifestFile => ({ name, text })),
    undefined,
    nowMs,
  );
}

const withBasicAuth = changed({
  'spec.source.basicAuth': { username: { name: 'login', key: 'user' }, password: { name: 'login', key: 'pass' } },
});

const withCa = changed({ 'spec.source.tls': { ca: { configMap: { name: 'ca', key: 'ca.crt' } } } });

describe('the files of a migration', () => {
  const text = documents(smallest());

  const refused: readonly (readonly [string, string, readonly string[]])[] = [
    ['an empty file', '', ['m.yaml: is empty']],
    ['comments alone', '# nothing\n---\n# here either\n', ['m.yaml: is empty']],
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
      'another kind beside it',
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
    ['a text', 'just words', [`m.yaml, document 1: is not a Kubernetes object; ${only}`]],
    [
      'Secrets alone',
      documents(secret('a', {})),
      ['m.yaml: contains no PromMigration (apiVersion prom-migrator.io/v1alpha1)'],
    ],
    [
      'a tab',
      'kind: x\nspec:\n\turl: x\n',
      ['m.yaml, document 1: is not valid YAML: line 3, column 1: a tab in the indentation; use spaces'],
    ],
    [
      'a key twice',
      'kind: x\nkind: y\n',
      ['m.yaml, document 1: is not valid YAML: line 2, column 1: the same key twice'],
    ],
    [
      'a brace too few',
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
      'a colon too many',
      'kind: a: b\n',
      [
        'm.yaml, document 1: is not valid YAML: line 1, column 7: a mapping where a value should be (": " inside text that is not in quotes?)',
      ],
    ],
    ['a key that is a list', '? [a]\n: b\n', ['m.yaml, document 1: has a key that is not a string']],
    [
      'YAML gone wrong in the second document',
      `${text}\n---\na: "b\n`,
      ['m.yaml, document 2: is not valid YAML: line 25, column 1: a quote, bracket, brace, comma or colon is missing'],
    ],
  ];
  for (const [name, given, lines] of refused) {
    it(`are refused with ${name}`, () => assert.deepEqual(linesOf(load(given)), lines));
  }

  it('may hold empty documents, a byte order mark and JSON', () => {
    for (const given of [`---\n---\n${text}\n---\n`, `\uFEFF${text}`, JSON.stringify(smallest())]) {
      assert.deepEqual(linesOf(load(given)), []);
    }
  });

  it('may be several, and each problem names its own', () => {
    const second = loadFiles(['a.yaml', text], ['b.yaml', `${documents(secret('s', {}))}\n---\n${text}`]);
    assert.deepEqual(linesOf(second), [
      'b.yaml, document 2: a second PromMigration; the first one is in a.yaml, document 1, and only one can run',
    ]);
    assert.deepEqual(linesOf(loadFiles(['a.yaml', text], ['b.yaml', ''])), ['b.yaml: is empty']);
  });

  it('give the migration, its namespace and where it came from', () => {
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

  it('may repeat a part by an alias, but not a billion times', () => {
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

  it('are never quoted where they are not YAML: it could be a Secret', () => {
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

  it('are answered whatever they hold', () => {
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

  it('are answered whatever stands in their fields', () => {
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

  it('are answered when they are nested without end', () => {
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

describe('the Secrets and ConfigMaps of a migration', () => {
  it('come from documents, as data in base64 or as stringData, which wins', () => {
    const login = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'login' },
      type: 'Opaque',
      data: { user: Buffer.from('admin').toString('base64'), pass: Buffer.from('old').toString('base64') },
      stringData: { pass: 'new' },
    };
    const loaded = load(documents(withBasicAuth, login));
    assert.ok('secrets' in loaded, linesOf(loaded).join('\n'));
    assert.equal(loaded.secrets.get('Secret', 'login', 'user'), 'admin');
    assert.equal(loaded.secrets.get('Secret', 'login', 'pass'), 'new');
    assert.equal(loaded.secrets.get('Secret', 'login', 'other'), undefined);
    assert.equal(loaded.secrets.get('ConfigMap', 'login', 'user'), undefined);
  });

  it('may be ConfigMaps, with data or binaryData', () => {
    const ca = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'ca' },
      binaryData: { 'ca.crt': 'UEVN\nUEVN' },
      data: { a: 'b' },
    };
    const loaded = load(documents(withCa, ca));
    assert.ok('secrets' in loaded, linesOf(loaded).join('\n'));
    assert.equal(loaded.secrets.get('ConfigMap', 'ca', 'ca.crt'), 'PEMPEM');
    assert.equal(loaded.secrets.get('ConfigMap', 'ca', 'a'), 'b');
  });

  const faulty: readonly (readonly [string, Record<string, unknown>, string])[] = [
    ['data that is not base64', { data: { k: 'plain!' } }, 'data.k: is not base64; put plain text into stringData'],
    ['base64 cut short', { data: { k: 'YWJj=' } }, 'data.k: is not base64; put plain text into stringData'],
    ['a number', { stringData: { k: 12345 } }, 'stringData.k: must be a string; put it in quotes'],
    ['a list', { data: ['hunter2'] }, 'data: must be an object with fields'],
    ['an unknown field', { stringdata: { k: 'hunter2' } }, 'stringdata: unknown field; did you mean stringData?'],
    ['no name', { metadata: {} }, 'metadata.name: is required: the name of this object'],
  ];
  for (const [name, fields, line] of faulty) {
    it(`are refused with ${name}`, () => {
      const document = { ...secret('s', {}), ...fields };
      assert.deepEqual(linesOf(load(documents(smallest(), document))), [`m.yaml, document 2: ${line}`]);
    });
  }

  it('are missed by name and key', () => {
    assert.deepEqual(linesOf(load(documents(withBasicAuth, secret('login', { user: 'admin' })))), [
      'm.yaml, document 1: spec.source.basicAuth.password: Secret "login" with the key "pass" not found: add it as a document of the files, or as DIR/<name>/<key> with --secrets-dir DIR',
    ]);
    assert.deepEqual(linesOf(load(documents(withCa, secret('ca', { 'ca.crt': 'x' })))), [
      'm.yaml, document 1: spec.source.tls.ca.configMap: ConfigMap "ca" with the key "ca.crt" not found: add it as a document of the files, or as DIR/<name>/<key> with --secrets-dir DIR',
    ]);
  });

  it('must be in the namespace of the migration', () => {
    const elsewhere = { ...secret('login', { user: 'a', pass: 'b' }), metadata: { name: 'login', namespace: 'other' } };
    const lines = linesOf(load(documents(withBasicAuth, elsewhere)));
    assert.equal(lines.length, 2);
    assert.equal(
      lines[0],
      'm.yaml, document 1: spec.source.basicAuth.username: Secret "login" with the key "user" not found: the given one is in namespace other, the PromMigration in default',
    );
  });

  it('must not be there twice', () => {
    const response = load(
      documents(smallest(), secret('a', {}), { ...secret('a', {}), metadata: { name: 'a', namespace: 'default' } }),
    );
    assert.deepEqual(linesOf(response), ['m.yaml, document 3: a second Secret default/a']);
  });

  describe('in --secrets-dir', () => {
    let directory = '';
    before(() => {
      directory = mkdtempSync(join(tmpdir(), 'prom-migrator-secrets-'));
      mkdirSync(join(directory, 'login'));
      writeFileSync(join(directory, 'login', 'user'), 'admin\r\n');
      writeFileSync(join(directory, 'login', 'pass'), 'pass\n\n');
      writeFileSync(join(directory, 'outside'), 'x');
    });
    after(() => rmSync(directory, { recursive: true }));

    it('are files, less one newline at their end', () => {
      const loaded = load(documents(withBasicAuth), directory);
      assert.ok('secrets' in loaded, linesOf(loaded).join('\n'));
      assert.equal(loaded.secrets.get('Secret', 'login', 'user'), 'admin');
      assert.equal(loaded.secrets.get('Secret', 'login', 'pass'), 'pass\n');
      assert.equal(loaded.secrets.get('ConfigMap', 'login', 'user'), 'admin');
    });

    it('stand back behind a document', () => {
      const loaded = load(documents(withBasicAuth, secret('login', { user: 'document' })), directory);
      assert.ok('secrets' in loaded, linesOf(loaded).join('\n'));
      assert.equal(loaded.secrets.get('Secret', 'login', 'user'), 'document');
      assert.equal(loaded.secrets.get('Secret', 'login', 'pass'), 'pass\n');
    });

    it('are never looked for outside of it', () => {
      const loaded = load(documents(withBasicAuth), join(directory, 'login', '..'));
      assert.ok('secrets' in loaded);
      for (const [name, key] of [
        ['login', '../outside'],
        ['..', 'outside'],
        ['.', 'outside'],
        ['login', '..'],
        ['../login', 'user'],
        ['/etc', 'hostname'],
      ]) {
        assert.equal(loaded.secrets.get('Secret', name ?? '', key ?? ''), undefined, `${name} ${key}`);
      }
    });

    it('are missed with the file they should be in', () => {
      rmSync(join(directory, 'login', 'pass'));
      assert.deepEqual(linesOf(load(documents(withBasicAuth), directory)), [
        `m.yaml: spec.source.basicAuth.password: Secret "login" with the key "pass" not found: add it as a document of the files, or as the file ${directory}/login/pass`,
      ]);
    });

    it('must be a directory', () => {
      const file = join(directory, 'outside');
      assert.deepEqual(linesOf(load(documents(smallest()), file)), [`${file}: is not a readable directory`]);
    });
  });
});
