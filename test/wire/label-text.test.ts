import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeLabels } from '../../src/wire/labels.ts';
import { formatLabels } from '../../src/wire/label-text.ts';

const plain = encodeLabels([
  ['__name__', 'up'],
  ['job', 'node'],
]);

/** Label messages with a name and a value of any bytes. */
function rawRegion(labels: readonly (readonly [Uint8Array, Uint8Array])[]): Uint8Array {
  const parts = labels.map(([name, value]) => {
    assert.ok(name.length < 50 && value.length < 50);
    const entry = [0x0a, name.length, ...name, 0x12, value.length, ...value];
    return Buffer.from([0x0a, entry.length, ...entry]);
  });
  return new Uint8Array(Buffer.concat(parts));
}

describe('formatLabels', () => {
  it('writes labels like PromQL', () => {
    assert.equal(formatLabels(plain), '{__name__="up", job="node"}');
    assert.equal(formatLabels(new Uint8Array(0)), '{}');
    assert.equal(formatLabels(encodeLabels([['my.name', 'a"b\\c\n']])), '{"my.name"="a\\"b\\\\c\\n"}');
  });

  it('escapes control characters and replaces what is not UTF-8', () => {
    const region = rawRegion([[Buffer.from('a'), Uint8Array.of(0x1b, 0x5b, 0x7f, 0xff)]]);
    assert.equal(formatLabels(region), '{a="\\u001b[\\u007f\uFFFD"}');
    assert.equal(formatLabels(encodeLabels([['a', '\u202ex\u2028']])), '{a="\\u202ex\\u2028"}');
  });

  it('stays within 1 KiB', () => {
    const long: [string, string][] = [
      ['a', 'x'.repeat(2000)],
      ['b', '\u{1F600}'.repeat(500)],
      ['c', '\u{1F600}'.repeat(255)],
    ];
    for (const [name, value] of long) {
      const formatted = formatLabels(encodeLabels([[name, value]]));
      assert.ok(Buffer.byteLength(formatted) <= 1024);
      assert.ok(formatted.startsWith(`{${name}="`) && !formatted.includes('\uFFFD'));
    }
    assert.ok(formatLabels(encodeLabels([['a', 'x'.repeat(2000)]])).endsWith('…}'));
    assert.equal(formatLabels(encodeLabels([['a', 'x'.repeat(900)]])), `{a="${'x'.repeat(900)}"}`);
  });

  it('shows the readable part of invalid bytes', () => {
    assert.equal(formatLabels(plain.subarray(0, plain.length - 1)), '{__name__="up"…}');
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        assert.ok(Buffer.byteLength(formatLabels(bytes)) <= 1024);
      }),
    );
  });
});
