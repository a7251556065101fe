// Keywords of structural schemas that only some fields use, in a small CRD of their own.

import assert from 'node:assert/strict';
import { compileCrd, type SchemaError } from '../../src/api/crd-compiler.ts';
import { withDefaults } from '../../src/api/defaults.ts';

const { schemaErrors, resource } = compileCrd(`
spec:
  group: example.io
  names: { kind: Example }
  versions:
    - name: v1
      schema:
        openAPIV3Schema:
          type: object
          properties:
            amount:
              x-kubernetes-int-or-string: true
              pattern: ^[0-9]+m?$
              minimum: 0
            free:
              type: object
              x-kubernetes-preserve-unknown-fields: true
            partly:
              type: object
              x-kubernetes-preserve-unknown-fields: true
              properties:
                known: { type: integer, default: 1 }
            closed:
              type: object
              properties:
                known: { type: integer }
`);

function errorsOf(value: unknown): string[] {
  return schemaErrors(value).map(({ instancePath, keyword }: SchemaError) => `${instancePath} ${keyword}`);
}

describe('an integer or a string', () => {
  for (const amount of [0, 5, '5', '500m']) {
    it(`is ${JSON.stringify(amount)}`, () => assert.deepEqual(errorsOf({ amount }), []));
  }
  const refused: readonly (readonly [unknown, string])[] = [
    [-1, 'minimum'],
    ['-1', 'pattern'],
    [1.5, 'type'],
    [true, 'type'],
    [{}, 'type'],
    [[5], 'type'],
  ];
  for (const [amount, keyword] of refused) {
    it(`is not ${JSON.stringify(amount)}`, () => assert.deepEqual(errorsOf({ amount }), [`/amount ${keyword}`]));
  }
});

describe('an object with unknown fields', () => {
  it('may have any', () => assert.deepEqual(errorsOf({ free: { a: [1, { b: null }] }, partly: { b: 'x' } }), []));

  it('is still an object, and its known fields are checked', () =>
    assert.deepEqual(errorsOf({ free: 'x', partly: { known: 'x', b: 1 } }), ['/free type', '/partly/known type']));

  it('is an error without the keyword', () =>
    assert.deepEqual(errorsOf({ closed: { other: 1 } }), ['/closed additionalProperties']));

  it('keeps them as they are, beside the defaults of its known fields', () =>
    assert.deepEqual(withDefaults({ free: { a: { b: null } }, partly: { b: null } }, resource.schema), {
      free: { a: { b: null } },
      partly: { b: null, known: 1 },
    }));
});

describe('a keyword that is unknown here', () => {
  it('is an error, and never ignored', () => {
    const text = `
spec:
  group: example.io
  names: { kind: Example }
  versions: [{ name: v1, schema: { openAPIV3Schema: { type: object, nullable: true } } }]
`;
    assert.throws(() => compileCrd(text), /the CRD uses the keyword nullable, which this version does not check/);
  });
});
