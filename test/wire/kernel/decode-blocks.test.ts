// The kernel's decoder of VictoriaMetrics' blocks gives the samples of the JavaScript path, or leaves the block to it, and stays inside its memory.

import assert from 'node:assert/strict';
import { zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { WireError } from '../../../src/wire/errors.ts';
import { openKernel } from '../../../src/wire/kernel/kernel.ts';
import { type ArrayPlace, readBlockHeader } from '../../../src/wire/native-export/block.ts';
import { BlockDecoder } from '../../../src/wire/native-export/block-batch.ts';
import { ENCODING, isCompressed } from '../../../src/wire/native-export/integers.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { randomNumbers } from '../../support/dataset.ts';
import { anyBlock } from '../native-export/any-block.ts';
import { encodeBlock, type TestBlock } from '../native-export/encoder.ts';
import { columnsContent } from '../support/chunk-vectors.ts';
import { guardedColumns, MemoryWatch } from '../support/kernel-memory.ts';
import { mutate } from '../support/mutated-chunks.ts';

const kernel = openKernel();
const ALWAYS = { fromMs: -Infinity, toMs: Infinity };
const NOTHING = new Uint8Array(0);

function decodeInKernel(bytes: Uint8Array, range: { fromMs: number; toMs: number }, columns: SampleColumns): boolean {
  const { times, values } = readBlockHeader(bytes, 0, bytes.length);
  const contentOf = ({ encoding, start, end }: ArrayPlace) =>
    isCompressed(encoding) ? zstdDecompressSync(bytes.subarray(start, end)) : NOTHING;
  const [timesContent, valuesContent] = [contentOf(times), contentOf(values)];
  const content = {
    bytes: Buffer.concat([Buffer.of(9), timesContent, valuesContent]),
    at: 1,
    timesBytes: timesContent.length,
    valuesBytes: valuesContent.length,
  };
  return kernel.blocks.decode({ bytes, start: 0, end: bytes.length }, content, range, columns);
}

/** @returns whether the block is one */
function decodeInJavaScript(bytes: Uint8Array, range: { fromMs: number; toMs: number }, columns: SampleColumns) {
  const decoder = new BlockDecoder(64 * 1024, null);
  decoder.begin([{ bytes, start: 0, end: bytes.length }]);
  try {
    decoder.decode(0, range, columns);
    return true;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}

describe('BlockKernel.decode', () => {
  it('returns every bit of every block, in any range, and whether the times ascend', () => {
    fc.assert(
      fc.property(anyBlock, fc.integer({ min: -1e12, max: 3e12 }), fc.nat(1e12), (block, fromMs, length) => {
        const bytes = encodeBlock(block);
        for (const range of [ALWAYS, { fromMs, toMs: fromMs + length }]) {
          using borrowed = kernel.blocks.borrowColumns()!;
          const { columns } = borrowed;
          const oracle = new SampleColumns();
          assert.ok(decodeInKernel(bytes, range, columns));
          assert.ok(decodeInJavaScript(bytes, range, oracle));
          assert.deepEqual(columnsContent(columns), columnsContent(oracle));
          assert.equal(columns.takeAscending(), oracle.takeAscending());
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('appends, and knows whether one block follows the other', () => {
    const block = { mantissas: [1n, 2n], exponent: -1, timesEncoding: 2, valuesEncoding: 2 };
    const [first, second] = [
      [1000n, 2000n],
      [3000n, 4000n],
    ].map((times) => encodeBlock({ ...block, times }));
    for (const [blocks, ascends] of [
      [[first, second], true],
      [[second, first], false],
      [[first, first], false],
    ] as const) {
      using borrowed = kernel.blocks.borrowColumns()!;
      const { columns } = borrowed;
      for (const bytes of blocks) assert.ok(decodeInKernel(bytes!, ALWAYS, columns));
      assert.equal(columns.floats, 4);
      assert.equal(columns.takeAscending(), ascends);
    }
  });

  it('leaves a block with less precision to JavaScript, and does not change the columns', () => {
    const block = { times: [1000n, 2000n], mantissas: [1n, 2n], exponent: 0, timesEncoding: 2, valuesEncoding: 2 };
    const exact = encodeBlock(block);
    const rounded = exact.slice();
    rounded[rounded.lastIndexOf(64)] = 63;
    using borrowed = kernel.blocks.borrowColumns()!;
    const { columns } = borrowed;
    assert.ok(decodeInKernel(exact, ALWAYS, columns));
    assert.equal(decodeInKernel(rounded, ALWAYS, columns), false);
    assert.ok(decodeInJavaScript(rounded, ALWAYS, new SampleColumns()));
    assert.deepEqual(columnsContent(columns).times, [1000, 2000]);
  });

  it('does not write into columns of other memory, nor beyond their room', () => {
    const times = Array.from({ length: 50 }, (_, i) => BigInt(i));
    const { delta } = ENCODING;
    const bytes = encodeBlock({ times, mantissas: times, exponent: 0, timesEncoding: delta, valuesEncoding: delta });
    assert.equal(decodeInKernel(bytes, ALWAYS, new SampleColumns()), false);
    for (const capacity of [49, 50]) {
      const { columns, regions } = guardedColumns(kernel, capacity);
      const watch = new MemoryWatch(kernel, regions);
      assert.equal(decodeInKernel(bytes, ALWAYS, columns), capacity === 50);
      watch.checkAll();
    }
  });

  it('agrees with JavaScript on mutated blocks, and changes nothing outside of its regions', function () {
    this.timeout(240_000);
    const BLOCKS = 300_000;
    const random = randomNumbers(11);
    const originals = fc.sample(anyBlock, { numRuns: 300, seed: 3 }).map((block) => encodeBlock(uncompressed(block)));
    const { columns, regions } = guardedColumns(kernel, 201);
    const watch = new MemoryWatch(kernel, regions);
    const oracle = new SampleColumns();
    let accepted = 0;
    for (let i = 0; i < BLOCKS; i++) {
      const bytes = mutateBlock(originals[i % originals.length]!, random);
      const range = i % 3 === 0 ? ALWAYS : { fromMs: 1_000_000_000, toMs: 900_000_000_000 };
      oracle.clear();
      columns.clear();
      const isGood = decodeInJavaScript(bytes, range, oracle);
      // Changed to a compressed array, which is not decompressed.
      if (!isGood && isCompressedBlock(bytes)) continue;
      const block = { bytes, start: 0, end: bytes.length };
      const content = { bytes: NOTHING, at: 0, timesBytes: 0, valuesBytes: 0 };
      const isTaken = kernel.blocks.decode(block, content, range, columns);
      watch.check();
      if (isTaken !== (isGood && isForKernel(bytes))) assert.fail(`block ${i}: ${Buffer.from(bytes).toString('hex')}`);
      if (!isTaken) continue;
      accepted++;
      const [mine, other] = [columns, oracle].map(({ floats, floatTimesMs, floatBits }) => {
        return [floatTimesMs.subarray(0, floats), floatBits.subarray(0, 2 * floats)] as const;
      });
      if (mine!.some((array, n) => Buffer.compare(bytesOf(array), bytesOf(other![n]!)) !== 0))
        assert.fail(`block ${i}: ${Buffer.from(bytes).toString('hex')}`);
    }
    watch.checkAll();
    assert.ok(accepted > BLOCKS / 10 && accepted < BLOCKS * 0.9, `${accepted} were accepted`);
  });
});

/** JavaScript accepts less precision, compressed arrays, and more samples. */
function isForKernel(bytes: Uint8Array): boolean {
  const { samples, precisionBits, times, values } = readBlockHeader(bytes, 0, bytes.length);
  return precisionBits === 64 && samples <= 201 && !isCompressed(times.encoding) && !isCompressed(values.encoding);
}

function isCompressedBlock(bytes: Uint8Array): boolean {
  try {
    const { times, values } = readBlockHeader(bytes, 0, bytes.length);
    return isCompressed(times.encoding) || isCompressed(values.encoding);
  } catch {
    return false;
  }
}

function uncompressed(block: TestBlock): TestBlock {
  const plain = (encoding: number) =>
    encoding === ENCODING.zstdDelta ? ENCODING.delta : encoding === ENCODING.zstdDelta2 ? ENCODING.delta2 : encoding;
  return { ...block, timesEncoding: plain(block.timesEncoding), valuesEncoding: plain(block.valuesEncoding) };
}

/** Most changes to the times are found out at once, so half of them are to the values, which are behind. */
function mutateBlock(block: Uint8Array, random: () => number): Uint8Array {
  if (random() < 0.5) return mutate(block, random);
  const bytes = block.slice();
  const { values } = readBlockHeader(block, 0, block.length);
  const length = values.end - values.start;
  for (let n = 0; n < 2; n++) bytes[values.start + Math.floor(random() * length)]! ^= 1 << Math.floor(random() * 8);
  return bytes;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float64Array | Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
