// How a migration's Secrets and ConfigMaps are found, and which of their problems are reported.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { changed, documents, linesOf, load, secret, smallest } from './manifests.ts';

const withBasicAuth = changed({
  'spec.source.basicAuth': { username: { name: 'login', key: 'user' }, password: { name: 'login', key: 'pass' } },
});

const withCa = changed({ 'spec.source.tls': { ca: { configMap: { name: 'ca', key: 'ca.crt' } } } });

describe('the Secrets and ConfigMaps of a migration', () => {
  it('are read from manifests: base64 data or stringData, which takes precedence', () => {
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
    assert.equal(loaded.secrets.get('Secret', 'login', 'user')?.reveal(), 'admin');
    assert.equal(loaded.secrets.get('Secret', 'login', 'pass')?.reveal(), 'new');
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
    assert.equal(loaded.secrets.get('ConfigMap', 'ca', 'ca.crt')?.reveal(), 'PEMPEM');
    assert.equal(loaded.secrets.get('ConfigMap', 'ca', 'a')?.reveal(), 'b');
  });

  const faulty: readonly (readonly [string, Record<string, unknown>, string])[] = [
    ['data that is not base64', { data: { k: 'plain!' } }, 'data.k: is not base64; put plain text into stringData'],
    ['truncated base64', { data: { k: 'YWJj=' } }, 'data.k: is not base64; put plain text into stringData'],
    ['a number', { stringData: { k: 12345 } }, 'stringData.k: must be a string; put it in quotes'],
    ['a list', { data: ['hunter2'] }, 'data: must be an object with fields'],
    ['an unknown field', { stringdata: { k: 'hunter2' } }, 'stringdata: unknown field; did you mean stringData?'],
    ['no name', { metadata: {} }, 'metadata.name: is required: the name of this object'],
  ];
  for (const [name, fields, line] of faulty) {
    it(`are rejected with ${name}`, () => {
      const document = { ...secret('s', {}), ...fields };
      assert.deepEqual(linesOf(load(documents(smallest(), document))), [`m.yaml, document 2: ${line}`]);
    });
  }

  it('are reported by name and key when missing', () => {
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

  it('must be unique', () => {
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

    it('are read from files, without one trailing newline', () => {
      const loaded = load(documents(withBasicAuth), directory);
      assert.ok('secrets' in loaded, linesOf(loaded).join('\n'));
      assert.equal(loaded.secrets.get('Secret', 'login', 'user')?.reveal(), 'admin');
      assert.equal(loaded.secrets.get('Secret', 'login', 'pass')?.reveal(), 'pass\n');
      assert.equal(loaded.secrets.get('ConfigMap', 'login', 'user')?.reveal(), 'admin');
    });

    it('are read from the directory of their kind first', () => {
      for (const kind of ['Secret', 'ConfigMap']) {
        mkdirSync(join(directory, kind, 'both'), { recursive: true });
        writeFileSync(join(directory, kind, 'both', 'key'), `of the ${kind}`);
      }
      const loaded = load(documents(withBasicAuth), directory);
      assert.ok('secrets' in loaded, linesOf(loaded).join('\n'));
      assert.equal(loaded.secrets.get('Secret', 'both', 'key')?.reveal(), 'of the Secret');
      assert.equal(loaded.secrets.get('ConfigMap', 'both', 'key')?.reveal(), 'of the ConfigMap');
    });

    it('are overridden by manifests', () => {
      const loaded = load(documents(withBasicAuth, secret('login', { user: 'document' })), directory);
      assert.ok('secrets' in loaded, linesOf(loaded).join('\n'));
      assert.equal(loaded.secrets.get('Secret', 'login', 'user')?.reveal(), 'document');
      assert.equal(loaded.secrets.get('Secret', 'login', 'pass')?.reveal(), 'pass\n');
    });

    it('are never read from outside the directory', () => {
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

    it('are reported with the expected file path when missing', () => {
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
