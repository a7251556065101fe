// The chunk decoders with invalid chunks.

import assert from 'node:assert/strict';
import { chunkSampleCount, decodeChunk } from '../../../src/wire/chunks/chunk.ts';
import { WireError } from '../../../src/wire/errors.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { BitWriter, encodeXor2Chunk, encodeXorChunk, staleBits } from '../support/chunk-encoder.ts';
import { columnsContent } from '../support/chunk-vectors.ts';

const always = [-Infinity, Infinity] as const;

function decoded(encoding: number, chunk: Uint8Array, fromMs = -Infinity, toMs = Infinity) {
  const columns = new SampleColumns();
  decodeChunk(encoding, chunk, fromMs, toMs, columns);
  return columnsContent(columns);
}

const refusal = (code: string) => (error: unknown) => error instanceof WireError && error.code === code;

describe('decodeChunk on invalid chunks', () => {
  it('names an unknown encoding', () => {
    for (const encoding of [7, 255, -1, 1.5, Number.NaN]) {
      assert.throws(() => decoded(encoding, new Uint8Array(100)), refusal('unknown-encoding'));
      assert.throws(() => chunkSampleCount(encoding, new Uint8Array(100)), refusal('unknown-encoding'));
    }
  });

  it('counts samples with 16 bits, and with 14 where the top two are the reset header', () => {
    const data = Uint8Array.of(0xff, 0xfe, 0);
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5, 6].map((encoding) => chunkSampleCount(encoding, data)),
      [0xfffe, 0xfffe, 0xfffe, 0xfffe, 0xfffe, 0x3ffe, 0x3ffe],
    );
    assert.throws(() => chunkSampleCount(1, Uint8Array.of(1)), refusal('truncated'));
  });

  it('allocates nothing for samples that the bytes cannot contain', () => {
    for (const encoding of [1, 2, 3, 4, 5, 6]) {
      const columns = new SampleColumns();
      const data = new Uint8Array(1000).fill(0xff, 0, 2);
      assert.throws(() => decodeChunk(encoding, data, ...always, columns), refusal('truncated'));
      assert.equal(columns.floatTimesMs.length, 256);
    }
  });

  it('rejects times outside ±2^53 ms, inside the window and outside', () => {
    for (const times of [
      [2 ** 53],
      [-(2 ** 53)],
      [0, 2 ** 53],
      [0, 5, 2 ** 53],
      [0, 2 ** 52, 2 ** 53],
      [0, -(2 ** 52), -(2 ** 53)],
      [0, 2 ** 62],
    ]) {
      const samples = times.map((timeMs) => ({ timeMs, bits: 0n }));
      for (const [encoding, chunk] of [
        [1, encodeXorChunk(samples)],
        [4, encodeXor2Chunk(samples)],
      ] as const) {
        assert.throws(() => decoded(encoding, chunk), refusal('corrupt'));
        assert.throws(() => decoded(encoding, chunk, 0, 1000), refusal('corrupt'));
      }
    }
    const limits = [Number.MIN_SAFE_INTEGER + 1, 0, Number.MAX_SAFE_INTEGER];
    const chunk = encodeXorChunk(limits.map((timeMs) => ({ timeMs, bits: 1n })));
    assert.deepEqual(decoded(1, chunk).times, limits);
  });

  it('rejects a value of more than 64 bits and a varint of more than ten bytes', () => {
    const writer = new BitWriter();
    writer.write(2n, 16);
    writer.varint(1000n);
    writer.write(0n, 64);
    writer.uvarint(15000n);
    writer.write((0b11n << 11n) | (31n << 6n) | 34n, 13);
    writer.write(0n, 64);
    assert.throws(() => decoded(1, writer.finish()), refusal('corrupt'));
    assert.throws(() => decoded(1, new Uint8Array(40).fill(0xff, 2).fill(1, 1, 2)), refusal('corrupt'));
  });

  const layout = (write: (writer: BitWriter) => void, count = 1n): Uint8Array => {
    const writer = new BitWriter();
    writer.write(count, 16);
    writer.write(0n, 8);
    write(writer);
    return writer.finish();
  };
  const padding = (writer: BitWriter) => {
    for (let i = 0; i < 400; i++) writer.write(0n, 64);
  };

  it('rejects span, bucket and bound counts that the bytes cannot contain, before it allocates memory for them', () => {
    for (const [spans, length] of [
      [1n, 1n << 19n],
      [1n, 1n << 32n],
      [1n << 19n, 0n],
      [1n << 60n, 0n],
    ] as const) {
      const chunk = layout((writer) => {
        writer.write(0n, 8);
        writer.varbit(3n);
        writer.varbitUint(spans);
        writer.varbitUint(length);
        padding(writer);
      });
      assert.throws(() => decoded(2, chunk), WireError, `${spans} spans of ${length}`);
      assert.throws(() => decoded(3, chunk), WireError, `${spans} spans of ${length}`);
    }
    const bounds = layout((writer) => {
      writer.write(0n, 8);
      writer.varbit(-53n);
      writer.write(0n, 2);
      writer.varbitUint(1n << 20n);
      padding(writer);
    });
    assert.throws(() => decoded(2, bounds), refusal('truncated'));
  });

  it('rejects more spans or buckets than a float64 has at the finest schema, even when the bytes are there', () => {
    const zeros = new Uint8Array(2 ** 19);
    const many = (spans: bigint[], count: bigint): Uint8Array => {
      const head = layout((writer) => {
        writer.write(0n, 8);
        writer.varbit(3n);
        writer.varbitUint(count);
        for (const length of spans) {
          writer.varbitUint(length);
          writer.varbit(0n);
        }
      });
      return Buffer.concat([head, zeros]);
    };
    assert.throws(() => decoded(2, many([], 2n ** 20n + 1n)), refusal('corrupt'));
    assert.throws(() => decoded(2, many([2n ** 20n + 1n], 1n)), refusal('corrupt'));
    assert.throws(() => decoded(2, many([2n ** 20n, 1n], 2n)), refusal('corrupt'));
    assert.equal(decoded(2, many([2n ** 20n - 1n, 1n], 2n)).values.length, 1);
  });

  it('empties a stale histogram even when its chunk has a count', () => {
    const raw = (writer: BitWriter, numbers: bigint[]) => {
      for (const number of numbers) writer.write(number, 64);
    };
    const one = 0x3ff0_0000_0000_0000n;
    const chunk = layout((writer) => {
      writer.write(0n, 8);
      writer.varbit(3n);
      writer.write(0n, 2);
      writer.varbit(5n);
      raw(writer, [one, one, staleBits]);
    });
    assert.deepEqual(decoded(3, chunk).values, [`11${'00'.repeat(8)}19020000000000f07f39${'00'.repeat(8)}7805`]);
  });

  it('rejects a chunk that expands to far more than its size', () => {
    // 200 000 float buckets that never change: 25 kB per sample on the wire, 1.6 MB as a message.
    const chunk = new Uint8Array(1_700_000 + 60 * 25_100);
    const head = layout((writer) => {
      writer.write(0n, 8);
      writer.varbit(3n);
      writer.varbitUint(1n);
      writer.varbitUint(200_000n);
      writer.varbit(0n);
      writer.varbitUint(0n);
    }, 60n);
    chunk.set(head);
    const columns = new SampleColumns();
    assert.throws(() => decodeChunk(3, chunk, ...always, columns), refusal('corrupt'));
    assert.equal(columns.histograms.length, 0);
  });

  it('rejects a histogram chunk of more than 4 MiB', () => {
    const chunk = new Uint8Array(5 * 1024 * 1024).fill(1, 1, 2);
    assert.throws(() => decoded(2, chunk), refusal('corrupt'));
    assert.equal(decoded(2, chunk.subarray(0, 4 * 1024 * 1024)).values.length, 1);
  });

  it('leaves a schema of a later Prometheus to the SAMPLES response', () => {
    for (const schema of [53n, -10n, -52n, -54n, 1n << 20n]) {
      const chunk = layout((writer) => {
        writer.write(0n, 8);
        writer.varbit(schema);
        padding(writer);
      });
      assert.throws(() => decoded(2, chunk), refusal('unknown-encoding'));
    }
  });
});
