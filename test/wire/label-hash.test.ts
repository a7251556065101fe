import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeLabels } from '../../src/wire/labels.ts';
import { hashLabels, labelKey } from '../../src/wire/label-hash.ts';

const plain = encodeLabels([
  ['__name__', 'up'],
  ['job', 'node'],
]);

describe('labelKey', () => {
  it('is equal only for equal arrays', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        assert.equal(labelKey(a) === labelKey(b), Buffer.compare(a, b) === 0);
      }),
    );
    assert.notEqual(labelKey(Uint8Array.of(0x80)), labelKey(Uint8Array.of(0x81)));
    assert.equal(labelKey(plain), labelKey(Buffer.concat([Buffer.of(1), plain]).subarray(1)));
  });
});

describe('hashLabels', () => {
  function manySeries(): Uint8Array[] {
    return Array.from({ length: 50_000 }, (_, index) =>
      encodeLabels([
        ['__name__', `metric_${index % 100}`],
        ['instance', `host-${Math.floor(index / 100)}:9100`],
      ]),
    );
  }

  it('returns safe integers, without a collision in 50 000 similar series', () => {
    const hashes = new Set(manySeries().map(hashLabels));
    assert.equal(hashes.size, 50_000);
    for (const hash of hashes) assert.ok(Number.isSafeInteger(hash) && hash >= 0);
  });

  for (const lanes of [2, 3, 7, 16, 64]) {
    it(`distributes similar series evenly over ${lanes} lanes`, () => {
      const counts = new Array<number>(lanes).fill(0);
      for (const labels of manySeries()) counts[hashLabels(labels) % lanes]!++;
      const expected = 50_000 / lanes;
      // Six standard deviations of a uniform distribution.
      const allowed = 6 * Math.sqrt(expected);
      for (const count of counts) assert.ok(Math.abs(count - expected) < allowed, counts.join(' '));
    });
  }

  it('depends on every byte and on the length', () => {
    const seen = new Set<number>();
    for (let length = 0; length < 40; length++) {
      const zeros = new Uint8Array(length);
      seen.add(hashLabels(zeros));
      for (let at = 0; at < length; at++) {
        const changed = zeros.slice();
        changed[at] = 1;
        seen.add(hashLabels(changed));
      }
    }
    assert.equal(seen.size, 40 + (39 * 40) / 2);
  });
});
