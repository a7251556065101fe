import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeLabels, type LabelBytes } from '../../../src/wire/labels.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { WriteBatch } from '../../../src/wire/requests/write-batch.ts';
import type { ChunkSample } from '../support/chunk-encoder.ts';
import { anyBits } from '../support/float-bits.ts';
import { encodeMessage } from '../support/oracle.ts';
import { columnsOf, up } from '../support/write-requests.ts';

/** A TimeSeries encoded byte by byte according to the protobuf specification, independently of the fast path. */
function plainSeries(labels: LabelBytes, list: readonly ChunkSample[]): Buffer {
  const content = [...labels];
  for (const { timeMs, bits } of list) {
    const value = Buffer.alloc(8);
    value.writeBigUInt64LE(bits);
    const time = varint(BigInt.asUintN(64, BigInt(timeMs)));
    content.push(0x12, 10 + time.length, 0x09, ...value, 0x10, ...time);
  }
  return Buffer.from([0x0a, ...varint(BigInt(content.length)), ...content]);
}

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

describe('the snappy block of a write batch', () => {
  // Values that partly repeat, or share low or high bytes with earlier ones.
  const values = fc.oneof(
    anyBits,
    fc.integer({ min: 0, max: 70_000 }).map((value) => new BigUint64Array(new Float64Array([value]).buffer)[0]!),
    fc.constantFrom(0n, 0x3ff0_0000_0000_0000n, 0x3ff0_0000_0000_0100n, 0x3ff1_0000_0000_0000n),
  );
  // Timestamps where the varint's upper bytes change: every 2^28 ms, at both ends, and an ordinary day.
  const firstTimes = fc.oneof(
    fc.constantFrom(1_767_225_600_000, 2 ** 35, 2 ** 35 - 30_000, 2 ** 42 - 100_000, 0, -60_000),
    fc.integer({ min: 128, max: 16_000 }).map((upper) => upper * 2 ** 28 - 45_000),
  );
  const steps = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(15_000, 1000, 60_000, 128, 16_384) },
    fc.integer({ min: 1, max: 40_000 }),
    fc.constantFrom(2 ** 21, 2 ** 28 - 1, 2 ** 28, 2 ** 30),
  );
  const scrapes = fc.record({ firstMs: firstTimes, steps: fc.array(steps, { maxLength: 40 }) });
  const names = fc.constantFrom('a', 'http_requests_total', 'x'.repeat(200), 'né\u{1F600}');
  const series = fc.record({
    scrape: fc.nat(2),
    skipped: fc.nat(3),
    most: fc.integer({ min: 1, max: 41 }),
    values: fc.array(values, { minLength: 1, maxLength: 5 }),
    labels: fc.array(fc.tuple(names, names), { maxLength: 4 }),
    clears: fc.boolean(),
  });

  it('contains what the plain encoding contains, whatever repeats', () => {
    fc.assert(
      fc.property(
        fc.array(scrapes, { minLength: 3, maxLength: 3 }),
        fc.array(series, { maxLength: 12 }),
        (all, list) => {
          const batch = new WriteBatch(16);
          const expected: Buffer[] = [];
          for (const [index, one] of list.entries()) {
            if (one.clears && index % 5 === 4) {
              batch.clear();
              expected.length = 0;
            }
            const scrape = all[one.scrape]!;
            const timesMs = [scrape.firstMs];
            for (const step of scrape.steps) timesMs.push(timesMs.at(-1)! + step);
            const points = timesMs
              .slice(one.skipped, one.skipped + one.most)
              .map((timeMs, at) => ({ timeMs, bits: one.values[at % one.values.length]! }));
            if (points.length === 0) continue;
            const labels = encodeLabels(new Map([['__name__', `m${index}`], ...one.labels]));
            batch.appendFloats(labels, columnsOf(points), 0, points.length);
            expected.push(plainSeries(labels, points));
          }
          assert.deepEqual(Buffer.from(batch.request()), Buffer.concat(expected));
        },
      ),
      { numRuns: 400 },
    );
  });

  it('copies within the range of snappy, over many and long series', () => {
    const batch = new WriteBatch(16);
    const expected: Buffer[] = [];
    for (let index = 0; index < 60; index++) {
      const labels = encodeLabels([
        ['__name__', 'long'],
        ['instance', `host-${index}`],
      ]);
      const length = index % 7 === 0 ? 5000 : 300 + index;
      const points = Array.from({ length }, (_, i) => ({
        timeMs: 1_767_225_600_000 + (index % 4) + 15_000 * i,
        bits: BigInt(i % 3 === 0 ? 7 : i * index),
      }));
      batch.appendFloats(labels, columnsOf(points), 0, length);
      expected.push(plainSeries(labels, points));
    }
    assert.deepEqual(Buffer.from(batch.request()), Buffer.concat(expected));
  });

  it('reduces regular counters that were scraped together to a third', () => {
    const batch = new WriteBatch(16);
    for (let index = 0; index < 20; index++) {
      const points = Array.from({ length: 240 }, (_, i) => ({
        timeMs: 1_767_225_600_000 + 15_000 * i,
        bits: new BigUint64Array(new Float64Array([1000 * index + 37 * i]).buffer)[0]!,
      }));
      batch.appendFloats(encodeLabels([['__name__', `counter_${index}`]]), columnsOf(points), 0, points.length);
    }
    const ratio = batch.byteLength / batch.body().length;
    assert.ok(ratio > 2.5, `${ratio}`);
  });

  it('finds repetitions in histograms, without knowing their format', () => {
    const columns = new SampleColumns();
    const message = encodeMessage('Histogram', { countInt: 3, sum: 1.5, positiveDeltas: Array(40).fill(5) });
    for (let i = 0; i < 100; i++) columns.addHistogram(i, message);
    const batch = new WriteBatch(16);
    batch.appendHistograms(up, columns, 0, 100);
    assert.equal(batch.request().length, batch.byteLength);
    assert.ok(batch.body().length * 8 < batch.byteLength, `${batch.body().length} of ${batch.byteLength} bytes`);
  });
});
