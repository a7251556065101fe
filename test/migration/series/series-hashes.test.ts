import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { BYTES_PER_SERIES, SeriesHashes } from '../../../src/migration/series/series-hashes.ts';

const greatest = 2 ** 53 - 1;

describe('the set of series hashes', () => {
  it('behaves like a Set', () => {
    // Few distinct low bits, so that slots collide.
    const hash = fc.oneof(
      fc.integer({ min: 0, max: 30 }),
      fc.integer({ min: 0, max: 30 }).map((n) => n * 1024),
      fc.integer({ min: 0, max: 30 }).map((n) => greatest - n),
    );
    fc.assert(
      fc.property(fc.array(hash, { maxLength: 200 }), (hashes) => {
        const set = new SeriesHashes(1);
        let room = 1;
        const model = new Set<number>();
        for (const one of hashes) {
          if (model.size === room) set.grow(++room);
          assert.equal(set.add(one), !model.has(one));
          model.add(one);
        }
      }),
    );
  });

  it('keeps everything while it grows', () => {
    const set = new SeriesHashes(256);
    let room = 256;
    for (let i = 0; i < 20_000; i++) {
      if (i === room) {
        room *= 2;
        set.grow(room);
      }
      assert.equal(set.add(i * 7919), true);
    }
    for (let i = 0; i < 20_000; i++) assert.equal(set.add(i * 7919), false);
    assert.equal(set.add(1), true);
  });

  it('stops accepting hashes at its capacity', () => {
    const set = new SeriesHashes(2);
    assert.equal(set.add(1), true);
    assert.equal(set.add(2), true);
    assert.equal(set.add(2), false);
    assert.throws(() => set.add(3), /no room for more than 2 series/);
  });

  it('takes the bytes per series that it says, and frees them immediately', () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    // Otherwise the memory of earlier tests could be freed meanwhile.
    for (let round = 0; round < 2; round++) collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    const assertHolds = (bytes: number) => {
      const held = process.memoryUsage().arrayBuffers - before;
      assert.ok(Math.abs(held - bytes) < 100_000, `${held} instead of ${bytes}`);
    };
    const set = new SeriesHashes(500_000);
    assertHolds(500_000 * BYTES_PER_SERIES);
    set.grow(1_000_000);
    assertHolds(1_000_000 * BYTES_PER_SERIES);
    set.free();
    assertHolds(0);
  });
});
