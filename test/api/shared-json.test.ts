import assert from 'node:assert/strict';
import fc from 'fast-check';
import { COMPILED_CRD } from '../../src/api/compiled-crd.ts';
import { type SharedJson, shareJson, unshareJson } from '../../src/api/shared-json.ts';

const sent = (shared: SharedJson): SharedJson => JSON.parse(JSON.stringify(shared));

describe('JSON with equal objects once', () => {
  it('is the same value after it is restored', () => {
    const keys = fc.constantFrom('a', 'b', 'c'.repeat(50));
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom(null, true, 1, 'text', 'a long text '.repeat(9)),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(keys, tie('node'), { noNullPrototype: true }),
      ),
    })).node;
    fc.assert(
      fc.property(fc.dictionary(keys, value, { noNullPrototype: true }), (object) => {
        assert.deepEqual(unshareJson(sent(shareJson(object))), object);
      }),
    );
  });

  it('is much shorter for the CRD', () => {
    const { resource } = COMPILED_CRD;
    const shared = shareJson(resource);
    assert.deepEqual(unshareJson(sent(shared)), resource);
    const [whole, parts] = [resource, shared].map((value) => JSON.stringify(value).length) as [number, number];
    assert.ok(parts < 0.6 * whole, `${parts} of ${whole}`);
  });
});
