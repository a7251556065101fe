import assert from 'node:assert/strict';
import { extremeManifest, extremeValues } from './extreme-values.ts';
import { linesOf, load } from './manifests.ts';

describe('values at the limits of the schema', () => {
  for (const { path, accepted, refused } of extremeValues) {
    for (const text of accepted) {
      it(`${path}: ${text} is accepted`, () => assert.deepEqual(linesOf(load(extremeManifest(path, text))), []));
    }
    for (const text of refused) {
      it(`${path}: ${text.slice(0, 50)} is rejected with its path`, () => {
        const lines = linesOf(load(extremeManifest(path, text)));
        assert.notEqual(lines.length, 0);
        for (const line of lines) assert.ok(line.startsWith(`m.yaml: spec.${path}`), line);
      });
    }
  }
});

describe('a name that YAML parses as a boolean', () => {
  const labelled = (name: string) => extremeManifest('externalLabels', `{ ${name}: a }`);

  for (const name of ['y', 'n', 'on', 'No', 'true']) {
    it(`(${name}) is rejected as a key, because kubectl would rename it`, () => {
      assert.deepEqual(linesOf(load(labelled(name))), [
        `m.yaml, document 1: has a key that is not a string: put ${name} in quotes`,
      ]);
    });
    it(`(${name}) is accepted in quotes`, () => {
      assert.deepEqual(linesOf(load(labelled(`"${name}"`))), []);
    });
  }
});
