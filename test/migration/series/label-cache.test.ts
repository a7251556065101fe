import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LabelCache } from '../../../src/migration/series/label-cache.ts';

describe('label cache', () => {
  it('stores and replaces', () => {
    const cache = new LabelCache<string>(100);
    assert.equal(cache.get('a'), undefined);
    cache.set('a', 'one', 10);
    assert.equal(cache.get('a'), 'one');
    cache.set('a', 'two', 20);
    assert.equal(cache.get('a'), 'two');
  });

  it('keeps the entries that are used and evicts the others', () => {
    const cache = new LabelCache<number>(100);
    cache.set('wanted', 1, 10);
    for (let other = 0; other < 1000; other++) {
      cache.set(`other ${other}`, other, 10);
      assert.equal(cache.get('wanted'), 1);
    }
    assert.equal(cache.get('other 0'), undefined);
    assert.equal(cache.get('other 999'), 999);
  });

  it('keeps a working set over any number of rounds when it fits into half of the cache', () => {
    const cache = new LabelCache<number>(2000);
    for (let series = 0; series < 100; series++) cache.set(`${series}`, series, 10);
    for (let round = 0; round < 5; round++) {
      for (let series = 0; series < 100; series++) assert.equal(cache.get(`${series}`), series);
    }
  });

  it('does not store an entry that would evict everything else', () => {
    const cache = new LabelCache<string>(100);
    cache.set('small', 'stays', 50);
    cache.set('large', 'goes', 51);
    assert.equal(cache.get('large'), undefined);
    assert.equal(cache.get('small'), 'stays');
    cache.set('small', 'has grown', 51);
    assert.equal(cache.get('small'), undefined, 'not the value of before');
  });

  it('stores nothing when its size is zero', () => {
    const cache = new LabelCache<string>(0);
    cache.set('a', 'one', 1);
    assert.equal(cache.get('a'), undefined);
  });

  it('rejects invalid sizes', () => {
    assert.throws(() => new LabelCache(-1), RangeError);
    assert.throws(() => new LabelCache(Number.NaN), RangeError);
    assert.throws(() => new LabelCache(10).set('a', 1, -1), RangeError);
  });

  it('never returns an old value', () => {
    const steps = fc.array(
      fc.record({
        key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
        bytes: fc.option(fc.integer({ min: 0, max: 60 })),
      }),
      { maxLength: 200, size: 'max' },
    );
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 100 }), (script, maxBytes) => {
        const cache = new LabelCache<number>(maxBytes);
        const truth = new Map<string, number>();
        for (const [step, { key, bytes }] of script.entries()) {
          if (bytes === null) {
            const value = cache.get(key);
            if (value !== undefined) assert.equal(value, truth.get(key));
          } else {
            cache.set(key, step, bytes);
            truth.set(key, step);
            if (bytes <= Math.floor(maxBytes / 2)) assert.equal(cache.get(key), step, 'the newest is there');
          }
        }
      }),
    );
  });

  it('never exceeds its size', () => {
    const keys = [...'abcdefghijkl'];
    const step = fc.record({ key: fc.constantFrom(...keys), bytes: fc.option(fc.integer({ min: 0, max: 30 })) });
    const steps = fc.array(step, { maxLength: 60, size: 'max' });
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 100 }), (script, maxBytes) => {
        // A look at one entry moves it, so each entry is looked for in a cache of its own.
        const heldBytes = keys.map((wanted) => {
          const cache = new LabelCache<number>(maxBytes);
          for (const { key, bytes } of script) {
            if (bytes === null) cache.get(key);
            else cache.set(key, bytes, bytes);
          }
          return cache.get(wanted) ?? 0;
        });
        assert.ok(heldBytes.reduce((sum, bytes) => sum + bytes, 0) <= maxBytes, `${heldBytes}`);
      }),
    );
  });
});
