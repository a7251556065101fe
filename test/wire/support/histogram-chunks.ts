// Random chunks of native histograms: their encodings without a model of what the numbers mean, so that every code appears.

import fc from 'fast-check';
import { BitWriter, staleBits } from './chunk-encoder.ts';
import { anyBits } from './float-bits.ts';

const CUSTOM_SCHEMA = -53n;

const anyInteger = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -12, max: 12 }).map(BigInt) },
  { weight: 2, arbitrary: fc.constant(0n) },
  { weight: 2, arbitrary: fc.integer({ min: -70_000, max: 70_000 }).map(BigInt) },
  { weight: 1, arbitrary: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }) },
);
const anyCount = fc.oneof(fc.nat(3000).map(BigInt), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }));
/** What changes of a double, and whether the window of its last change is used again where it fits. */
const anyXor = fc.record({
  bits: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0n) },
    { weight: 3, arbitrary: fc.tuple(fc.nat(15), fc.nat(60)).map(([bits, shift]) => BigInt(bits) << BigInt(shift)) },
    { weight: 1, arbitrary: anyBits },
  ),
  again: fc.boolean(),
});
const anySpans = fc.array(
  fc.record({
    offset: fc.oneof(fc.integer({ min: -20, max: 20 }), fc.integer()),
    length: fc.oneof(fc.nat(6), fc.nat(40)),
  }),
  { maxLength: 4 },
);
const anySample = fc.record({
  timeChange: fc.nat(20_000),
  stale: fc.integer({ min: 0, max: 9 }).map((digit) => digit === 0),
  /** More than all the numbers of a sample take; used from the beginning. */
  integers: fc.array(anyInteger, { minLength: 20, maxLength: 60 }),
  xors: fc.array(anyXor, { minLength: 20, maxLength: 60 }),
  start: fc.integer({ min: 0, max: 3000 }),
});

export const histogramChunks = fc
  .record({
    float: fc.boolean(),
    withStarts: fc.boolean(),
    gauge: fc.boolean(),
    startMs: fc.integer({ min: -(2 ** 40), max: 2 ** 42 }),
    schema: fc.oneof(fc.integer({ min: -9, max: 52 }).map(BigInt), fc.constant(CUSTOM_SCHEMA)),
    threshold: fc.oneof(fc.nat(254), anyBits),
    positive: anySpans,
    negative: anySpans,
    bounds: fc.array(fc.oneof(fc.nat(70_000), anyBits), { maxLength: 6 }),
    count: anyCount,
    zeroCount: anyCount,
    firstStart: fc.boolean(),
    startsFrom: fc.nat(10),
    samples: fc.array(anySample, { minLength: 1, maxLength: 24 }),
  })
  .map((of) => encodeHistogramChunk(of));

interface HistogramRun {
  readonly float: boolean;
  readonly withStarts: boolean;
  readonly gauge: boolean;
  readonly startMs: number;
  readonly schema: bigint;
  /** A code of one byte, or the bits of a double. */
  readonly threshold: number | bigint;
  readonly positive: readonly { readonly offset: number; readonly length: number }[];
  readonly negative: readonly { readonly offset: number; readonly length: number }[];
  readonly bounds: readonly (number | bigint)[];
  readonly count: bigint;
  readonly zeroCount: bigint;
  readonly firstStart: boolean;
  readonly startsFrom: number;
  readonly samples: readonly {
    readonly timeChange: number;
    readonly stale: boolean;
    readonly integers: readonly bigint[];
    readonly xors: readonly { readonly bits: bigint; readonly again: boolean }[];
    readonly start: number;
  }[];
}

