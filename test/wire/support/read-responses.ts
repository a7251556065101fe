// Shared by the tests of both kinds of remote_read responses: random series, messages assembled by hand, and a function that reads a cursor
// to its end.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { canonicalLabels, decodeLabels } from '../../../src/wire/labels.ts';
import type { SeriesCursor } from '../../../src/wire/responses/read-response.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import type { ChunkSample } from './chunk-encoder.ts';
import { anyBits, floatsOf } from './float-bits.ts';
import type { LabelObject } from './oracle.ts';

export const ALWAYS = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER] as const;
export const corrupt = { name: 'WireError', code: 'corrupt' };
export const truncated = { name: 'WireError', code: 'truncated' };

export interface Series {
  labels: LabelObject[];
  samples: ChunkSample[];
}

export function labelsOf(name: string): LabelObject[] {
  return [
    { name: '__name__', value: name },
    { name: 'job', value: 'node' },
  ];
}

/** A message field: tag and length before the content. */
export function field(number: number, content: Uint8Array): Uint8Array {
  const head = [(number << 3) | 2];
  let rest = content.length;
  for (; rest >= 0x80; rest >>>= 7) head.push((rest & 0x7f) | 0x80);
  return new Uint8Array(Buffer.concat([Buffer.from([...head, rest]), content]));
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Every entry of the response, its samples within [fromMs, toMs). */
export function read(cursor: SeriesCursor, fromMs: number = ALWAYS[0], toMs: number = ALWAYS[1]) {
  const entries = [];
  const columns = new SampleColumns();
  while (cursor.next()) {
    columns.clear();
    cursor.decode(fromMs, toMs, columns);
    assert.ok(cursor.sampleBound >= columns.floats + columns.histograms.length);
    entries.push({
      labels: decodeLabels(canonicalLabels(cursor.labels)),
      parts: cursor.parts,
      samples: floatsOf(columns),
    });
  }
  assert.equal(cursor.next(), false);
  return entries;
}

const sampleLists = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 2 ** 33 }), anyBits), { minLength: 1, maxLength: 30 })
  .map((steps) => {
    let timeMs = -(2 ** 34);
    return steps.map(([stepMs, bits]) => {
      timeMs += stepMs;
      return { timeMs, bits };
    });
  });
export const seriesLists = fc.array(
  fc.record({ labels: fc.nat(50).map((index) => labelsOf(`metric_${index}`)), samples: sampleLists }),
  { maxLength: 6 },
);

export function expectedEntries(series: readonly Series[], parts: (series: Series) => number) {
  return series.map((one) => ({
    labels: one.labels.map(({ name, value }) => [name, value]),
    parts: parts(one),
    samples: one.samples,
  }));
}
