// Random native histograms, and traps of the kernel while it processes them.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeChunk } from '../../../src/wire/chunks/chunk.ts';
import { WireError } from '../../../src/wire/errors.ts';
import { openKernel } from '../../../src/wire/kernel/kernel.ts';
import { encodeLabels } from '../../../src/wire/labels.ts';
import { WriteBatch } from '../../../src/wire/requests/write-batch.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { SnappyWriter } from '../../../src/wire/snappy/snappy-writer.ts';
import { chunkVectors, columnsContent } from '../support/chunk-vectors.ts';
import { histogramChunks } from '../support/histogram-chunks.ts';
import { chunkField } from '../support/mutated-chunks.ts';

const kernel = openKernel();
const labels = encodeLabels([['__name__', 'rpc_duration_seconds']]);

describe('random native histograms', () => {
  it('are the same from the kernel and from JavaScript, bit for bit, and so are their requests', function () {
    this.timeout(60_000);
    const seen = { encodings: new Set<number>(), kinds: 0, histograms: 0 };
    fc.assert(
      fc.property(histogramChunks, fc.nat(23), ({ encoding, chunk, times }, first) => {
        const fromMs = times[first] ?? -Infinity;
        const wanted = new SampleColumns();
        decodeChunk(encoding, chunk, fromMs, Infinity, wanted);
        assert.deepEqual(
          wanted.histogramTimesMs,
          times.filter((timeMs) => timeMs >= fromMs),
        );
        using borrowed = kernel.borrowColumns()!;
        const { columns } = borrowed;
        const entry = chunkField(encoding, chunk);
        assert.ok(kernel.decodeChunks(entry, 0, entry.length, fromMs, Infinity, columns));
        const count = wanted.histogramCount;
        assert.equal(columns.histogramCount, count);
        seen.encodings.add(encoding);
        seen.kinds |= columns.packedKinds;
        seen.histograms += count;
        const [ours, theirs] = [new WriteBatch(64, kernel), new WriteBatch(64, null)];
        ours.appendHistograms(labels, columns, 0, count);
        theirs.appendHistograms(labels, wanted, 0, count);
        assert.deepEqual(Buffer.from(ours.body()), Buffer.from(theirs.body()));
        assert.deepEqual(columnsContent(columns), columnsContent(wanted));
      }),
      { numRuns: 3000 },
    );
    assert.deepEqual([...seen.encodings].sort(), [2, 3, 5, 6]);
    assert.equal(seen.kinds, 31);
    assert.ok(seen.histograms > 10_000, `${seen.histograms}`);
  });
});

describe('a trap of the kernel at histograms', () => {
  /** Columns whose address for histograms is outside of the kernel's memory. */
  function misplaced({ floatTimesMs, floatBits, packed }: SampleColumns): SampleColumns {
    const histograms = { ...packed!, address: 2 ** 31 - 2 ** 20 };
    return new SampleColumns(floatTimesMs.length, { floatTimesMs, floatBits, histograms });
  }

  const { encoding, chunk } = chunkVectors.find((one) => one.encoding === 2 && one.times.length > 2)!;
  const entry = chunkField(encoding, chunk);

  it('while decoding is an error of the response', () => {
    using borrowed = kernel.borrowColumns()!;
    const columns = misplaced(borrowed.columns);
    assert.throws(
      () => kernel.decodeChunks(entry, 0, entry.length, -Infinity, Infinity, columns),
      (error: Error) => {
        assert.ok(error.cause instanceof WebAssembly.RuntimeError);
        return isCorrupt(error);
      },
    );
    assert.equal(columns.histogramCount, 0);
  });

  it('while encoding is an error of the same kind, and adds nothing to the request', () => {
    using borrowed = kernel.borrowColumns()!;
    const block = new SnappyWriter(64);
    const { packed } = misplaced(borrowed.columns);
    assert.throws(() => kernel.encodeHistograms(packed!, 0, 2, block), isCorrupt);
    assert.deepEqual([block.at, block.contentBytes], [new SnappyWriter(64).at, 0]);
  });

  it('leaves the kernel as it was for what comes next', () => {
    using borrowed = kernel.borrowColumns()!;
    assert.ok(kernel.decodeChunks(entry, 0, entry.length, -Infinity, Infinity, borrowed.columns));
    const wanted = new SampleColumns();
    decodeChunk(encoding, chunk, -Infinity, Infinity, wanted);
    assert.deepEqual(columnsContent(borrowed.columns), columnsContent(wanted));
  });
});

function isCorrupt(error: unknown): boolean {
  return error instanceof WireError && error.code === 'corrupt';
}
