import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BYTES_PER_SERIES, SeriesHashes } from '../../../src/migration/series/series-hashes.ts';

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
        const set = new SeriesHashes(1);
        const model = new Set<number>();
        for (const one of hashes) {
          if (set.size === set.room) set.grow(set.room + 1);
          assert.equal(set.add(one), !model.has(one));
          model.add(one);
        }
        assert.equal(set.size, model.size);
      }),
    );
  });

  it('keeps everything while it grows', () => {
    const set = new SeriesHashes(256);
    for (let i = 0; i < 20_000; i++) {
      if (set.size === set.room) set.grow(2 * set.room);
      assert.equal(set.add(i * 7919), true);
    }
    assert.equal(set.bytes, set.room * BYTES_PER_SERIES);
    for (let i = 0; i < 20_000; i++) assert.equal(set.add(i * 7919), false);
    assert.equal(set.add(1), true);
  });

  it('takes what it has room for, and no more', () => {
    const set = new SeriesHashes(2);
    assert.equal(set.add(1), true);
    assert.equal(set.add(2), true);
    assert.equal(set.add(2), false);
    assert.throws(() => set.add(3), /no room for more than 2 series/);
    set.free();
    assert.equal(set.bytes, 0);
  });
});
