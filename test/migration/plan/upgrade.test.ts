// What an earlier version has left must be understood: fixtures of each version, frozen when it was current. They are never changed.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { validateMigration } from '../../../src/api/validate.ts';
import { compilePlan } from '../../../src/migration/plan/plan.ts';
import { markLabels } from '../../../src/migration/progress/progress-mark.ts';

const FIXTURES = resolve(import.meta.dirname, '../../fixtures/upgrade');
const versions = globSync('*', { cwd: FIXTURES }).sort();

interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
}

const specOf = (crd: string): Schema => parse(crd).spec.versions[0].schema.openAPIV3Schema.properties.spec;

function fieldsOf({ properties = {}, items }: Schema, path = ''): string[] {
  const inner = Object.entries(properties).flatMap(([name, field]) => [
    `${path}.${name}`,
    ...fieldsOf(field, `${path}.${name}`),
  ]);
  return items === undefined ? inner : [...inner, ...fieldsOf(items, `${path}[]`)];
}

describe('what an earlier version has left', () => {
  it('is there to check', () => assert.ok(versions.includes('0.1.0')));

  it('is frozen for every released version', () => {
    const text = (name: string) => readFileSync(resolve(FIXTURES, '../../..', name), 'utf8');
    const released = [...text('CHANGELOG.md').matchAll(/^## (\d+\.\d+\.\d+) \((?!unreleased)/gm)].map(
      ([, version]) => version,
    );
    assert.deepEqual(
      released.filter(
        (version) => version !== JSON.parse(text('package.json')).version && !versions.includes(`${version}`),
      ),
      [],
      'run `npm run freeze` with that version',
    );
  });

  for (const version of versions) {
    const read = (name: string) => readFileSync(join(FIXTURES, version, name), 'utf8');

    it(`resumes at the marks of ${version}: its manifest has the same identity`, () => {
      const checked = validateMigration(parse(read('migration.yaml')), Date.UTC(2026, 0, 1));
      assert.ok('migration' in checked);
      const compiled = compilePlan(checked.migration, { get: () => undefined });
      assert.ok('plan' in compiled);
      assert.deepEqual(markLabels(compiled.plan, undefined), JSON.parse(read('mark.json')));
    });

    it(`has every field of the manifest of ${version}`, () => {
      const now = new Set(
        fieldsOf(specOf(readFileSync(resolve(FIXTURES, '../../../crds/prommigrations.prom-migrator.io.yaml'), 'utf8'))),
      );
      const before = fieldsOf(specOf(read('crd.yaml')));
      assert.ok(before.length > 50);
      assert.deepEqual(
        before.filter((field) => !now.has(field)),
        [],
      );
    });

    it(`accepts the values of the chart of ${version}`, () => {
      const schema = readFileSync(resolve(FIXTURES, '../../../charts/prom-migrator/values.schema.json'), 'utf8');
      const validate = new Ajv({ strict: false }).compile(JSON.parse(schema));
      assert.ok(validate(parse(read('values.yaml'))), JSON.stringify(validate.errors));
    });
  }
});
