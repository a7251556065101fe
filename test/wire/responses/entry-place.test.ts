import assert from 'node:assert/strict';
import { FrameCollector } from '../../../src/wire/responses/frames.ts';
import { ChunkedCursor } from '../../../src/wire/responses/read-response.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { type ChunkSample, encodeXorChunk } from '../support/chunk-encoder.ts';
import { encodeMessage, frame } from '../support/oracle.ts';
import { ALWAYS, labelsOf, read, type Series } from '../support/read-responses.ts';

describe('the entries of a ChunkedCursor', () => {
  function chunkOf(samples: readonly ChunkSample[]): object {
    return {
      minTimeMs: samples[0]?.timeMs ?? 0,
      maxTimeMs: samples.at(-1)?.timeMs ?? 0,
      type: 1,
      data: encodeXorChunk(samples),
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

  function decoded(cursor: ChunkedCursor): SampleColumns {
    const columns = new SampleColumns(4);
    cursor.decode(...ALWAYS, columns);
    return columns;
  }

  it('moves back to an entry by its place, in any frame', () => {
    const collector = new FrameCollector({ maxFrameBytes: 1 << 20 });
    for (const series of [[up(at(1)), up(at(2)), up(at(3))], [up(at(4))]])
      collector.push(new Uint8Array(Buffer.concat(oneEach(series).map(frame))));
    collector.end();
    assert.equal(collector.segments.length, 2);
    const cursor = new ChunkedCursor(collector.segments);
    const places: number[] = [];
    const columns: SampleColumns[] = [];
    while (cursor.next()) {
      places.push(cursor.place);
      columns.push(decoded(cursor));
      assert.equal(columns.at(-1)?.floats, 1);
    }
    assert.deepEqual(
      places.toSorted((a, b) => a - b),
      places,
    );
    for (const index of [2, 0, 3, 1, 1]) {
      cursor.seek(places[index] as number);
      assert.deepEqual(decoded(cursor), columns[index]);
      assert.equal(cursor.parts, 1);
    }
    cursor.rewind();
    assert.equal(read(cursor).length, 4);
  });

  it('counts the samples of chunks that lie inside a window, one after the other', () => {
    const inside = (...chunks: ReturnType<typeof chunkOf>[]) => {
      const cursor = cursorOf(
        encodeMessage('ChunkedReadResponse', { chunkedSeries: [{ labels: labelsOf('up'), chunks }] }),
      );
      assert.ok(cursor.next());
      return cursor.samplesInside(10, 20);
    };
    assert.equal(inside(chunkOf([at(10), at(11)]), chunkOf([at(12), at(19)])), 4);
    assert.equal(inside(), 0);
    assert.equal(inside(chunkOf([at(9), at(11)])), undefined);
    assert.equal(inside(chunkOf([at(11), at(20)])), undefined);
    assert.equal(inside(chunkOf([at(11), at(12)]), chunkOf([at(12), at(13)])), undefined);
  });
});
