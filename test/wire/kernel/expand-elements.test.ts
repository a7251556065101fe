// The kernel's expansion of snappy blocks gives the bytes of the JavaScript path, accepts no block that it refuses, and stays inside its memory.

import assert from 'node:assert/strict';
import { WireError } from '../../../src/wire/errors.ts';
import { openKernel } from '../../../src/wire/kernel/kernel.ts';
import { expandElements } from '../../../src/wire/kernel/samples-response.ts';
import { compress, decompress } from '../../../src/wire/snappy/snappy.ts';
import { SnappyReader } from '../../../src/wire/snappy/snappy-reader.ts';
import { randomNumbers } from '../../support/dataset.ts';
import { MemoryWatch } from '../support/kernel-memory.ts';
import { mutate } from '../support/mutated-chunks.ts';

const BLOCKS = 1_000_000;
const kernel = openKernel();

function literal(bytes: Uint8Array): Uint8Array {
  const length = bytes.length - 1;
  return Buffer.concat([Uint8Array.of(0xfc, length, length >>> 8, length >>> 16, length >>> 24), bytes]);
}

function farCopy(length: number, distance: number): Uint8Array {
  return Uint8Array.of(((length - 1) << 2) | 3, distance, distance >>> 8, distance >>> 16, distance >>> 24);
}

function nearCopy(length: number, distance: number): Uint8Array {
  return Uint8Array.of(((length - 1) << 2) | 2, distance, distance >>> 8);
}

function blockOf(contentBytes: number, elements: readonly Uint8Array[]): Uint8Array {
  const head = [0x80, 0x80, 0x80, 0x80, 0].map((bit, i) => bit | (Math.floor(contentBytes / 2 ** (7 * i)) & 0x7f));
  return Buffer.concat([Uint8Array.from(head), ...elements]);
}

/** A block like those of samples: labels, then messages of 18 bytes with the same tags. */
function samplesLike(random: () => number, samples: number): Uint8Array {
  const content = Buffer.alloc(samples * 18);
  for (let i = 0; i < samples; i++) {
    content.writeDoubleLE(random() < 0.5 ? Math.floor(random() * 100) : random(), i * 18);
    content.writeUInt32LE(i * 15_000, i * 18 + 12);
  }
  return compress(content);
}

function expandedInPieces(block: Uint8Array, pieceBytes: number, codec: typeof kernel | null): Uint8Array {
  const reader = new SnappyReader(codec);
  for (let at = 0; at < block.length; at += pieceBytes) {
    reader.push(block.subarray(at, at + pieceBytes));
    if (reader.wantedBytes > 0) reader.provide(new Uint8Array(reader.wantedBytes));
  }
  return reader.end();
}

describe('expandElements', () => {
  it('expands what is larger than its memory, in pieces of any size', () => {
    const random = randomNumbers(7);
    const block = samplesLike(random, 60_000);
    const expected = decompress(block, 2 ** 30, null);
    for (const pieceBytes of [block.length, 200_000, 65_536, 10_007, 1009]) {
      assert.ok(Buffer.from(expected).equals(expandedInPieces(block, pieceBytes, kernel)), `${pieceBytes} bytes`);
    }
  });

  it('takes nearly all of such a block', () => {
    const block = samplesLike(randomNumbers(8), 5000).subarray(3);
    const content = new Uint8Array(90_000);
    const { taken, added } = expandElements(kernel, block, 0, content, 0, content.length);
    assert.deepEqual([taken, added], [block.length, content.length]);
  });

  it('continues after a copy that reaches back further than its memory, and after a long literal', () => {
    const random = randomNumbers(9);
    const bytes = Uint8Array.from({ length: 400_000 }, () => random() * 256);
    const short = bytes.subarray(0, 100);
    const elements = [
      literal(bytes),
      ...[farCopy(64, 399_999), literal(short), nearCopy(64, 65_535), nearCopy(64, 7), farCopy(20, 65_536)],
      ...[farCopy(20, 65_537), literal(short), nearCopy(1, 1), nearCopy(60, 1), nearCopy(64, 15), nearCopy(64, 16)],
    ];
    const block = blockOf(400_000 + 64 + 100 + 64 + 64 + 20 + 20 + 100 + 1 + 60 + 64 + 64, elements);
    const expected = decompress(block, 2 ** 30, null);
    assert.deepEqual(Buffer.from(expected.subarray(400_000, 400_064)), Buffer.from(bytes.subarray(1, 65)));
    for (const pieceBytes of [block.length, 131_072, 50_000])
      assert.ok(Buffer.from(expected).equals(expandedInPieces(block, pieceBytes, kernel)), `${pieceBytes} bytes`);
  });

  it(`agrees with JavaScript about ${BLOCKS} mutated blocks, and changes nothing else in its memory`, function () {
    this.timeout(240_000);
    const random = randomNumbers(11);
    const { OUTPUT, OUTPUT_BYTES } = kernel.layout;
    const watch = new MemoryWatch(kernel, [{ start: OUTPUT, end: OUTPUT + OUTPUT_BYTES }]);
    const originals = Array.from({ length: 50 }, (_, i) => samplesLike(random, 1 + (i % 10)));
    const outcome = (block: Uint8Array, codec: typeof kernel | null): Uint8Array | string => {
      try {
        return decompress(block, 4096, codec);
      } catch (error) {
        if (error instanceof WireError) return error.message;
        throw error;
      }
    };
    let accepted = 0;
    for (let i = 0; i < BLOCKS; i++) {
      const block = mutate(originals[i % originals.length]!, random);
      const mine = outcome(block, kernel);
      const other = outcome(block, null);
      watch.check();
      if (typeof mine === 'string' || typeof other === 'string' ? mine !== other : Buffer.compare(mine, other) !== 0)
        assert.fail(`block ${i}: ${Buffer.from(block).toString('hex')}`);
      if (typeof mine !== 'string') accepted++;
    }
    watch.checkAll();
    assert.ok(accepted > BLOCKS / 100 && accepted < BLOCKS * 0.9, `${accepted} were accepted`);
  });
});
