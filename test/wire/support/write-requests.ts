// Inputs for the tests of the write path, and decoding of its output with protobufjs.

import fc from 'fast-check';
import { encodeLabels, type LabelBytes } from '../../../src/wire/labels.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { WriteBatch } from '../../../src/wire/requests/write-batch.ts';
import type { ChunkSample } from './chunk-encoder.ts';
import { addFloats, anyBits } from './float-bits.ts';
import { decodeMessage, encodeMessage } from './oracle.ts';

export const up = encodeLabels([
  ['__name__', 'up'],
  ['job', 'node'],
]);

// Every length of a varint, the boundaries between them, and negative times.
export const times = fc.oneof(
  fc.integer({ min: 1_600_000_000_000, max: 1_800_000_000_000 }),
  fc.maxSafeInteger(),
  fc.tuple(fc.integer({ min: 0, max: 52 }), fc.integer({ min: -1, max: 1 })).map(([power, more]) => 2 ** power + more),
  fc.constantFrom(0, -1, -(2 ** 53) + 1),
);

/** In ascending time order, like in the lanes. */
export const samples = fc
  .uniqueArray(fc.record({ timeMs: times, bits: anyBits }, { noNullPrototype: true }), {
    minLength: 1,
    maxLength: 20,
    selector: ({ timeMs }) => timeMs,
  })
  .map((list) => list.toSorted((a, b) => a.timeMs - b.timeMs));

export const histogramMessages = fc.array(
  times.map((timestamp) => ({ timestamp, message: encodeMessage('Histogram', { countInt: 3, sum: 1.5, timestamp }) })),
  { minLength: 1, maxLength: 9 },
);

export const labelSets = fc.nat(1000).map((index) =>
  encodeLabels([
    ['__name__', `metric_${index}`],
    ['x', 'y'.repeat(index)],
  ]),
);

export function columnsOf(list: readonly ChunkSample[]): SampleColumns {
  const columns = new SampleColumns();
  addFloats(columns, list);
  return columns;
}

export function floatBatch(labels: LabelBytes, list: readonly ChunkSample[], capacityBytes = 64): WriteBatch {
  const batch = new WriteBatch(capacityBytes);
  batch.appendFloats(labels, columnsOf(list), 0, list.length);
  return batch;
}

/** The samples of a WriteRequest decoded by protobufjs, with their bits read from the double in a Float64Array. */
export function timeSeriesOf(bytes: Uint8Array) {
  return decodeMessage('WriteRequest', bytes)['timeseries'] as {
    labels: { name: string; value: string }[];
    samples: { value: number; timestamp: number }[];
    histograms: { timestamp: number }[];
  }[];
}