function encodeHistogramChunk(run: HistogramRun): { encoding: number; chunk: Uint8Array; times: number[] } {
  const { float, withStarts, samples } = run;
  const writer = new BitWriter();
  const reset = run.gauge ? 0xc0 : 0;
  const starts = (run.firstStart ? 0x80 : 0) | run.startsFrom;
  writer.write(BigInt(samples.length | (withStarts ? reset << 8 : 0)), 16);
  writer.write(BigInt(withStarts ? starts : reset), 8);
  writeLayout(writer, run);
  const times: number[] = [];
  const buckets = [...run.positive, ...run.negative].reduce((sum, { length }) => sum + length, 0);
  const values = new Values(writer, float, buckets);
  let delta = 0;
  for (const [i, sample] of samples.entries()) {
    // All deltas are at least 1, so that the times ascend.
    const next = i === 0 ? run.startMs : 1 + sample.timeChange;
    writer.varbit(BigInt(i === 0 ? next : next - delta));
    if (i > 0) delta = next;
    times.push((times.at(-1) ?? 0) + next);
    if (i === 0) values.writeFirst(run, sample);
    else values.writeNext(sample);
    if (!withStarts) continue;
    if (i === 0 && run.firstStart) writer.varint(BigInt(sample.start));
    else if (i > 0 && run.startsFrom > 0 && i >= run.startsFrom) writer.varbit(BigInt(sample.start));
  }
  return { encoding: (float ? 3 : 2) + (withStarts ? 3 : 0), chunk: writer.finish(), times };
}

function writeLayout(writer: BitWriter, { schema, threshold, positive, negative, bounds }: HistogramRun): void {
  if (typeof threshold === 'number') writer.write(BigInt(threshold), 8);
  else writer.write((0xffn << 64n) | threshold, 72);
  writer.varbit(schema);
  for (const spans of [positive, negative]) {
    writer.varbitUint(BigInt(spans.length));
    for (const { offset, length } of spans) {
      writer.varbitUint(BigInt(length));
      writer.varbit(BigInt(offset));
    }
  }
  if (schema !== CUSTOM_SCHEMA) return;
  writer.varbitUint(BigInt(bounds.length));
  for (const bound of bounds) {
    if (typeof bound === 'number') writer.varbitUint(BigInt(bound + 1));
    else {
      writer.write(0n, 1);
      writer.write(bound, 64);
    }
  }
}

type Sample = HistogramRun['samples'][number];

class Values {
  readonly #writer: BitWriter;
  readonly #float: boolean;
  readonly #buckets: number;
  #sum = 0n;
  /** Leading and trailing zeros, of each value. */
  readonly #windows = new Map<number, readonly [leading: number, trailing: number]>();

  constructor(writer: BitWriter, float: boolean, buckets: number) {
    this.#writer = writer;
    this.#float = float;
    this.#buckets = buckets;
  }

  writeFirst({ count, zeroCount }: HistogramRun, { stale, integers, xors }: Sample): void {
    const writer = this.#writer;
    for (const number of [count, zeroCount]) {
      if (this.#float) writer.write(number, 64);
      else writer.varbitUint(number);
    }
    this.#sum = stale ? staleBits : xors[0]!.bits;
    writer.write(this.#sum, 64);
    for (let i = 0; i < this.#buckets; i++) {
      if (this.#float) writer.write(xors[i % xors.length]!.bits, 64);
      else writer.varbit(integers[i % integers.length]!);
    }
  }

  writeNext(sample: Sample): void {
    for (const i of [0, 1]) this.#writeNumber(i, sample);
    const bits = sample.stale ? this.#sum ^ staleBits : sample.xors[2]!.bits;
    this.#writeXor(2, { ...sample.xors[2]!, bits });
    this.#sum ^= bits;
    if (this.#sum === staleBits) return;
    for (let i = 0; i < this.#buckets; i++) this.#writeNumber(3 + i, sample);
  }

  #writeNumber(i: number, { integers, xors }: Sample): void {
    if (this.#float) this.#writeXor(i, xors[i % xors.length]!);
    else this.#writer.varbit(integers[i % integers.length]!);
  }

  #writeXor(i: number, { bits, again }: { bits: bigint; again: boolean }): void {
    const writer = this.#writer;
    if (bits === 0n) {
      writer.write(0n, 1);
      return;
    }
    const text = bits.toString(2).padStart(64, '0');
    const window = this.#windows.get(i);
    if (again && window !== undefined && text.indexOf('1') >= window[0] && 63 - text.lastIndexOf('1') >= window[1]) {
      writer.write(2n, 2);
      writer.write(bits >> BigInt(window[1]), 64 - window[0] - window[1]);
      return;
    }
    const leading = Math.min(31, text.indexOf('1'));
    const trailing = 63 - text.lastIndexOf('1');
    const size = 64 - leading - trailing;
    this.#windows.set(i, [leading, trailing]);
    writer.write(3n, 2);
    writer.write(BigInt(leading), 5);
    writer.write(BigInt(size & 63), 6);
    writer.write(bits >> BigInt(trailing), size);
  }
}
