// The kernel's decoder of float chunks gives the samples of the JavaScript path, or leaves the bytes to it, and stays inside its memory.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeChunk } from '../../../src/wire/chunks/chunk.ts';
import { WireError } from '../../../src/wire/errors.ts';
import { openKernel } from '../../../src/wire/kernel/kernel.ts';
import { ChunkedCursor } from '../../../src/wire/responses/read-response.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { type ChunkSample, encodeXor2Chunk, encodeXorChunk, staleBits } from '../support/chunk-encoder.ts';
import { chunkVectors, columnsContent } from '../support/chunk-vectors.ts';
import { anyBits } from '../support/float-bits.ts';
import { guardedColumns, MemoryWatch } from '../support/kernel-memory.ts';
import { encodeMessage, frame } from '../support/oracle.ts';
import { chunkField as plainField, mutate } from '../support/mutated-chunks.ts';
import { field } from '../support/read-responses.ts';
import { randomNumbers } from '../../support/dataset.ts';

const kernel = openKernel();
const FLOAT_ENCODINGS: readonly number[] = [1, 4];

/** The chunk as a field of a series entry. */
function chunkField(type: number, data: Uint8Array, minTimeMs?: number, maxTimeMs?: number): Uint8Array {
  return field(2, encodeMessage('Chunk', { type, data, minTimeMs, maxTimeMs }));
}

/** The kernel's samples; undefined if it leaves the chunk to JavaScript. */
function decoded(entry: Uint8Array, fromMs = -Infinity, toMs = Infinity) {
  using borrowed = kernel.borrowColumns()!;
  const { columns } = borrowed;
  return kernel.decodeChunks(entry, 0, entry.length, fromMs, toMs, columns) ? columnsContent(columns) : undefined;
}

/** The samples of the JavaScript path; undefined if the chunk is wrong. */
function expected(encoding: number, chunk: Uint8Array, fromMs = -Infinity, toMs = Infinity) {
  const columns = new SampleColumns();
  try {
    decodeChunk(encoding, chunk, fromMs, toMs, columns);
  } catch (error) {
    assert.ok(error instanceof WireError);
    return undefined;
  }
  return columnsContent(columns);
}

