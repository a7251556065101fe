// Series of the StoreAPI become the frames that the cursor over remote_read responses reads.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { WireError } from '../../../src/wire/errors.ts';
import { KERNEL, type Kernel } from '../../../src/wire/kernel/kernel.ts';
import { ChunkedCursor } from '../../../src/wire/responses/read-response.ts';
import { SeriesFrames } from '../../../src/wire/store-api/series-frames.ts';
import { SeriesResponse } from '../../../src/wire/store-api/series-response.ts';
import { encodeStoreMessage, type StoreChunk, type StoreSeries } from '../../support/thanos-store.ts';
import { type ChunkSample, encodeXorChunk } from '../support/chunk-encoder.ts';
import { labelRegion } from '../support/oracle.ts';
import { read as readAll } from '../support/read-responses.ts';

const T = 1_740_000_000_000;

function chunkOf(fromMs: number, samples: number): StoreChunk {
  const data = encodeXorChunk(samplesOf(fromMs, samples));
  return { min_time: fromMs, max_time: fromMs + samples - 1, raw: { type: 0, data } };
}

function samplesOf(fromMs: number, samples: number): ChunkSample[] {
  return Array.from({ length: samples }, (_, i) => ({ timeMs: fromMs + i, bits: BigInt(fromMs + i) }));
}

function seriesOf(labels: Record<string, string>, ...chunks: StoreChunk[]): StoreSeries {
  return { labels: Object.entries(labels).map(([name, value]) => ({ name, value })), chunks };
}

/** Adds series, with memory of just the wanted size and a guard behind it. */
function add(frames: SeriesFrames, ...series: readonly StoreSeries[]): void {
  const response = new SeriesResponse();
  for (const one of series) {
    response.read(encodeStoreMessage({ series: one }));
    assert.ok(response.next());
    const wanted = frames.wantedBytes(response.end - response.start);
    if (wanted > 0) frames.provide(new Uint8Array(wanted).fill(0xee));
    frames.add(response.bytes, response.start, response.end);
  }
}

interface Read {
  labels: Record<string, string>;
  samples: ChunkSample[];
}

function read(segments: readonly Uint8Array[], kernel: Kernel | null = KERNEL): Read[] {
  return readAll(new ChunkedCursor(segments, kernel)).map(({ labels, samples }) => ({
    labels: Object.fromEntries(labels),
    samples,
  }));
}

describe('the frames of series of a StoreAPI', () => {
  it('have the labels and the samples of the series, with and without the kernel', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 });
    const series = fc.record({
      labels: fc.dictionary(fc.stringMatching(/^[a-z_]{1,20}$/), text, { minKeys: 1, maxKeys: 8 }),
      chunks: fc.array(fc.record({ fromMs: fc.nat(1e12), samples: fc.integer({ min: 1, max: 200 }) }), {
        maxLength: 4,
      }),
    });
    fc.assert(
      fc.property(fc.array(series, { maxLength: 8 }), (list) => {
        const frames = new SeriesFrames([]);
        add(
          frames,
          ...list.map(({ labels, chunks }) =>
            seriesOf(labels, ...chunks.map((one) => chunkOf(one.fromMs, one.samples))),
          ),
        );
        const expected = list.map(({ labels, chunks }) => ({
          labels: { ...labels },
          samples: chunks.flatMap(({ fromMs, samples }) => samplesOf(fromMs, samples)),
        }));
        assert.deepEqual(read(frames.segments), expected);
        assert.deepEqual(read(frames.segments, null), expected);
        assert.equal(
          frames.bytes,
          frames.segments.reduce((sum, { length }) => sum + length, 0),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('have the encodings by the numbers of remote_read', () => {
    for (const [type, written] of [
      [0, 1],
      [1, 2],
      [2, 3],
    ] as const) {
      const frames = new SeriesFrames([]);
      add(
        frames,
        seriesOf({ a: 'b' }, { min_time: T, max_time: T + 1, raw: { type, data: new Uint8Array([0, 1, 2, 3]) } }),
      );
      const [segment] = frames.segments;
      assert.ok(
        Buffer.from(segment as Uint8Array).includes(Buffer.from([0x18, written, 0x22, 4, 0, 1, 2, 3])),
        `${type}`,
      );
    }
  });

  it('do not take a chunk of an unknown encoding, or one without data', () => {
    const bad = (raw: StoreChunk['raw'] & object, code: WireError['code']) =>
      assert.throws(
        () => add(new SeriesFrames([]), seriesOf({ a: 'b' }, { min_time: T, max_time: T, raw })),
        (error: unknown) => error instanceof WireError && error.code === code,
      );
    bad({ type: 3, data: new Uint8Array([0, 1]) }, 'unknown-encoding');
    bad({ type: 0, data: new Uint8Array(0) }, 'corrupt');
  });

  it('leave out labels of replicas, and are then not divided', () => {
    const frames = new SeriesFrames(['replica']);
    add(frames, seriesOf({ a: '1', replica: 'x' }, chunkOf(T, 3)), seriesOf({ a: '2', replica: 'x' }, chunkOf(T, 3)));
    assert.deepEqual(
      read(frames.segments).map(({ labels }) => labels),
      [{ a: '1' }, { a: '2' }],
    );
    assert.equal(frames.borderBytes, 0);
  });

  it('name the range of a chunk that has only aggregates, and leave it out', () => {
    const frames = new SeriesFrames([]);
    const aggregate = { min_time: T, max_time: T + 3_599_999, count: { type: 0, data: new Uint8Array([0, 1]) } };
    add(frames, seriesOf({ a: '1' }, aggregate, chunkOf(T + 3_600_000, 2)));
    assert.deepEqual(frames.withoutSamples, { fromMs: T, toMs: T + 3_600_000 });
    assert.deepEqual(read(frames.segments)[0]?.samples, samplesOf(T + 3_600_000, 2));
  });

  it('can be divided where another series begins, and nowhere else', () => {
    const frames = new SeriesFrames([]);
    add(frames, seriesOf({ a: '1' }, chunkOf(T, 3)), seriesOf({ a: '1' }, chunkOf(T + 10, 3)));
    assert.equal(frames.borderBytes, 0);
    assert.throws(() => frames.cut(new Uint8Array(100)), RangeError);
    add(frames, seriesOf({ a: '2' }, chunkOf(T, 3)));
    const rest = new Uint8Array(frames.borderBytes + 50);
    const before = frames.cut(rest);
    assert.deepEqual(
      read(before).map(({ labels }) => labels),
      [{ a: '1' }, { a: '1' }],
    );
    assert.deepEqual(Buffer.from(frames.lastLabels), Buffer.from(labelRegion([{ name: 'a', value: '2' }])));
    assert.equal(frames.borderBytes, 0);
    add(frames, seriesOf({ a: '2' }, chunkOf(T + 10, 3)));
    assert.equal(frames.borderBytes, 0, 'the series goes on');
    add(frames, seriesOf({ a: '3' }, chunkOf(T, 3)));
    assert.ok(frames.borderBytes > 0);
    assert.deepEqual(
      read(frames.segments).map(({ labels }) => labels),
      [{ a: '2' }, { a: '2' }, { a: '3' }],
    );
  });
});
