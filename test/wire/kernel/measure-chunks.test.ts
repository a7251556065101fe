// The kernel's measure of chunks is the one of JavaScript, to the byte.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { WireError } from '../../../src/wire/errors.ts';
import { openKernel } from '../../../src/wire/kernel/kernel.ts';
import { ChunkedCursor } from '../../../src/wire/responses/read-response.ts';
import { randomNumbers } from '../../support/dataset.ts';
import { chunkVectors } from '../support/chunk-vectors.ts';
import { histogramChunks } from '../support/histogram-chunks.ts';
import { MemoryWatch } from '../support/kernel-memory.ts';
import { chunkField, mutate } from '../support/mutated-chunks.ts';

const kernel = openKernel();

/** What the plain path says about an entry of these chunk fields; undefined if it throws. */
function plainMeasure(fields: Uint8Array): { samples: number; decodedBytes: number } | undefined {
  const length = (bytes: number) => [(bytes & 0x7f) | 0x80, ((bytes >> 7) & 0x7f) | 0x80, (bytes >> 14) & 0x7f];
  const payload = Buffer.concat([Uint8Array.of(0x0a, ...length(fields.length)), fields]);
  const segment = Buffer.concat([Uint8Array.from(length(payload.length)), new Uint8Array(4), payload]);
  const cursor = new ChunkedCursor([segment], null);
  try {
    assert.ok(cursor.next());
    return { samples: cursor.sampleBound, decodedBytes: cursor.decodedBytes };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function measureChunks(fields: Uint8Array) {
  const measured = kernel.measureSeries(fields, 0, 0, fields.length);
  return measured && { samples: measured.samples, decodedBytes: measured.decodedBytes };
}

describe('Kernel.measureSeries', () => {
  it('measures chunks of every encoding, alone and together, as JavaScript does', () => {
    const fields = chunkVectors.map(({ encoding, chunk }) => chunkField(encoding, chunk));
    for (const field of fields) assert.deepEqual(measureChunks(field), plainMeasure(field));
    const all = Buffer.concat(fields);
    const measured = measureChunks(all);
    assert.deepEqual(measured, plainMeasure(all));
    assert.ok(measured !== undefined && measured.samples > 100);
  });

  it('measures random native histograms as JavaScript does', () => {
    fc.assert(
      fc.property(histogramChunks, ({ encoding, chunk }) => {
        const field = chunkField(encoding, chunk);
        assert.deepEqual(measureChunks(field), plainMeasure(field));
      }),
      { numRuns: 1000 },
    );
  });

  it('is what a cursor says', () => {
    const { encoding, chunk } = chunkVectors.find((one) => one.encoding === 2 && one.times.length > 2)!;
    const field = chunkField(encoding, chunk);
    const payload = Buffer.concat([Uint8Array.of(0x0a, field.length), field]);
    const segment = Buffer.concat([Uint8Array.of(payload.length), new Uint8Array(4), payload]);
    assert.ok(field.length < 0x7d);
    const cursors = [new ChunkedCursor([segment], kernel), new ChunkedCursor([segment], null)];
    const said = cursors.map((cursor) => [cursor.next(), cursor.sampleBound, cursor.decodedBytes]);
    assert.deepEqual(said[0], said[1]);
  });

  it('agrees with JavaScript about 300,000 mutated chunks, or leaves them to it, and changes nothing else', function () {
    this.timeout(240_000);
    const random = randomNumbers(5);
    const { HISTOGRAM_STATE } = kernel.layout;
    const watch = new MemoryWatch(kernel, [{ start: HISTOGRAM_STATE, end: kernel.bytes.length - 256 }]);
    let measuredChunks = 0;
    for (let i = 0; i < 300_000; i++) {
      const { encoding, chunk } = chunkVectors[i % chunkVectors.length]!;
      if (chunk.length < 2) continue;
      const field = chunkField(random() < 0.01 ? Math.floor(random() * 9) : encoding, mutate(chunk, random));
      const measured = measureChunks(field);
      watch.check();
      if (measured === undefined) continue;
      measuredChunks++;
      const plain = plainMeasure(field);
      if (plain?.samples !== measured.samples || plain.decodedBytes !== measured.decodedBytes)
        assert.fail(`chunk ${i} of encoding ${encoding}: ${Buffer.from(field).toString('hex')}`);
    }
    watch.checkAll();
    assert.ok(measuredChunks > 100_000 && measuredChunks < 300_000, `${measuredChunks}`);
  });
});