describe('Kernel.decodeChunks', () => {
  it('returns the samples of all float chunks that Prometheus wrote, in any window', () => {
    for (const { encoding, chunk, times, values, started, name } of chunkVectors) {
      if (!FLOAT_ENCODINGS.includes(encoding)) continue;
      const entry = chunkField(encoding, chunk);
      assert.deepEqual(decoded(entry), { times, values, started }, name);
      const sorted = times.toSorted((a, b) => a - b);
      for (const [from, to] of [
        [0.2, 0.7],
        [0.5, 1],
        [0.4, 0.4],
      ] as const) {
        const [fromMs, toMs] = [
          sorted[Math.floor(from * times.length)] ?? 0,
          sorted[Math.floor(to * times.length)] ?? 0,
        ];
        assert.deepEqual(decoded(entry, fromMs, toMs), expected(encoding, chunk, fromMs, toMs), name);
      }
    }
  });

  it('returns every bit of random series, over several chunks, and knows whether their times ascend', () => {
    const lists = fc.array(
      fc.array(fc.record({ timeMs: fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -9, max: 9 })), bits: anyBits }), {
        maxLength: 40,
      }),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(lists, fc.boolean(), fc.boolean(), (chunks, isXor2, isOrdered) => {
        const ordered = isOrdered
          ? splitLike(
              chunks,
              [...chunks.flat()].sort((a, b) => a.timeMs - b.timeMs),
            )
          : chunks;
        const encode = isXor2 ? encodeXor2Chunk : encodeXorChunk;
        const entry = Buffer.concat(ordered.map((samples) => chunkField(isXor2 ? 4 : 1, encode(samples))));
        using borrowed = kernel.borrowColumns()!;
        const { columns } = borrowed;
        // A distance between two times can be outside of the safe integers, which both paths reject.
        const isPossible = ordered.every((samples) => expected(isXor2 ? 4 : 1, encode(samples)) !== undefined);
        assert.equal(kernel.decodeChunks(entry, 0, entry.length, -Infinity, Infinity, columns), isPossible);
        if (!isPossible) return;
        const all = ordered.flat();
        assert.deepEqual(columnsContent(columns), contentOf(all));
        const ascends = all.every(({ timeMs }, i) => i === 0 || timeMs > all[i - 1]!.timeMs);
        assert.ok(ascends || !columns.takeAscending());
      }),
      { numRuns: 500 },
    );
  });

  it('reports times that ascend, which is what it is asked for', () => {
    const samples = Array.from({ length: 100 }, (_, i) => ({ timeMs: 1000 * i, bits: BigInt(i) }));
    const entry = Buffer.concat([
      chunkField(1, encodeXorChunk(samples.slice(0, 60))),
      chunkField(4, encodeXor2Chunk(samples.slice(60))),
    ]);
    using borrowed = kernel.borrowColumns()!;
    const { columns } = borrowed;
    assert.ok(kernel.decodeChunks(entry, 0, entry.length, 5000, 90_000, columns));
    assert.equal(columns.floats, 85);
    assert.equal(columns.takeAscending(), true);
    assert.equal(columns.takeAscending(), false);
  });

  it('skips chunks outside of the window by their header, also wrong ones', () => {
    const inside = chunkField(1, encodeXorChunk([{ timeMs: 500, bits: 1n }]), 500, 500);
    const entry = Buffer.concat([
      chunkField(1, new Uint8Array(1), 1, 99),
      inside,
      chunkField(9, new Uint8Array(1), 1000, 2000),
    ]);
    assert.deepEqual(decoded(entry, 100, 1000)?.times, [500]);
    assert.equal(decoded(entry, 99, 1000), undefined);
    assert.equal(decoded(entry, 100, 1001), undefined);
  });

  it('leaves to JavaScript what it does not know, and does not change the columns', () => {
    const chunk = encodeXorChunk([{ timeMs: 1, bits: 1n }]);
    const good = chunkField(1, chunk);
    for (const entry of [
      chunkField(7, chunk),
      field(3, chunk),
      field(2, Buffer.concat([encodeMessage('Chunk', { type: 1, data: chunk }), Buffer.of(0x28, 1)])),
      good.subarray(0, good.length - 1),
      chunkField(1, new Uint8Array(1)),
      new Uint8Array(256 * 1024 + 1),
    ]) {
      using borrowed = kernel.borrowColumns()!;
      const { columns } = borrowed;
      assert.ok(kernel.decodeChunks(good, 0, good.length, 0, 9, columns));
      const both = Buffer.concat([good, entry]);
      assert.equal(kernel.decodeChunks(both, 0, both.length, 0, 9, columns), false);
      assert.deepEqual(columnsContent(columns).times, [1]);
    }
  });

  it('does not write into columns of other memory, nor beyond their room', () => {
    const entry = chunkField(1, encodeXorChunk(Array.from({ length: 50 }, (_, i) => ({ timeMs: i, bits: 1n }))));
    assert.equal(kernel.decodeChunks(entry, 0, entry.length, 0, 99, new SampleColumns()), false);
    for (const capacity of [49, 50]) {
      const { columns, regions } = guardedColumns(kernel, capacity);
      const watch = new MemoryWatch(kernel, regions);
      assert.equal(kernel.decodeChunks(entry, 0, entry.length, 0, 99, columns), capacity === 50);
      watch.checkAll();
    }
  });

  it('is what a cursor decodes with; series that do not fit take the other path', () => {
    const many = Array.from({ length: 700 }, (_, chunk) =>
      encodeXorChunk(Array.from({ length: 100 }, (_, i) => ({ timeMs: 100 * chunk + i, bits: 1n }))),
    );
    const series = { labels: [{ name: 'a', value: 'b' }], chunks: many.map((data) => ({ type: 1, data })) };
    const segment = frame(encodeMessage('ChunkedReadResponse', { chunkedSeries: [series] }));
    const cursor = new ChunkedCursor([segment], kernel);
    assert.ok(cursor.next());
    using borrowed = kernel.borrowColumns()!;
    const { columns } = borrowed;
    const home = columns.floatTimesMs;
    cursor.decode(0, 60_000, columns);
    assert.deepEqual([columns.floats, columns.floatTimesMs === home, columns.takeAscending()], [60_000, true, true]);
    columns.clear();
    cursor.decode(0, 70_000, columns);
    assert.deepEqual([columns.floats, columns.floatTimesMs === home], [70_000, false]);
    columns.clear();
    assert.equal(columns.floatTimesMs, home);
  });
});

