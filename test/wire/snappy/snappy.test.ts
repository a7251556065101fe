import assert from 'node:assert/strict';
import fc from 'fast-check';
import { WireError } from '../../../src/wire/errors.ts';
import type { Kernel } from '../../../src/wire/kernel/kernel.ts';
import { compress, declaredLength, decompress as decompressIn } from '../../../src/wire/snappy/snappy.ts';
import { SnappyReader } from '../../../src/wire/snappy/snappy-reader.ts';
import { CODECS } from '../support/codecs.ts';

const corrupt = { name: 'WireError', code: 'corrupt' };
const truncated = { name: 'WireError', code: 'truncated' };
const compressible = fc
  .array(fc.tuple(fc.uint8Array({ maxLength: 20 }), fc.integer({ min: 1, max: 30 })), { maxLength: 12 })
  .map((runs) => new Uint8Array(Buffer.concat(runs.flatMap(([bytes, times]) => Array<Uint8Array>(times).fill(bytes)))));

/**
 * The reference: every element written byte by byte. undefined when the format description forbids the stream, and for a short literal in a
 * long form at the very end, which no compressor writes and snappyjs does not accept.
 */
function referenceDecompress(block: Uint8Array): Uint8Array | undefined {
  const out: number[] = [];
  let at = 0;
  let declared = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = block[at++];
    if (byte === undefined || shift > 28n) return undefined;
    declared |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  while (at < block.length) {
    const tag = block[at++]!;
    let length = (tag >> 2) + 1;
    if ((tag & 3) === 0) {
      if (length > 60) {
        if (at + 3 >= block.length) return undefined;
        const bytes = [...block.subarray(at, at + length - 60)];
        if (bytes.length < length - 60) return undefined;
        at += bytes.length;
        length = Number(bytes.reduceRight((value, byte) => value * 256n + BigInt(byte), 0n)) + 1;
      }
      if (at + length > block.length) return undefined;
      out.push(...block.subarray(at, at + length));
      at += length;
      continue;
    }
    const offsetBytes = [0, 1, 2, 4][tag & 3]!;
    const bytes = [...block.subarray(at, at + offsetBytes)];
    if (bytes.length < offsetBytes) return undefined;
    at += offsetBytes;
    let offset = bytes.reduceRight((value, byte) => value * 256 + byte, 0);
    if ((tag & 3) === 1) {
      length = ((tag >> 2) & 7) + 4;
      offset += (tag >> 5) << 8;
    }
    if (offset === 0 || offset > out.length) return undefined;
    for (let count = 0; count < length; count++) out.push(out[out.length - offset]!);
  }
  return BigInt(out.length) === declared ? Uint8Array.from(out) : undefined;
}

/** The block in pieces of these sizes, including empty ones, and then the rest. */
function inPieces(kernel: Kernel | null, block: Uint8Array, sizes: readonly number[], memory?: Uint8Array): Uint8Array {
  const reader = new SnappyReader(kernel);
  let at = 0;
  for (const size of [...sizes, block.length]) {
    // A pushed piece belongs to the reader until the call returns, or until memory is provided.
    const piece = block.slice(at, at + size);
    reader.push(piece);
    if (reader.wantedBytes > 0) {
      if (reader.wantedBytes > 110_000) throw new WireError('too-large', 'over the limit');
      reader.provide(memory ?? new Uint8Array(reader.wantedBytes));
    }
    piece.fill(0xdd);
    at += size;
  }
  return reader.end();
}

/** The content, or that it was rejected; the message may depend on where the block was split. */
function outcomeOf(expand: () => Uint8Array): Uint8Array | 'refused' {
  try {
    return expand();
  } catch (error) {
    assert.ok(error instanceof WireError, String(error));
    return 'refused';
  }
}

