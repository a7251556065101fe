import assert from 'node:assert/strict';
import fc from 'fast-check';
import { canonicalLabels, decodeLabels, encodeLabels, gatherLabels } from '../../src/wire/labels.ts';
import { labelKey } from '../../src/wire/label-hash.ts';
import { decodeMessage, encodeMessage, labelRegion } from './support/oracle.ts';

const corrupt = { name: 'WireError', code: 'corrupt' };
const invalidLabels = { name: 'WireError', code: 'invalid-labels' };
const truncated = { name: 'WireError', code: 'truncated' };
const plain = encodeLabels([
  ['__name__', 'up'],
  ['job', 'node'],
]);

const text = fc.string({ unit: 'binary', maxLength: 200 });
/** Unique names, no empty values, in random order. */
const labelSets = fc.uniqueArray(fc.tuple(text, fc.string({ unit: 'binary', minLength: 1, maxLength: 200 })), {
  selector: ([name]) => name,
  maxLength: 12,
});

/** Label messages with a name and a value of any bytes. */
function rawRegion(labels: readonly (readonly [Uint8Array, Uint8Array])[]): Uint8Array {
  const parts = labels.map(([name, value]) => {
    assert.ok(name.length < 50 && value.length < 50);
    const entry = [0x0a, name.length, ...name, 0x12, value.length, ...value];
    return Buffer.from([0x0a, entry.length, ...entry]);
  });
  return new Uint8Array(Buffer.concat(parts));
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

describe('canonicalLabels', () => {
  it('returns a canonical region unchanged, without a copy', () => {
    assert.equal(canonicalLabels(plain), plain);
    const long = encodeLabels([
      ['a', 'x'.repeat(300)],
      ['b'.repeat(20_000), 'y'],
    ]);
    assert.equal(canonicalLabels(long), long);
    const none = new Uint8Array(0);
    assert.equal(canonicalLabels(none), none);
  });

  it('treats the region that protobufjs writes for a sorted label set as canonical', () => {
    fc.assert(
      fc.property(labelSets, (labels) => {
        const sorted = labels.filter(([name]) => name !== '').toSorted(byName);
        const region = labelRegion(sorted.map(([name, value]) => ({ name, value })));
        assert.equal(canonicalLabels(region), region);
      }),
    );
  });

  it('returns one form for every order of the same labels', () => {
    fc.assert(
      fc.property(
        labelSets.chain((labels) =>
          fc.tuple(fc.constant(labels), fc.shuffledSubarray(labels, { minLength: labels.length })),
        ),
        ([labels, shuffled]) => {
          const expected = encodeLabels(labels);
          const region = labelRegion(shuffled.map(([name, value]) => ({ name, value })));
          assert.deepEqual(canonicalLabels(region), expected);
          assert.equal(canonicalLabels(expected), expected);
        },
      ),
    );
  });

  it('sorts by bytes, so that 0xFF comes last and a prefix first', () => {
    const name = (...bytes: number[]) => Uint8Array.from(bytes);
    const x = Uint8Array.of(0x78);
    const sorted = rawRegion([
      [name(0x41), x],
      [name(0x61), x],
      [name(0x61, 0x00), x],
      [name(0xc3, 0xa9), x],
      [name(0xff), x],
    ]);
    const mixed = rawRegion([
      [name(0xff), x],
      [name(0x61, 0x00), x],
      [name(0xc3, 0xa9), x],
      [name(0x61), x],
      [name(0x41), x],
    ]);
    assert.equal(canonicalLabels(sorted), sorted);
    assert.deepEqual(canonicalLabels(mixed), sorted);
  });

  it('keeps values that are not UTF-8 byte for byte', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(bytes, bytes), { selector: ([name]) => labelKey(name) }), (labels) => {
        const sorted = labels.toSorted(([a], [b]) => Buffer.compare(a, b));
        assert.deepEqual(canonicalLabels(rawRegion(labels)), rawRegion(sorted));
      }),
    );
  });

  it('drops a label with an empty value, explicit or omitted', () => {
    const region = labelRegion([{ name: '__name__', value: 'up' }, { name: 'gone' }, { name: 'job', value: 'node' }]);
    assert.deepEqual(canonicalLabels(region), plain);
    const written = rawRegion([[Buffer.from('gone'), new Uint8Array(0)]]);
    assert.deepEqual(canonicalLabels(written), new Uint8Array(0));
  });

  it('drops a repeated label and rejects one name with two values', () => {
    const once = { name: 'job', value: 'node' };
    const first = { name: '__name__', value: 'up' };
    assert.deepEqual(canonicalLabels(labelRegion([first, once, once])), plain);
    assert.throws(() => canonicalLabels(labelRegion([first, once, { name: 'job', value: 'other' }])), invalidLabels);
    assert.throws(() => canonicalLabels(labelRegion([once, first, { name: 'job', value: 'other' }])), invalidLabels);
  });

  it('drops unknown fields, puts the name first and shortens lengths', () => {
    const unknown = Buffer.from([0x0a, 9, 0x0a, 1, 0x61, 0x18, 0x05, 0x12, 2, 0x78, 0x79]);
    const valueFirst = Buffer.from([0x0a, 7, 0x12, 2, 0x78, 0x79, 0x0a, 1, 0x61]);
    const longLength = Buffer.from([0x0a, 0x88, 0x00, 0x0a, 1, 0x61, 0x12, 0x82, 0x00, 0x78, 0x79]);
    for (const region of [unknown, valueFirst, longLength]) {
      assert.deepEqual(canonicalLabels(region), encodeLabels([['a', 'xy']]));
    }
  });

  it('rejects every truncation that does not end between two labels', () => {
    const boundaries = new Set([0, 16, plain.length]);
    assert.deepEqual(decodeLabels(plain.subarray(0, 16)), [['__name__', 'up']]);
    for (let end = 1; end < plain.length; end++) {
      if (boundaries.has(end)) continue;
      assert.throws(() => canonicalLabels(plain.subarray(0, end)), truncated, `${end} bytes`);
    }
  });

  it('rejects fields that are not labels and labels that are not messages', () => {
    assert.throws(() => canonicalLabels(Uint8Array.of(0x12, 0)), corrupt);
    assert.throws(() => canonicalLabels(Uint8Array.of(0x08, 1)), corrupt);
    assert.throws(() => canonicalLabels(Uint8Array.of(0x0a, 2, 0x08, 1)), corrupt);
    assert.throws(() => canonicalLabels(Uint8Array.of(0x0a, 1, 0x0b)), corrupt);
  });

  it('rejects ten million tiny labels immediately', () => {
    const empty = new Uint8Array(20_000_000);
    for (let at = 0; at < empty.length; at += 2) empty[at] = 0x0a;
    const startedMs = performance.now();
    assert.throws(() => canonicalLabels(empty), corrupt);
    assert.throws(() => decodeLabels(empty), corrupt);
    assert.ok(performance.now() - startedMs < 5000);
  });

  it('returns or throws a WireError, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          const canonical = canonicalLabels(bytes);
          assert.deepEqual(canonicalLabels(canonical), canonical);
        } catch (error) {
          assert.ok(error instanceof Error && error.name === 'WireError', String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('encodeLabels and decodeLabels', () => {
  it('round-trip any UTF-8, sorted by bytes', () => {
    fc.assert(
      fc.property(labelSets, (labels) => {
        assert.deepEqual(decodeLabels(encodeLabels(labels)), labels.toSorted(byName));
      }),
    );
  });

  it('agree with protobufjs', () => {
    fc.assert(
      fc.property(labelSets, (labels) => {
        const decoded = decodeMessage('TimeSeries', encodeLabels(labels));
        assert.deepEqual(
          decoded['labels'],
          labels.toSorted(byName).map(([name, value]) => ({ name, value })),
        );
      }),
    );
  });

  it('sort by code point, not by UTF-16 unit', () => {
    const labels = encodeLabels([
      ['\u{1F600}', 'b'],
      ['\uFFFD', 'a'],
    ]);
    assert.deepEqual(
      decodeLabels(labels).map(([, value]) => value),
      ['a', 'b'],
    );
  });

  it('keep a byte order mark and drop an empty value', () => {
    assert.deepEqual(
      decodeLabels(
        encodeLabels([
          ['\uFEFFa', '\uFEFFb'],
          ['c', ''],
        ]),
      ),
      [['\uFEFFa', '\uFEFFb']],
    );
  });

  it('reject what is not UTF-8', () => {
    const region = rawRegion([[Buffer.from('a'), Uint8Array.of(0xff)]]);
    assert.throws(() => decodeLabels(region), invalidLabels);
  });

  it('reject one name with two values', () => {
    assert.throws(
      () =>
        encodeLabels([
          ['a', '1'],
          ['a', '2'],
        ]),
      invalidLabels,
    );
  });
});

describe('gatherLabels', () => {
  it('makes scattered labels contiguous', () => {
    const label = (name: string) => labelRegion([{ name, value: 'x' }]);
    const chunks = Uint8Array.of(0x12, 2, 0x18, 1);
    const message = Buffer.concat([chunks, label('a'), label('b'), chunks, label('c'), chunks]);
    const gathered = gatherLabels(message, 0, message.length);
    assert.deepEqual(
      decodeLabels(gathered).map(([name]) => name),
      ['a', 'b', 'c'],
    );
  });
});

describe('the label region of a whole series', () => {
  it('is the same in TimeSeries and ChunkedSeries', () => {
    const labels = [
      { name: '__name__', value: 'up' },
      { name: 'job', value: 'node' },
    ];
    assert.deepEqual(encodeMessage('ChunkedSeries', { labels }), plain);
    assert.deepEqual(encodeMessage('TimeSeries', { labels }), plain);
  });
});
