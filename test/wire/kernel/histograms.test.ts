// The kernel's decoder and encoder of native histograms give what the JavaScript path gives, or leave the bytes to it, and stay inside their
// memory.

import assert from 'node:assert/strict';
import { decodeChunk } from '../../../src/wire/chunks/chunk.ts';
import { WireError } from '../../../src/wire/errors.ts';
import { openKernel } from '../../../src/wire/kernel/kernel.ts';
import { encodeLabels } from '../../../src/wire/labels.ts';
import { histogramCommitRank, rankOfHistogram } from '../../../src/wire/requests/commit-rank.ts';
import { WriteBatch } from '../../../src/wire/requests/write-batch.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { randomNumbers } from '../../support/dataset.ts';
import { BitWriter, encodeXorChunk } from '../support/chunk-encoder.ts';
import { chunkVectors, columnsContent } from '../support/chunk-vectors.ts';
import { guardedColumns, MemoryWatch } from '../support/kernel-memory.ts';
import { chunkField, mutate } from '../support/mutated-chunks.ts';

const kernel = openKernel();
const labels = encodeLabels([['__name__', 'rpc_duration_seconds']]);
const vectors = chunkVectors.filter(({ encoding }) => encoding !== 1 && encoding !== 4);

function javaScript(encoding: number, chunk: Uint8Array, fromMs: number, toMs: number): SampleColumns | undefined {
  const columns = new SampleColumns();
  try {
    decodeChunk(encoding, chunk, fromMs, toMs, columns);
    return columns;
  } catch (error) {
    assert.ok(error instanceof WireError);
    return undefined;
  }
}

/** The kernel packs only histograms that ascend in time. */
function ascends(times: readonly number[]): boolean {
  return times.every((timeMs, i) => i === 0 || timeMs > times[i - 1]!);
}

/** A chunk of integer histograms with `buckets` buckets, as of a source with very large ones. */
function wideChunk(buckets: number): Uint8Array {
  const writer = new BitWriter();
  writer.write(1n, 16);
  writer.write(0n, 8);
  writer.write(0n, 8);
  writer.varbit(0n);
  writer.varbitUint(1n);
  writer.varbitUint(BigInt(buckets));
  writer.varbit(0n);
  writer.varbitUint(0n);
  writer.varbit(1_767_225_600_000n);
  writer.varbitUint(9n);
  writer.varbitUint(0n);
  writer.write(0n, 64);
  for (let i = 0; i < buckets; i++) writer.varbit(3n);
  return writer.finish();
}

