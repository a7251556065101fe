// The chunk decoders with generated chunks: the output of the tests' own encoders is decoded bit for bit, and no bytes make a decoder
// crash, hang or leave half a chunk in the columns.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeChunk } from '../../../src/wire/chunks/chunk.ts';
import { WireError } from '../../../src/wire/errors.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { type ChunkSample, encodeXor2Chunk, encodeXorChunk, staleBits } from '../support/chunk-encoder.ts';
import { chunkVectors, columnsContent } from '../support/chunk-vectors.ts';

const bits = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.constantFrom(staleBits, 0x7ff8_0000_0000_0001n, 0x7ff0_0000_0000_0001n, 0xfff8_0000_0000_0000n, 1n << 63n, 0n),
  fc.double().map((value) => new DataView(new Float64Array([value]).buffer).getBigUint64(0, true)),
  fc.integer({ min: 0, max: 3 }).map(BigInt),
);
const edges = [13, 14, 17, 20].flatMap((size) => [-1, 0, 1].map((more) => 2 ** (size - 1) + more));
const change = fc.oneof(
  fc.constant(0),
  fc.integer({ min: -20, max: 20 }),
  fc.constantFrom(...edges, ...edges.map((edge) => -edge)),
  fc.integer({ min: -(2 ** 45), max: 2 ** 45 }),
);
const runs = fc.record({
  startMs: fc.integer({ min: -(2 ** 50), max: 2 ** 50 }),
  steps: fc.array(fc.record({ change, bits, start: fc.option(fc.integer({ min: 0, max: 2 ** 48 })) }), {
    maxLength: 120,
  }),
});

type Run = typeof runs extends fc.Arbitrary<infer T> ? T : never;

function samplesOf(run: Run, withStarts: boolean): (ChunkSample & { startMs: number })[] {
  let timeMs = run.startMs;
  let delta = 15_000;
  return run.steps.map((step) => {
    const sample = { timeMs, bits: step.bits, startMs: withStarts ? (step.start ?? 0) : 0 };
    delta += step.change;
    if (Math.abs(timeMs + delta) > 2 ** 51) delta = 1;
    timeMs += delta;
    return sample;
  });
}

function expected(samples: readonly (ChunkSample & { startMs: number })[]) {
  return {
    times: samples.map(({ timeMs }) => timeMs),
    values: samples.map((sample) => sample.bits.toString(16).padStart(16, '0')),
    started: samples.some(({ startMs }) => startMs !== 0),
  };
}

/** The decoded content, or undefined when the decoder threw the expected error. */
function attempt(encoding: number, chunk: Uint8Array) {
  const columns = new SampleColumns();
  try {
    decodeChunk(encoding, chunk, -Infinity, Infinity, columns);
  } catch (error) {
    assert.ok(error instanceof WireError, String(error));
    assert.deepEqual(columnsContent(columns), { times: [], values: [], started: false });
    return undefined;
  }
  return columnsContent(columns);
}

describe('decodeChunk on generated chunks', () => {
  it('returns every bit of an XOR chunk', () => {
    fc.assert(
      fc.property(runs, (run) => {
        const samples = samplesOf(run, false);
        assert.deepEqual(attempt(1, encodeXorChunk(samples)), expected(samples));
      }),
      { numRuns: 300 },
    );
  });

  it('returns every bit of an XOR2 chunk, with and without start timestamps', () => {
    fc.assert(
      fc.property(runs, fc.boolean(), (run, withStarts) => {
        const samples = samplesOf(run, withStarts);
        assert.deepEqual(attempt(4, encodeXor2Chunk(samples)), expected(samples));
      }),
      { numRuns: 300 },
    );
  });

  it('decodes 65 535 samples in one chunk', () => {
    const samples = Array.from({ length: 65_535 }, (_, i) => ({ timeMs: i * 1000, bits: BigInt(i % 7), startMs: 0 }));
    assert.deepEqual(attempt(1, encodeXorChunk(samples)), expected(samples));
    assert.deepEqual(attempt(4, encodeXor2Chunk(samples)), expected(samples));
  });

  it('returns samples or throws a WireError for a chunk with changed bytes', () => {
    const change = fc.record({ at: fc.nat(), to: fc.integer({ min: 0, max: 255 }) });
    let refused = 0;
    let read = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...chunkVectors),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        fc.nat(),
        (vector, changes, keep) => {
          const chunk = Uint8Array.from(vector.chunk);
          for (const { at, to } of changes) chunk[at % chunk.length] = to;
          const piece = keep % 3 === 0 ? chunk.subarray(0, keep % chunk.length) : chunk;
          if (attempt(vector.encoding, piece) === undefined) refused++;
          else read++;
        },
      ),
      { numRuns: 3000 },
    );
    assert.ok(refused > 100 && read > 100, `${refused} refused, ${read} read`);
  });

  it('returns samples or throws a WireError for any bytes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 6 }), fc.uint8Array({ maxLength: 300 }), (encoding, bytes) => {
        attempt(encoding, bytes);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('the XOR encoder of the tests', () => {
  it('writes byte for byte what Prometheus writes', () => {
    const plain = chunkVectors.filter(({ encoding, name }) => encoding === 1 && name.endsWith('reload false'));
    assert.ok(plain.length > 5);
    for (const { chunk, times, values } of plain) {
      const samples = times.map((timeMs, i) => ({ timeMs, bits: BigInt(`0x${values[i]}`) }));
      assert.deepEqual(encodeXorChunk(samples), chunk);
    }
  });
});
