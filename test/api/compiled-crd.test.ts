// The module that the bundle has in place of compiled-crd.ts gives the same results.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Bundled, bundle, bundledFiles } from '../../scripts/bundle.ts';
import { packagesOf } from '../../scripts/licences.ts';
import { COMPILED_CRD } from '../../src/api/compiled-crd.ts';
import type { CompiledCrd } from '../../src/api/crd-compiler.ts';
import { withDefaults } from '../../src/api/defaults.ts';
import { badManifests, goodManifests } from './manifest-tables.ts';
import { type Changes, changed } from './manifests.ts';

describe('the compiled CRD of a build', () => {
  let directory: string;
  let built: CompiledCrd;
  let bundled: Bundled;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'prom-migrator-crd-'));
    bundled = await bundle({ 'compiled-crd': 'src/api/compiled-crd.ts' }, directory);
    built = (await import(pathToFileURL(join(directory, 'compiled-crd.js')).href)).COMPILED_CRD;
  });

  after(() => rm(directory, { recursive: true, force: true }));

  it('has the same resource and the same rules', () => {
    assert.deepEqual(built.resource, COMPILED_CRD.resource);
    assert.deepEqual(built.expressions, COMPILED_CRD.expressions);
  });

  it('reports the same errors', () => {
    const { schema } = COMPILED_CRD.resource;
    let errors = 0;
    for (const [first, second] of [...badManifests, ...goodManifests]) {
      const manifest = withDefaults(changed(typeof first === 'string' ? (second as Changes) : first), schema);
      const found = built.schemaErrors(manifest);
      assert.deepEqual(found, COMPILED_CRD.schemaErrors(manifest));
      errors += found.length;
    }
    assert.ok(errors > 30, `${errors}`);
    assert.deepEqual(built.schemaErrors(5), COMPILED_CRD.schemaErrors(5));
  });

  it('does not contain the libraries that compiled it', () => {
    assert.deepEqual(packagesOf(bundledFiles(bundled)), ['node_modules/ajv']);
    const ofAjv = [...bundledFiles(bundled)].filter((file) => file.startsWith('node_modules/ajv/'));
    assert.deepEqual(ofAjv, ['node_modules/ajv/dist/runtime/ucs2length.js']);
  });
});