describe('Kernel.decodeChunks on native histograms', () => {
  it('packs the messages of every chunk that Prometheus wrote, in any window, and knows their ranks', () => {
    let packed = 0;
    for (const { encoding, chunk, times, name } of vectors) {
      const sorted = times.toSorted((a, b) => a - b);
      const middle = sorted[times.length >> 1] ?? 0;
      for (const [fromMs, toMs] of [
        [-Infinity, Infinity],
        [middle, Infinity],
        [-Infinity, middle],
      ] as const) {
        const wanted = javaScript(encoding, chunk, fromMs, toMs);
        assert.ok(wanted !== undefined, name);
        using borrowed = kernel.borrowColumns()!;
        const { columns } = borrowed;
        const entry = chunkField(encoding, chunk);
        const isTaken = kernel.decodeChunks(entry, 0, entry.length, fromMs, toMs, columns);
        assert.equal(isTaken, ascends(wanted.histogramTimesMs), name);
        if (!isTaken) continue;
        packed += columns.packedHistograms;
        assert.equal(columns.histogramCount, wanted.histogramCount, name);
        for (let i = 0; i < wanted.histogramCount; i++) {
          assert.equal(columns.timesOfHistograms[i], wanted.histogramTimesMs[i]);
          assert.ok(columns.histogramBytes(i) > wanted.histogramBytes(i));
        }
        const ranks = wanted.histograms.map((message) => histogramCommitRank(message));
        assert.deepEqual(
          ranks.map((_, i) => rankOfHistogram(columns, i)),
          ranks,
          name,
        );
        assert.deepEqual(columnsContent(columns), columnsContent(wanted), name);
      }
    }
    assert.ok(packed > 300, `${packed} histograms were packed`);
  });

  it('appends the chunks of one series, floats apart, and leaves to JavaScript what is not later', () => {
    const { encoding, chunk, times } = vectors.find((one) => one.encoding === 2 && one.times.length > 3)!;
    const entry = chunkField(encoding, chunk);
    using borrowed = kernel.borrowColumns()!;
    const { columns } = borrowed;
    const afterMs = times[1]! + 1;
    assert.ok(kernel.decodeChunks(entry, 0, entry.length, -Infinity, afterMs, columns));
    assert.ok(kernel.decodeChunks(entry, 0, entry.length, afterMs, Infinity, columns));
    const float = chunkField(1, encodeXorChunk([{ timeMs: 5, bits: 7n }]));
    assert.ok(kernel.decodeChunks(float, 0, float.length, 0, 9, columns));
    assert.deepEqual([columns.floats, columns.packedHistograms], [1, times.length]);
    assert.equal(kernel.decodeChunks(entry, 0, entry.length, -Infinity, Infinity, columns), false);
    assert.equal(columns.packedHistograms, times.length);
    decodeChunk(encoding, chunk, -Infinity, Infinity, columns);
    assert.deepEqual([columns.packedHistograms, columns.histogramCount], [0, 2 * times.length]);
    // The list has histograms now, so that new ones can't be packed.
    assert.equal(kernel.decodeChunks(entry, 0, entry.length, -Infinity, Infinity, columns), false);
    columns.clear();
    assert.equal(columns.histogramCount, 0);
  });

  it('keeps unpacked messages when the columns are used again', () => {
    const [first, second] = vectors.filter((one) => one.encoding === 3 && ascends(one.times) && one.times.length > 2);
    using borrowed = kernel.borrowColumns()!;
    const { columns } = borrowed;
    const entryOf = ({ encoding, chunk }: typeof first & object) => chunkField(encoding, chunk);
    const entry = entryOf(first!);
    assert.ok(kernel.decodeChunks(entry, 0, entry.length, -Infinity, Infinity, columns));
    const kept = [...columns.histograms];
    columns.clear();
    const other = entryOf(second!);
    assert.ok(kernel.decodeChunks(other, 0, other.length, -Infinity, Infinity, columns));
    assert.deepEqual(
      kept.map((message) => Buffer.from(message).toString('hex')),
      first!.values,
    );
  });

  it('leaves to JavaScript columns without memory for histograms, and histograms with more than 1024 buckets', () => {
    const small = chunkField(2, wideChunk(10));
    const { columns: floatsOnly } = guardedColumns(kernel, 10);
    assert.equal(kernel.decodeChunks(small, 0, small.length, 0, Infinity, floatsOnly), false);
    for (const [buckets, isTaken] of [
      [1024, true],
      [1025, false],
    ] as const) {
      const entry = chunkField(2, wideChunk(buckets));
      using borrowed = kernel.borrowColumns()!;
      assert.equal(kernel.decodeChunks(entry, 0, entry.length, 0, Infinity, borrowed.columns), isTaken);
      assert.equal(javaScript(2, wideChunk(buckets), 0, Infinity)?.histogramCount, 1);
    }
  });

  it('stops at the end of its memory for histograms', () => {
    const chunk = wideChunk(1000);
    using borrowed = kernel.borrowColumns()!;
    const { columns } = borrowed;
    const { address, bytes } = columns.packed!;
    const { HISTOGRAMS_BYTES } = kernel.layout;
    const watch = new MemoryWatch(kernel, [
      { start: address, end: address + HISTOGRAMS_BYTES - 256 },
      { start: kernel.layout.HISTOGRAM_STATE, end: kernel.bytes.length - 256 },
    ]);
    let held = 0;
    const field = chunkField(2, chunk);
    // Their time is the same, so one is decoded and its time is set back by hand.
    while (kernel.decodeChunks(field, 0, field.length, 0, Infinity, columns)) {
      columns.packed!.timesMs[held++] = 0;
    }
    watch.checkAll();
    const perMessage = columns.packed!.ends[0]!;
    assert.ok(held * perMessage > bytes.length - 12_000 && held * perMessage <= bytes.length, `${held}`);
    assert.equal(columns.packedHistograms, held);
  });
});