describe('Kernel.decodeChunks on a million mutated chunks', () => {
  const CHUNKS = 1_000_000;

  it('agrees with JavaScript on each, and changes nothing outside of its regions', function () {
    this.timeout(240_000);
    const random = randomNumbers(9);
    const originals = originalsOf(random);
    const { columns, regions } = guardedColumns(kernel, 300);
    const watch = new MemoryWatch(kernel, regions);
    const oracle = new SampleColumns(70_000);
    let accepted = 0;
    for (let i = 0; i < CHUNKS; i++) {
      const { encoding, chunk } = originals[i % originals.length]!;
      const mutated = mutate(chunk, random);
      const [fromMs, toMs] = i % 3 === 0 ? [-Infinity, Infinity] : [1_700_000_100_000, 1_700_001_000_000];
      const isGood = attempt(encoding, mutated, fromMs, toMs, oracle);
      columns.clear();
      const entry = plainField(encoding, mutated);
      const isTaken = kernel.decodeChunks(entry, 0, entry.length, fromMs, toMs, columns);
      watch.check();
      const fits = ((mutated[0]! << 8) | mutated[1]!) <= 300;
      if (isTaken !== (isGood && fits))
        assert.fail(`chunk ${i} of encoding ${encoding}: ${Buffer.from(mutated).toString('hex')}`);
      if (!isTaken) continue;
      accepted++;
      if (!areSame(columns, oracle))
        assert.fail(`chunk ${i} of encoding ${encoding}: ${Buffer.from(mutated).toString('hex')}`);
    }
    watch.checkAll();
    assert.ok(accepted > CHUNKS / 10 && accepted < CHUNKS * 0.9, `${accepted} were accepted`);
  });

  function attempt(encoding: number, chunk: Uint8Array, fromMs: number, toMs: number, columns: SampleColumns): boolean {
    columns.clear();
    try {
      decodeChunk(encoding, chunk, fromMs, toMs, columns);
      return true;
    } catch (error) {
      if (error instanceof WireError) return false;
      throw error;
    }
  }
});

function areSame(mine: SampleColumns, other: SampleColumns): boolean {
  if (mine.floats !== other.floats || mine.startTimestamps !== other.startTimestamps) return false;
  for (let i = 0; i < mine.floats; i++) {
    if (mine.floatTimesMs[i] !== other.floatTimesMs[i]) return false;
    if (mine.floatBits[2 * i] !== other.floatBits[2 * i]) return false;
    if (mine.floatBits[2 * i + 1] !== other.floatBits[2 * i + 1]) return false;
  }
  return true;
}

/** Chunks of Prometheus, and chunks as scrapes make them. */
function originalsOf(random: () => number): { encoding: number; chunk: Uint8Array }[] {
  const originals = chunkVectors.filter(
    ({ encoding, times }) => FLOAT_ENCODINGS.includes(encoding) && times.length > 0,
  );
  const made = Array.from({ length: 200 }, (_, index) => {
    let timeMs = 1_700_000_000_000;
    let value = 0;
    const samples = Array.from({ length: 1 + Math.floor(random() * 120) }, (): ChunkSample => {
      timeMs += 15_000 + (random() < 0.2 ? Math.floor(random() * 2000) - 1000 : 0);
      value += Math.floor(random() * 3);
      const bits = new BigUint64Array(Float64Array.of(random() < 0.1 ? random() : value).buffer)[0]!;
      return { timeMs, bits: random() < 0.01 ? staleBits : bits };
    });
    const isXor2 = index % 2 === 1;
    return { encoding: isXor2 ? 4 : 1, chunk: isXor2 ? encodeXor2Chunk(samples) : encodeXorChunk(samples) };
  });
  return [...originals, ...made];
}

function splitLike<T>(lists: readonly (readonly unknown[])[], items: readonly T[]): T[][] {
  let at = 0;
  return lists.map(({ length }) => {
    at += length;
    return items.slice(at - length, at);
  });
}

function contentOf(samples: readonly ChunkSample[]) {
  return {
    times: samples.map(({ timeMs }) => timeMs),
    values: samples.map(({ bits }) => bits.toString(16).padStart(16, '0')),
    started: false,
  };
}