for (const { codec, kernel } of CODECS)
  describe(`snappy, ${codec}`, () => {
    const decompress = (block: Uint8Array, maxBytes: number) => decompressIn(block, maxBytes, kernel);

    it('round-trips any bytes, and an independent implementation agrees', () => {
      fc.assert(
        fc.property(fc.oneof(compressible, fc.uint8Array({ maxLength: 2000 })), (bytes) => {
          const block = compress(bytes);
          assert.equal(declaredLength(block), bytes.length);
          assert.deepEqual(decompress(block, bytes.length), bytes);
          assert.deepEqual(referenceDecompress(block), bytes);
        }),
      );
    });

    it('supports several 64 KiB fragments', () => {
      const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => (index * index) >>> 7);
      assert.deepEqual(decompress(compress(bytes), bytes.length), bytes);
    });

    it('returns new plain arrays for a Buffer too, and does not modify the input', () => {
      const input = Buffer.from('abcabcabcabcabcabc');
      const block = compress(input);
      assert.ok(!Buffer.isBuffer(block));
      assert.equal(block.buffer.byteLength, block.length);
      const back = decompress(Buffer.from(block), 100);
      assert.ok(!Buffer.isBuffer(back));
      assert.equal(Buffer.from(back).toString(), 'abcabcabcabcabcabc');
      assert.equal(input.toString(), 'abcabcabcabcabcabc');
    });

    it('expands a block given in pieces into existing memory, whatever its contents', () => {
      fc.assert(
        fc.property(
          fc.oneof(compressible, fc.uint8Array({ maxLength: 2000 })),
          fc.array(fc.integer({ min: 0, max: 90 }), { maxLength: 40 }),
          (bytes, sizes) => {
            const memory = new Uint8Array(bytes.length + 50).fill(0xee);
            const content = inPieces(kernel, compress(bytes), sizes, memory);
            assert.equal(content.buffer, memory.buffer);
            assert.deepEqual(content, bytes);
          },
        ),
      );
    });

    it('treats a block in pieces like the whole, wherever it is split', () => {
      const flipped = fc.tuple(compressible, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([bytes, at, value]) => {
        const block = compress(bytes);
        block[at % block.length] = value;
        return block;
      });
      fc.assert(
        fc.property(
          fc.oneof(flipped, fc.uint8Array({ maxLength: 30 })),
          fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 40 }),
          (block, sizes) => {
            assert.deepEqual(
              outcomeOf(() => inPieces(kernel, block, sizes)),
              outcomeOf(() => decompress(block, 100_000)),
            );
          },
        ),
        { numRuns: 500 },
      );
    });

    it('requests memory as soon as the length is known, and before anything is written', () => {
      const block = compress(new Uint8Array(300_000));
      const reader = new SnappyReader(kernel);
      reader.push(block.subarray(0, 2));
      assert.equal(reader.wantedBytes, 0);
      reader.push(block.subarray(2, 3));
      assert.equal(reader.declared, 300_000);
      assert.ok(reader.wantedBytes >= 300_000 && reader.wantedBytes < 300_064);
    });

    it('rejects a declared length over the limit, naming both, before it reads the rest', () => {
      const bomb = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0xfe, 1, 0);
      assert.throws(() => decompress(bomb, 1000), { code: 'too-large', message: /4294967295.*1000/ });
      const block = compress(new Uint8Array(1001));
      assert.throws(() => decompress(block, 1000), { code: 'too-large', message: /1001.*1000/ });
      assert.equal(decompress(block, 1001).length, 1001);
    });

    it('allocates nothing for a length that the elements do not fill', () => {
      const before = process.memoryUsage().arrayBuffers;
      const startedMs = performance.now();
      assert.throws(() => decompress(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x08, 0, 0x61), 2 ** 40), truncated);
      assert.ok(performance.now() - startedMs < 2000);
      assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000);
    });

    it('rejects an invalid length and one over 2^32 - 1', () => {
      assert.throws(() => declaredLength(new Uint8Array(0)), truncated);
      assert.throws(() => declaredLength(Uint8Array.of(0x80, 0x80)), truncated);
      assert.throws(() => declaredLength(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x10)), corrupt);
      assert.throws(() => declaredLength(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x01)), corrupt);
      assert.throws(() => declaredLength(new Uint8Array(20).fill(0xff)), corrupt);
      assert.equal(declaredLength(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f)), 2 ** 32 - 1);
    });

    // Each of these makes snappyjs alone loop, read undefined bytes or return zeros.
    const hostile: [string, number[], string][] = [
      ['a literal of 2^32 bytes', [4, 0xfc, 0xff, 0xff, 0xff, 0xff], 'corrupt'],
      ['a literal of 2^31 bytes', [4, 0xfc, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3, 4], 'corrupt'],
      ['a truncated literal', [4, 12, 1, 2], 'truncated'],
      ['a literal truncated inside its length', [4, 0xf4, 0x01], 'truncated'],
      ['a one-byte-offset copy without its offset', [5, 0, 0x61, 0x01], 'truncated'],
      ['a copy from before the start', [8, 0, 0x61, 0x0d, 0x02], 'corrupt'],
      ['a copy with the offset 0', [8, 0, 0x61, 0x0d, 0x00], 'corrupt'],
      ['a four-byte offset that is negative as int32', [5, 0, 0x61, 0x0f, 0xff, 0xff, 0xff, 0xff], 'corrupt'],
      ['more bytes than declared', [1, 4, 0x61, 0x62], 'corrupt'],
      ['fewer bytes than declared', [3, 4, 0x61, 0x62], 'truncated'],
      ['no elements at all', [3], 'truncated'],
    ];
    for (const [name, bytes, code] of hostile) {
      it(`rejects ${name}`, () => {
        assert.throws(() => decompress(Uint8Array.from(bytes), 2 ** 33), { name: 'WireError', code });
      });
    }

    it('detects every truncation of a block', () => {
      const block = compress(Buffer.from(`${'abcdefgh'.repeat(40)}the end`));
      for (let end = 0; end < block.length; end++) {
        assert.throws(() => decompress(block.subarray(0, end), 1000), truncated, `${end} of ${block.length} bytes`);
      }
    });

    it('returns what the reference returns, or throws a WireError when the reference fails, whatever the bytes', () => {
      const flipped = fc.tuple(compressible, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([bytes, at, value]) => {
        const block = compress(bytes);
        block[at % block.length] = value;
        return block;
      });
      let accepted = 0;
      fc.assert(
        fc.property(fc.oneof(flipped, fc.uint8Array({ maxLength: 30 })), (block) => {
          const expected = referenceDecompress(block);
          if (expected === undefined) assert.throws(() => decompress(block, 100_000), { name: 'WireError' });
          else {
            accepted++;
            assert.deepEqual(decompress(block, 100_000), expected);
          }
        }),
        { numRuns: 500 },
      );
      assert.ok(accepted > 0);
    });
  });
