import assert from 'node:assert/strict';
import fc from 'fast-check';
import { crc32c as crc32cInJavaScript } from '../../../src/wire/responses/crc32c.ts';
import { CODECS } from '../support/codecs.ts';

/** Bit by bit, from the definition: reflected polynomial, initial value and final XOR of all ones. */
function slowCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

for (const { codec, kernel } of CODECS) {
  const crc32c: typeof crc32cInJavaScript =
    kernel === null ? crc32cInJavaScript : (...range) => kernel.crc32c(...range);

  describe(`crc32c (${codec})`, () => {
    // The check value of the CRC catalogue, and the vectors of RFC 3720 B.4.
    const vectors: [string, Uint8Array, number][] = [
      ['nothing', new Uint8Array(0), 0],
      ['"123456789"', Buffer.from('123456789'), 0xe3069283],
      ['32 zeros', new Uint8Array(32), 0x8a9136aa],
      ['32 ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
      ['0 to 31', Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
      ['31 to 0', Uint8Array.from({ length: 32 }, (_, index) => 31 - index), 0x113fdb5c],
    ];
    for (const [name, bytes, expected] of vectors) {
      it(`returns the published checksum of ${name}`, () => {
        assert.equal(crc32c(bytes, 0, bytes.length), expected);
      });
    }

    it('returns what the definition gives, for any bytes and any part of them', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(20), fc.nat(20), (bytes, head, tail) => {
          const start = Math.min(head, bytes.length);
          const end = Math.max(start, bytes.length - tail);
          assert.equal(crc32c(bytes, start, end), slowCrc32c(bytes.subarray(start, end)));
        }),
      );
    });

    it('takes more bytes than the kernel can hold at once', () => {
      const bytes = Uint8Array.from({ length: 700_000 }, (_, index) => Math.imul(index, 0x9e37_79b1) >>> 24);
      assert.equal(crc32c(bytes, 3, 699_998), slowCrc32c(bytes.subarray(3, 699_998)));
    });
  });
}
