// The module that the build substitutes for compiled-crd.ts gives the same results.
import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compiledCrdModule } from '../../scripts/compile-crd.ts';
import { COMPILED_CRD } from '../../src/api/compiled-crd.ts';
import type { CompiledCrd } from '../../src/api/crd-compiler.ts';
import { withDefaults } from '../../src/api/defaults.ts';
import { badManifests, goodManifests } from './manifest-tables.ts';
import { type Changes, changed } from './manifests.ts';

const ROOT = resolve(import.meta.dirname, '../..');

describe('the compiled CRD of a build', () => {
  let directory: string;
  let text: string;
  let built: CompiledCrd;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'prom-migrator-crd-'));
    // The same layout as dist/: the formats next to the module, the packages above it.
    await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'), 'dir');
    await writeFile(join(directory, 'package.json'), '{"type":"module"}');
    const formats = pathToFileURL(join(ROOT, 'src/api/schema-formats.ts')).href;
    await writeFile(join(directory, 'schema-formats.js'), `export * from ${JSON.stringify(formats)};`);
    text = compiledCrdModule();
    await writeFile(join(directory, 'compiled-crd.js'), text);
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

  it('does not load the libraries that compiled it', () => {
    const imported = [...text.matchAll(/\b(?:from|require\()\s*["']([^"']+)["']/g)].map(([, name]) => name);
    assert.deepEqual(new Set(imported), new Set(['node:module', './schema-formats.js', 'ajv/dist/runtime/ucs2length']));
  });
});
