import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FrameCollector } from '../../../src/wire/responses/frames.ts';
import { ChunkedCursor } from '../../../src/wire/responses/read-response.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { type ChunkSample, encodeXorChunk } from '../support/chunk-encoder.ts';
import { encodeMessage, frame, labelRegion } from '../support/oracle.ts';
import {
  ALWAYS,
  concat,
  corrupt,
  expectedEntries,
  field,
  labelsOf,
  read,
  type Series,
  seriesLists,
  truncated,
} from '../support/read-responses.ts';

describe('ChunkedCursor', () => {
  function chunkOf(samples: readonly ChunkSample[], overrides: object = {}): object {
    return {
      minTimeMs: samples[0]?.timeMs ?? 0,
      maxTimeMs: samples.at(-1)?.timeMs ?? 0,
      type: 1,
      data: encodeXorChunk(samples),
      ...overrides,
    };
  }

  function chunkedSeries(series: Series, samplesPerChunk = 7): object {
    const chunks = [];
    for (let at = 0; at < series.samples.length; at += samplesPerChunk) {
      chunks.push(chunkOf(series.samples.slice(at, at + samplesPerChunk)));
    }
    return { labels: series.labels, chunks };
  }

  function cursorOf(...responses: Uint8Array[]): ChunkedCursor {
    const collector = new FrameCollector({ maxFrameBytes: 1 << 20 });
    collector.push(new Uint8Array(Buffer.concat(responses.map(frame))));
    collector.end();
    return new ChunkedCursor(collector.segments);
  }

  const oneEach = (series: readonly Series[]) =>
    series.map((one) => encodeMessage('ChunkedReadResponse', { chunkedSeries: [chunkedSeries(one)] }));

  const up = (...samples: ChunkSample[]): Series => ({ labels: labelsOf('up'), samples });
  const at = (timeMs: number, bits = 1n): ChunkSample => ({ timeMs, bits });

  it('returns every series with every bit of every sample, one series per frame', () => {
    fc.assert(
      fc.property(seriesLists, (series) => {
        const entries = read(cursorOf(...oneEach(series)));
        assert.deepEqual(
          entries,
          expectedEntries(series, (one) => Math.ceil(one.samples.length / 7)),
        );
      }),
    );
  });

  it('returns the same for several series in one frame', () => {
    fc.assert(
      fc.property(seriesLists, (series) => {
        const together = encodeMessage('ChunkedReadResponse', {
          chunkedSeries: series.map((one) => chunkedSeries(one)),
          queryIndex: 3,
        });
        assert.deepEqual(read(cursorOf(together)), read(cursorOf(...oneEach(series))));
      }),
    );
  });

  it('returns only the samples of a half-open window', () => {
    fc.assert(
      fc.property(
        seriesLists,
        fc.integer({ min: -(2 ** 34), max: 2 ** 36 }),
        fc.nat(2 ** 36),
        (series, fromMs, lengthMs) => {
          const toMs = fromMs + lengthMs;
          const trimmed = series.map(({ labels, samples }) => ({
            labels,
            samples: samples.filter(({ timeMs }) => timeMs >= fromMs && timeMs < toMs),
          }));
          assert.deepEqual(
            read(cursorOf(...oneEach(series)), fromMs, toMs).map(({ samples }) => samples),
            trimmed.map(({ samples }) => samples),
          );
        },
      ),
    );
    const cursor = cursorOf(...oneEach([up(at(999), at(1000), at(1999), at(2000))]));
    assert.deepEqual(read(cursor, 1000, 2000)[0]?.samples, [at(1000), at(1999)]);
  });

  it('can be iterated again, from anywhere', () => {
    const cursor = cursorOf(...oneEach([up(at(1)), up(at(2)), up(at(3))]));
    assert.ok(cursor.next() && cursor.next());
    cursor.rewind();
    const first = read(cursor);
    assert.equal(first.length, 3);
    cursor.rewind();
    assert.deepEqual(read(cursor), first);
  });

  it('decodes no chunk in next(), and counts samples from the chunk headers alone', () => {
    const broken = chunkOf([at(1), at(2), at(3)], { data: Uint8Array.of(0, 120, 0xff, ...new Uint8Array(200)) });
    const response = encodeMessage('ChunkedReadResponse', {
      chunkedSeries: [{ labels: labelsOf('up'), chunks: [broken, chunkOf([at(5)])] }],
    });
    const cursor = cursorOf(response);
    assert.ok(cursor.next());
    assert.equal(cursor.parts, 2);
    assert.equal(cursor.sampleBound, 121);
    assert.equal(cursor.next(), false);
    assert.deepEqual([cursor.parts, cursor.sampleBound, cursor.labels.length], [0, 0, 0]);
  });

  it('does not trust a chunk of few bytes that claims many samples', () => {
    const chunk = chunkOf([at(1)], { data: Uint8Array.of(0xff, 0xff, 0) });
    const cursor = cursorOf(encodeMessage('ChunkedReadResponse', { chunkedSeries: [{ chunks: [chunk] }] }));
    assert.ok(cursor.next());
    assert.equal(cursor.sampleBound, 24);
  });

  it('skips a chunk outside the window only when its times say so', () => {
    const unreadable = { data: Uint8Array.of(0, 3) };
    const decode = (chunk: object) => {
      const series = { labels: labelsOf('up'), chunks: [chunk] };
      const cursor = cursorOf(encodeMessage('ChunkedReadResponse', { chunkedSeries: [series] }));
      return read(cursor, 1000, 2000);
    };
    const times = (minTimeMs: number, maxTimeMs: number) => ({ minTimeMs, maxTimeMs, type: 1, ...unreadable });
    assert.deepEqual(decode(times(10, 999))[0]?.samples, []);
    assert.deepEqual(decode(times(2000, 3000))[0]?.samples, []);
    assert.throws(() => decode(times(10, 1000)), truncated);
    assert.throws(() => decode(times(1999, 3000)), truncated);
    assert.throws(() => decode(times(3000, 10)), truncated, 'min after max means nothing');
    assert.throws(() => decode({ type: 1, ...unreadable }), truncated, 'no times');
    assert.throws(() => decode({ minTimeMs: 5000, type: 1, ...unreadable }), truncated, 'no max');
    assert.throws(() => decode({ maxTimeMs: 500, type: 1, ...unreadable }), truncated, 'no min');
  });

  it('reads a chunk without a type as XOR and rejects an unknown encoding', () => {
    const entries = (type: object) => {
      const { type: _type, ...untyped } = chunkOf([at(7, 42n)]) as { type?: number };
      const series = { labels: labelsOf('up'), chunks: [{ ...untyped, ...type }] };
      return read(cursorOf(encodeMessage('ChunkedReadResponse', { chunkedSeries: [series] })));
    };
    assert.deepEqual(entries({})[0]?.samples, [at(7, 42n)]);
    // protobufjs cannot write an unknown enum value: the chunk is encoded by hand.
    const chunk = concat(Uint8Array.of(0x18, 99), field(4, encodeXorChunk([at(7)])));
    const message = field(1, concat(labelRegion(labelsOf('up')), field(2, chunk)));
    const cursor = cursorOf(message);
    assert.ok(cursor.next());
    assert.throws(() => cursor.sampleBound, { name: 'WireError', code: 'unknown-encoding' });
    assert.throws(() => cursor.decode(...ALWAYS, new SampleColumns()), { code: 'unknown-encoding' });
  });

  it('accepts fields in any order, scattered labels and unknown fields', () => {
    const unknown = concat(
      Uint8Array.of(0x98, 0x06, 0x05),
      Uint8Array.of(0xa2, 0x06, 2, 1, 2),
      Uint8Array.of(0xad, 0x06, 1, 2, 3, 4),
    );
    const data = encodeXorChunk([at(7, 42n)]);
    const chunk = concat(
      field(4, data),
      unknown,
      Uint8Array.of(0x18, 1),
      Uint8Array.of(0x10, 7),
      Uint8Array.of(0x08, 7),
    );
    const [first, second] = labelsOf('up').map((label) => labelRegion([label]));
    const series = concat(unknown, field(2, chunk), second!, unknown, field(2, chunk), first!, unknown);
    const message = concat(unknown, Uint8Array.of(0x10, 1), field(1, series), unknown, field(1, series));
    const entry = {
      labels: [
        ['__name__', 'up'],
        ['job', 'node'],
      ],
      parts: 2,
      samples: [at(7, 42n), at(7, 42n)],
    };
    assert.deepEqual(read(cursorOf(message, message)), [entry, entry, entry, entry]);
    const chunkFirst = concat(field(2, chunk), first!, second!, field(2, chunk));
    assert.deepEqual(read(cursorOf(field(1, chunkFirst))), [entry]);
  });

  it('returns contiguous labels as a view of the response', () => {
    const collector = new FrameCollector({ maxFrameBytes: 1 << 20 });
    const pushed = new Uint8Array(Buffer.concat(oneEach([up(at(1))]).map(frame)));
    collector.push(pushed);
    const cursor = new ChunkedCursor(collector.segments);
    assert.ok(cursor.next());
    assert.equal(cursor.labels.buffer, pushed.buffer);
    assert.deepEqual(Buffer.from(cursor.labels), Buffer.from(labelRegion(labelsOf('up'))));
  });

  it('returns nothing for an empty response and for frames without series', () => {
    assert.deepEqual(read(new ChunkedCursor([])), []);
    assert.deepEqual(read(cursorOf(new Uint8Array(0), Uint8Array.of(0x10, 1), new Uint8Array(0))), []);
  });

  it('rejects a frame whose message is truncated or invalid', () => {
    const response = encodeMessage('ChunkedReadResponse', { chunkedSeries: [chunkedSeries(up(at(1)))] });
    for (let end = 1; end < response.length; end++) {
      assert.throws(() => read(cursorOf(response.subarray(0, end))), truncated, `${end} bytes`);
    }
    assert.throws(() => read(cursorOf(Uint8Array.of(0x08, 1))), corrupt, 'chunked_series is no number');
    assert.throws(() => read(cursorOf(Uint8Array.of(0x0b))), corrupt, 'a group');
    assert.throws(() => read(cursorOf(Uint8Array.of(0x00, 1))), corrupt, 'field 0');
    assert.throws(() => read(cursorOf(new Uint8Array(12).fill(0xff))), corrupt, 'a tag of more than 10 bytes');
    for (const last of [0x0f, 0x7f]) {
      const hugeLength = Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, last);
      assert.throws(() => read(cursorOf(hugeLength)), truncated);
    }
    const negativeLength = Uint8Array.of(0x0a, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
    assert.throws(() => read(cursorOf(negativeLength)), truncated, 'a length that is negative as int64');
  });

  it('returns or throws a WireError, whatever the bytes, and quickly', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        seriesLists,
        fc.nat(),
        fc.nat(255),
        (noise, series, place, value) => {
          const flipped = concat(...oneEach(series));
          if (flipped.length > 0) flipped[place % flipped.length] = value;
          for (const message of [noise, flipped]) {
            const cursor = cursorOf(message);
            const columns = new SampleColumns();
            try {
              while (cursor.next()) cursor.decode(...ALWAYS, columns);
            } catch (error) {
              assert.ok(error instanceof Error && error.name === 'WireError', String(error));
            }
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('iterates over a million empty chunks without keeping them', () => {
    const chunks = new Uint8Array(2_000_000);
    for (let index = 0; index < chunks.length; index += 2) chunks[index] = 0x12;
    const message = field(1, chunks);
    const collector = new FrameCollector({ maxFrameBytes: 50 << 20 });
    collector.push(frame(message));
    const cursor = new ChunkedCursor(collector.segments);
    assert.ok(cursor.next());
    assert.equal(cursor.parts, 1_000_000);
    assert.throws(() => cursor.decode(...ALWAYS, new SampleColumns()), truncated);
  });
});
