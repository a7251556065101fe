// The JSON schema for editors, checked with ajv as a JSON schema: the examples fit, and mistakes that an editor should mark do not.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { parseAllDocuments } from 'yaml';
import { editorSchemaFile, schemaPath } from '../../scripts/json-schema.ts';

const EXAMPLES = resolve(import.meta.dirname, '../../examples');
const text = readFileSync(schemaPath, 'utf8');
const schema = JSON.parse(text);
const examples = globSync('*.yaml', { cwd: EXAMPLES }).sort();
const validate = new Ajv({
  strict: true,
  allErrors: true,
  allowUnionTypes: true,
  formats: { 'date-time': true },
}).compile(schema);

const documentsOf = (file: string) =>
  parseAllDocuments(readFileSync(join(EXAMPLES, file), 'utf8')).map((document) => document.toJS());

/** The places of the problems that an editor would mark. */
function problemsOf(document: unknown): string[] {
  return validate(document) ? [] : (validate.errors ?? []).map(({ instancePath }) => instancePath);
}

describe('the schema for editors', () => {
  it('is made from the CRD (npm run docs writes it)', () => assert.ok(text === editorSchemaFile()));

  it('is a tenth of a megabyte, because equal parts are in it once', () =>
    assert.ok(text.length < 150_000, `${text.length}`));

  it('describes every field', () => {
    const missing: string[] = [];
    let fields = 0;
    const look = (inner: unknown, path: string): void => {
      if (typeof inner !== 'object' || inner === null) return;
      for (const [key, value] of Object.entries(inner)) look(value, `${path}/${key}`);
      const { properties = {} } = inner as { properties?: Record<string, object> };
      for (const [name, field] of Object.entries(properties)) {
        fields++;
        if (!('$ref' in field || 'const' in field || 'description' in field)) missing.push(`${path}/${name}`);
      }
    };
    look(schema.definitions, '');
    assert.deepEqual(missing, []);
    assert.ok(fields > 100, `${fields} fields`);
  });

  for (const file of examples) {
    it(`accepts ${file}, which names it`, () => {
      for (const document of documentsOf(file)) assert.deepEqual(problemsOf(document), []);
      const [line = ''] = readFileSync(join(EXAMPLES, file), 'utf8').split('\n');
      const named = /^# yaml-language-server: \$schema=(.*)$/.exec(line)?.[1] ?? '';
      assert.equal(resolve(dirname(join(EXAMPLES, file)), named), fileURLToPath(schemaPath));
    });
  }

  const [good] = documentsOf('prometheus-to-victoriametrics.yaml');
  const cases: [string, object, string][] = [
    ['an unknown field', { ...good, spec: { ...good.spec, soruce: {} } }, '/spec'],
    ['a missing field', { ...good, spec: { ...good.spec, timeRange: {} } }, '/spec/timeRange'],
    ['a value of another type', { ...good, spec: { ...good.spec, suspend: 'yes' } }, '/spec/suspend'],
    [
      'a value that is not in the list',
      { ...good, spec: { ...good.spec, rejectedSamples: 'Ignore' } },
      '/spec/rejectedSamples',
    ],
    ['another kind', { ...good, kind: 'PromMigratoin' }, '/kind'],
    ['another version', { ...good, apiVersion: 'prom-migrator.io/v1' }, '/apiVersion'],
    ['no spec', { apiVersion: good.apiVersion, kind: good.kind, metadata: {} }, ''],
  ];
  for (const [name, document, place] of cases) {
    it(`marks ${name}`, () => {
      const problems = problemsOf(document);
      assert.ok(problems.includes(place), problems.join(' '));
    });
  }
});
