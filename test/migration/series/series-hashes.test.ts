import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SeriesHashes } from '../../../src/migration/series/series-hashes.ts';

const greatest = 2 ** 53 - 1;

describe('the set of series hashes', () => {
  it('knows what a Set knows', () => {
    // Few distinct low parts, so that slots collide.
    const hash = fc.oneof(
      fc.integer({ min: 0, max: 30 }),
      fc.integer({ min: 0, max: 30 }).map((n) => n * 1024),
      fc.integer({ min: 0, max: 30 }).map((n) => greatest - n),
    );
    fc.assert(
      fc.property(fc.array(hash, { maxLength: 200 }), (hashes) => {
        const set = new SeriesHashes();
        const model = new Set<number>();
        for (const one of hashes) {
          assert.equal(set.add(one), !model.has(one));
          model.add(one);
        }
        assert.equal(set.size, model.size);
      }),
    );
  });

  it('keeps everything while it grows', () => {
    const set = new SeriesHashes();
    const before = set.bytes;
    for (let i = 0; i < 20_000; i++) assert.equal(set.add(i * 7919), true);
    assert.ok(set.bytes > before);
    assert.ok(set.bytes <= 20_000 * 8 * 4, 'at most a quarter full after growing');
    for (let i = 0; i < 20_000; i++) assert.equal(set.add(i * 7919), false);
    assert.equal(set.add(1), true);
  });
});
