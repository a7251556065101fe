import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { referencesOf } from '../../src/api/secret-source.ts';
import { parseAllDocuments } from 'yaml';
import { linesOf, load } from './manifests.ts';

const directory = new URL('../../examples/', import.meta.url);
const files = readdirSync(directory).filter((name) => name.endsWith('.yaml'));

describe('the example manifests', () => {
  it('exist for each pair of stores', () => {
    for (const pair of [
      'prometheus-to-victoriametrics',
      'prometheus-to-prometheus',
      'influxdb-to-prometheus',
      'prometheus-to-influxdb',
      'prometheus-to-mimir',
    ]) {
      assert.ok(files.includes(`${pair}.yaml`), pair);
    }
  });

  it('has one that copies several stretches at once', () => assert.ok(files.includes('parallel.yaml')));

  for (const file of files) {
    const text = readFileSync(new URL(file, directory), 'utf8');

    it(`${file} passes the schema and its rules`, () => {
      // Placeholder values for examples that read their secrets from --secrets-dir.
      const secretsDir = mkdtempSync(join(tmpdir(), 'prom-migrator-examples-'));
      try {
        for (const document of parseAllDocuments(text)) {
          for (const { name, key } of referencesOf(document.toJS())) {
            mkdirSync(join(secretsDir, name), { recursive: true });
            writeFileSync(join(secretsDir, name, key), 'x');
          }
        }
        assert.deepEqual(linesOf(load(text, text.includes('--secrets-dir') ? secretsDir : undefined)), []);
      } finally {
        rmSync(secretsDir, { recursive: true });
      }
    });

    it(`${file} starts with a comment that states its purpose`, () => assert.match(text, /^# \S.+/));
  }
});