describe('the kernel on half a million mutated chunks of histograms', () => {
  const CHUNKS = 500_000;

  it('agrees with JavaScript on each, writes the same request, and changes nothing outside of its regions', function () {
    this.timeout(300_000);
    const random = randomNumbers(12);
    const originals = vectors.filter(({ times }) => times.length > 0);
    using borrowed = kernel.borrowColumns()!;
    const { columns } = borrowed;
    const { address } = columns.packed!;
    const { HISTOGRAM_STATE, HISTOGRAMS_BYTES, COLUMNS, OUTPUT, OUTPUT_BYTES } = kernel.layout;
    const watch = new MemoryWatch(kernel, [
      { start: COLUMNS, end: COLUMNS },
      { start: OUTPUT, end: OUTPUT + OUTPUT_BYTES },
      { start: address, end: address + HISTOGRAMS_BYTES - 256 },
      { start: HISTOGRAM_STATE, end: kernel.bytes.length - 256 },
    ]);
    const batches = [new WriteBatch(64, kernel), new WriteBatch(64, null)] as const;
    let accepted = 0;
    let large = 0;
    for (let i = 0; i < CHUNKS; i++) {
      const { encoding, chunk } = originals[i % originals.length]!;
      const mutated = mutate(chunk, random);
      const wanted = javaScript(encoding, mutated, -Infinity, Infinity);
      columns.clear();
      const entry = chunkField(encoding, mutated);
      const isTaken = kernel.decodeChunks(entry, 0, entry.length, -Infinity, Infinity, columns);
      const hex = () => `chunk ${i} of encoding ${encoding}: ${Buffer.from(mutated).toString('hex')}`;
      if (wanted === undefined && isTaken) assert.fail(`JavaScript rejects ${hex()}`);
      if (wanted !== undefined && !isTaken && ascends(wanted.histogramTimesMs)) {
        // Only the size can be a reason.
        large++;
        assert.ok(wanted.histograms.some(({ length }) => length > 1024) || wanted.histogramCount > 4000, hex());
      }
      if (!isTaken || wanted === undefined) {
        if (i % 100 === 0) watch.check();
        continue;
      }
      accepted++;
      const count = wanted.histogramCount;
      assert.equal(columns.histogramCount, count, hex());
      assert.equal(columns.startTimestamps, wanted.startTimestamps, hex());
      for (const batch of batches) batch.clear();
      batches[0].appendHistograms(labels, columns, 0, count);
      batches[1].appendHistograms(labels, wanted, 0, count);
      if (!Buffer.from(batches[0].body()).equals(batches[1].body())) assert.fail(`another request for ${hex()}`);
      if (i % 100 === 0) watch.check();
      if (i % 500 === 0) assert.deepEqual(columnsContent(columns), columnsContent(wanted));
    }
    watch.checkAll();
    assert.ok(accepted > CHUNKS / 10 && accepted < CHUNKS * 0.95, `${accepted} were accepted`);
    assert.ok(large < CHUNKS / 100, `${large} were too large`);
  });
});

describe('the histograms of a request', () => {
  it('are those that were appended, from packed columns, from lists, and in parts', () => {
    for (const { encoding, chunk, values, times, name } of vectors) {
      if (!ascends(times) || times.length === 0) continue;
      const entry = chunkField(encoding, chunk);
      using borrowed = kernel.borrowColumns()!;
      const { columns } = borrowed;
      assert.ok(kernel.decodeChunks(entry, 0, entry.length, -Infinity, Infinity, columns));
      const list = javaScript(encoding, chunk, -Infinity, Infinity)!;
      const cut = times.length >> 1;
      const blocks = (
        [
          [kernel, columns],
          [null, columns],
          [kernel, list],
          [null, list],
        ] as const
      ).map(([codec, from]) => {
        const batch = new WriteBatch(64, codec);
        batch.appendHistograms(labels, from, 0, cut);
        batch.appendHistograms(labels, from, cut, times.length);
        assert.equal(batch.histograms, times.length);
        const text = Buffer.from(batch.request()).toString('hex');
        for (const value of values) assert.ok(text.includes(value), name);
        return Buffer.from(batch.body()).toString('hex');
      });
      assert.equal(new Set(blocks).size, 1, name);
    }
  });
});
