// The chunk decoders with chunks written by Prometheus (support/chunk-vectors.ts describes their origin).

import assert from 'node:assert/strict';
import { chunkMessageBytes, CHUNK_ENCODINGS, chunkSampleCount, decodeChunk } from '../../../src/wire/chunks/chunk.ts';
import { WireError } from '../../../src/wire/errors.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { encodeXor2Chunk } from '../support/chunk-encoder.ts';
import { chunkVectors, columnsContent } from '../support/chunk-vectors.ts';

const always = [-Infinity, Infinity] as const;

function decoded(encoding: number, chunk: Uint8Array, fromMs = -Infinity, toMs = Infinity) {
  const columns = new SampleColumns();
  decodeChunk(encoding, chunk, fromMs, toMs, columns);
  return columnsContent(columns);
}

describe('decodeChunk on chunks that Prometheus wrote', () => {
  for (const [i, vector] of chunkVectors.entries()) {
    it(`returns the samples that Prometheus reads: ${i}, encoding ${vector.encoding}, ${vector.name}`, () => {
      const { times, values, started } = vector;
      assert.deepEqual(decoded(vector.encoding, vector.chunk), { times, values, started });
      assert.equal(chunkSampleCount(vector.encoding, vector.chunk), times.length);
    });
  }

  it('is tested with samples of every encoding', () => {
    for (const encoding of [1, 2, 3, 4, 5, 6]) {
      const samples = chunkVectors.filter((vector) => vector.encoding === encoding).flatMap((vector) => vector.times);
      assert.ok(samples.length > 30, `encoding ${encoding}: ${samples.length}`);
    }
  });

  it('returns only the samples of the half-open window', () => {
    for (const { encoding, chunk, times, values } of chunkVectors) {
      const sorted = [...times].sort((a, b) => a - b);
      const from = sorted[Math.floor(times.length / 3)] ?? 0;
      const to = sorted[Math.floor((2 * times.length) / 3)] ?? 0;
      const kept = times.flatMap((time, i) => (time >= from && time < to ? [i] : []));
      const content = decoded(encoding, chunk, from, to);
      assert.deepEqual(
        content.times,
        kept.map((i) => times[i]),
      );
      assert.deepEqual(
        content.values,
        kept.map((i) => values[i]),
      );
    }
  });

  it('ignores bytes after the last sample', () => {
    for (const { encoding, chunk, times, values, started } of chunkVectors) {
      const longer = Buffer.concat([chunk, Buffer.from('ffffffffffffffffffffffffffffffffffffff', 'hex')]);
      assert.deepEqual(decoded(encoding, longer), { times, values, started });
    }
  });

  it('rejects every truncated chunk, and keeps none of its samples', () => {
    for (const { encoding, chunk, name, times } of chunkVectors) {
      if (times.length === 0) continue;
      for (let length = 0; length < chunk.length; length++) {
        // A view followed by the rest of the chunk: bytes past the end must not be read.
        const columns = new SampleColumns();
        const piece = chunk.subarray(0, length);
        assert.throws(
          () => decodeChunk(encoding, piece, ...always, columns),
          WireError,
          `${name}, ${length} of ${chunk.length} bytes`,
        );
        assert.deepEqual(columnsContent(columns), { times: [], values: [], started: false });
      }
    }
  });

  it('appends to the columns, and leaves their contents unchanged on an error', () => {
    const columns = new SampleColumns();
    const held = { times: [] as number[], values: [] as string[] };
    for (const kind of [1, 4, 2, 6]) {
      for (const { encoding, chunk, times, values } of chunkVectors.filter(({ encoding }) => encoding === kind)) {
        decodeChunk(encoding, chunk, ...always, columns);
        held.times.push(...times);
        held.values.push(...values);
        const piece = chunk.subarray(0, -1);
        if (times.length > 0) assert.throws(() => decodeChunk(encoding, piece, ...always, columns), WireError);
        const content = columnsContent(columns);
        assert.deepEqual({ times: content.times, values: content.values }, held);
      }
    }
  });

  it('reads the unset encoding of old Prometheus versions as XOR', () => {
    const vector = chunkVectors.find(({ encoding, times }) => encoding === CHUNK_ENCODINGS.xor && times.length > 5)!;
    assert.deepEqual(decoded(CHUNK_ENCODINGS.unknown, vector.chunk).values, vector.values);
  });

  it('returns an upper bound for the bytes of the histograms of a chunk before decoding, and zero for floats', () => {
    let histograms = 0;
    for (const { name, encoding, chunk } of chunkVectors) {
      const columns = new SampleColumns();
      decodeChunk(encoding, chunk, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, columns);
      const bytes = columns.histograms.reduce((sum, message) => sum + message.length, 0);
      const bound = chunkMessageBytes(encoding, chunk, 0, chunk.length);
      assert.ok(bytes <= bound, `${name}: ${bytes} bytes, at most ${bound} expected`);
      if (columns.histograms.length === 0 && columns.floats > 0) assert.equal(bound, 0, name);
      histograms += columns.histograms.length;
    }
    assert.ok(histograms > 100);
  });

  it('gives the first histogram of a counter chunk the hint UNKNOWN whatever the header says, and a gauge chunk GAUGE', () => {
    for (const { encoding, chunk, times, values } of chunkVectors) {
      const flagByte = { 2: 2, 3: 2, 5: 0, 6: 0 }[encoding];
      if (flagByte === undefined || times.length === 0 || times[0] === 0) continue;
      if (values[0]!.includes('19020000000000f07f')) continue;
      const hints = [0x00, 0x40, 0x80, 0xc0].map((flag) => {
        const flagged = Uint8Array.from(chunk);
        flagged[flagByte] = (flagged[flagByte]! & 0x3f) | flag;
        return decoded(encoding, flagged).values[0]!;
      });
      assert.equal(hints[1], hints[0]);
      assert.equal(hints[2], hints[0]);
      assert.equal(hints[3]!.length, hints[0]!.length + 4);
      assert.ok(hints[3]!.includes('700378'));
    }
  });
});

describe('start timestamps', () => {
  const samples = [1000, 2000, 3000, 4000].map((timeMs, i) => ({ timeMs, bits: BigInt(i), startMs: i < 2 ? 0 : 500 }));

  it('are reported when a sample of the window has one', () => {
    const chunk = encodeXor2Chunk(samples);
    assert.equal(decoded(4, chunk).started, true);
    assert.equal(decoded(4, chunk, 0, 3000).started, false);
    assert.equal(decoded(4, chunk, 3000, 3001).started, true);
  });

  it('stay reported until the columns are cleared', () => {
    const columns = new SampleColumns();
    decodeChunk(4, encodeXor2Chunk(samples), ...always, columns);
    decodeChunk(4, encodeXor2Chunk([{ timeMs: 9000, bits: 1n }]), ...always, columns);
    assert.equal(columns.startTimestamps, true);
  });
});
