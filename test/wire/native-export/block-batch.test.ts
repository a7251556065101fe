import assert from 'node:assert/strict';
import fc from 'fast-check';
import { WireError } from '../../../src/wire/errors.ts';
import { type Kernel, openKernel } from '../../../src/wire/kernel/kernel.ts';
import { decodeLabels, encodeLabels } from '../../../src/wire/labels.ts';
import { BlockDecoder } from '../../../src/wire/native-export/block-batch.ts';
import { ENCODING } from '../../../src/wire/native-export/integers.ts';
import { MetricNames } from '../../../src/wire/native-export/metric-name.ts';
import { RecordCollector } from '../../../src/wire/native-export/record-collector.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { anyBlock, INFINITE, NEGATIVE_INFINITE, STALE_MANTISSA } from './any-block.ts';
import { encodeBlock, encodeRecord } from './encoder.ts';

const ALWAYS = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };
const STALE = 0x7ff0_0000_0000_0002n;
/** The kernel, and the JavaScript path. */
const KERNELS = [openKernel(), null];

function counted(bytes: Uint8Array, kernel: Kernel | null, range: typeof ALWAYS): number {
  const decoder = new BlockDecoder(64 * 1024, kernel);
  decoder.begin([{ bytes, start: 0, end: bytes.length }]);
  return decoder.count(0, range);
}

function decoded(bytes: Uint8Array, kernel: Kernel | null, range = ALWAYS): { times: number[]; bits: bigint[] } {
  const decoder = new BlockDecoder(64 * 1024, kernel);
  decoder.begin([{ bytes, start: 0, end: bytes.length }]);
  const columns = new SampleColumns(1);
  decoder.decode(0, range, columns);
  const { floats, floatBits } = columns;
  const bits = Array.from({ length: floats }, (_, i) => {
    return (BigInt(floatBits[2 * i + 1] as number) << 32n) | BigInt(floatBits[2 * i] as number);
  });
  return { times: [...columns.floatTimesMs.subarray(0, floats)], bits };
}

/** As Go computes it: the integer, rounded, times or divided by a power of ten that is a product of two. */
function expectedBits(mantissa: bigint, exponent: number): bigint {
  if (mantissa === STALE_MANTISSA) return STALE;
  const size = Math.abs(exponent);
  const power = size > 308 ? Number.POSITIVE_INFINITY : Number(`1e${size - (size % 32)}`) * Number(`1e${size % 32}`);
  const value = exponent < 0 ? Number(mantissa) / power : exponent > 0 ? Number(mantissa) * power : Number(mantissa);
  const special = mantissa === INFINITE ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, mantissa === INFINITE || mantissa === NEGATIVE_INFINITE ? special : value);
  return Number.isNaN(value) ? STALE : view.getBigUint64(0);
}

for (const kernel of KERNELS) {
  describe(`a block of the native export in ${kernel === null ? 'JavaScript' : 'the kernel'}`, () => {
    it('has the samples that were encoded, bit for bit', () => {
      fc.assert(
        fc.property(anyBlock, (one) => {
          const { times, bits } = decoded(encodeBlock(one), kernel);
          assert.deepEqual(times, one.times.map(Number));
          assert.deepEqual(
            bits,
            one.mantissas.map((value) => expectedBits(value, one.exponent)),
          );
        }),
        { numRuns: 2000 },
      );
    });

    it('is cut to a range', () => {
      fc.assert(
        fc.property(anyBlock, fc.integer({ min: -1e12, max: 3e12 }), fc.nat(1e12), (one, fromMs, length) => {
          const range = { fromMs, toMs: fromMs + length };
          const all = decoded(encodeBlock(one), kernel);
          const inside = all.times.map((time, i) => [time, all.bits[i]] as const);
          const expected = inside.filter(([time]) => time >= range.fromMs && time < range.toMs);
          const { times, bits } = decoded(encodeBlock(one), kernel, range);
          assert.deepEqual(
            times.map((time, i) => [time, bits[i]]),
            expected,
          );
          assert.equal(counted(encodeBlock(one), kernel, range), expected.length);
        }),
      );
    });

    it('can be decoded after another one of the batch was damaged, and in any order', () => {
      const times = Array.from({ length: 4000 }, (_, i) => BigInt(i * 1000 + (i % 7)));
      const mantissas = times.map((time) => (time * time) % 1000n);
      const encodings = { timesEncoding: ENCODING.zstdDelta, valuesEncoding: ENCODING.zstdDelta2 };
      const good = encodeBlock({ times, mantissas, exponent: 0, ...encodings });
      const damaged = Uint8Array.from(good, (byte, i) => (i < good.length - 6 ? byte : 0xff));
      const places = Array.from({ length: 60 }, (_, i) => (i === 55 ? damaged : good)).map((bytes) => ({
        ...{ bytes, start: 0, end: bytes.length },
      }));
      const decoder = new BlockDecoder(192 * 1024, kernel);
      decoder.begin(places);
      const columns = new SampleColumns();
      for (const index of [0, 1, 30, 55, 31, 30, 2, 58, 55, 56, 3]) {
        columns.clear();
        if (index === 55) assert.throws(() => decoder.decode(index, ALWAYS, columns), WireError);
        else {
          assert.equal(decoder.decode(index, ALWAYS, columns), 4000);
          assert.deepEqual([...columns.floatTimesMs.subarray(0, 4000)], times.map(Number));
        }
      }
    });

    it('is counted and decoded by the same decoder', () => {
      fc.assert(
        fc.property(
          fc.array(anyBlock, { minLength: 1, maxLength: 5 }),
          fc.integer({ min: 0, max: 3e12 }),
          (all, toMs) => {
            const range = { fromMs: 0, toMs };
            const places = all.map((one) => encodeBlock(one)).map((bytes) => ({ bytes, start: 0, end: bytes.length }));
            const decoder = new BlockDecoder(1024, kernel);
            decoder.begin(places);
            const columns = new SampleColumns();
            for (const [index, { bytes }] of places.entries()) {
              const count = decoder.count(index, range);
              columns.clear();
              assert.equal(decoder.decode(index, range, columns), all[index]?.times.length);
              assert.equal(columns.floats, count);
              assert.equal(count, decoded(bytes, kernel, range).times.length);
            }
          },
        ),
        { numRuns: 200 },
      );
    });

    const constants: readonly (readonly [title: string, mantissas: readonly bigint[], encoding: number])[] = [
      ['one value', [7n, 7n, 7n], ENCODING.const],
      ['one special value', [STALE_MANTISSA, STALE_MANTISSA, STALE_MANTISSA], ENCODING.const],
      ['a line', [5n, 8n, 11n], ENCODING.deltaConst],
      ['a line beyond 2^53', [2n ** 53n, 2n ** 53n + 1n, 2n ** 53n + 2n], ENCODING.deltaConst],
      ['a line that wraps', [2n ** 63n - 3n, -(2n ** 63n) + 1n, -(2n ** 63n) + 5n], ENCODING.deltaConst],
    ];
    for (const [title, mantissas, valuesEncoding] of constants) {
      it(`may have ${title}`, () => {
        const times = [1000n, 2000n, 3000n];
        const bytes = encodeBlock({
          times,
          mantissas,
          exponent: 0,
          timesEncoding: ENCODING.deltaConst,
          valuesEncoding,
        });
        const { bits } = decoded(bytes, kernel);
        assert.deepEqual(
          bits,
          mantissas.map((value) => expectedBits(value, 0)),
        );
      });
    }

    it('gives a WireError, and nothing else, when its bytes are damaged', () => {
      const samples = fc.sample(anyBlock, { numRuns: 200, seed: 5 }).map(encodeBlock);
      let state = 1;
      const draw = (below: number) => {
        state = (Math.imul(state, 1664525) + 1013904223) | 0;
        return (state >>> 8) % below;
      };
      const columns = new SampleColumns();
      const decoder = new BlockDecoder(64 * 1024, kernel);
      let errors = 0;
      for (let i = 0; i < 120_000; i++) {
        const original = samples[i % samples.length] as Uint8Array;
        const bytes = original.slice(0, draw(4) === 0 ? draw(original.length) : original.length);
        for (let changes = draw(3); changes >= 0 && bytes.length > 0; changes--) bytes[draw(bytes.length)] = draw(256);
        columns.clear();
        decoder.begin([{ bytes, start: 0, end: bytes.length }]);
        try {
          decoder.decode(0, ALWAYS, columns);
        } catch (error) {
          if (!(error instanceof WireError)) throw error;
          errors++;
        }
        assert.ok(columns.floatTimesMs.length <= 65_536);
      }
      assert.ok(errors > 50_000, `${errors}`);
    }).timeout(120_000);
  });
}

describe('the records of a native export', () => {
  const times = [1000n, 2000n];
  const small = encodeBlock({ times, mantissas: [1n, 2n], exponent: 0, timesEncoding: 2, valuesEncoding: 2 });
  const name = Buffer.from('up\u0001job\u0001a\u0001');
  const stream = Buffer.concat([Buffer.alloc(16), encodeRecord(name, small), encodeRecord(name, small)]);

  function recordsOf(pieces: readonly Uint8Array[], end = true): number {
    const collector = new RecordCollector(8, 100_000);
    let records = 0;
    for (const piece of pieces) {
      collector.push(piece);
      for (let record = collector.take(); record !== undefined; record = collector.take()) {
        assert.deepEqual(collector.bytes.subarray(record.labelsStart, record.labelsEnd), new Uint8Array(name));
        assert.deepEqual(collector.bytes.subarray(record.blockStart, record.blockEnd), small);
        records++;
      }
    }
    if (end) collector.end();
    return records;
  }

  it('are found however the stream is split', () => {
    for (let cut = 0; cut <= stream.length; cut++)
      assert.equal(recordsOf([stream.subarray(0, cut), stream.subarray(cut)]), 2);
    assert.equal(recordsOf(Array.from(stream, (byte) => Uint8Array.of(byte))), 2);
  });

  it('are incomplete wherever the stream is cut, except between two of them', () => {
    const border = 16 + (stream.length - 16) / 2;
    for (let cut = 0; cut < stream.length; cut++) {
      if (cut === border || cut === 16) continue;
      assert.throws(() => recordsOf([stream.subarray(0, cut)]), { name: 'WireError', code: 'truncated' }, `${cut}`);
    }
  });

  it('are followed by the text of an error', () => {
    const text = '\nerror during sending native data to remote client: timeout exceeded\n';
    assert.throws(() => recordsOf([Buffer.concat([stream, Buffer.from(text)])]), {
      code: 'server-error-text',
      message: text.trim(),
    });
  });

  it('are refused when they are larger than the limit, before they have arrived', () => {
    const head = Buffer.alloc(20);
    head.writeUInt32BE(200_000, 16);
    assert.throws(() => recordsOf([head], false), { code: 'too-large' });
    head.writeUInt32BE(2 ** 31, 16);
    assert.throws(() => recordsOf([head], false), { code: 'corrupt' });
  });
});

/** VictoriaMetrics escapes the three bytes that have a meaning. */
function escapedByte(character: string): string {
  return character < '\u0003' ? `\0${character.charCodeAt(0)}` : character;
}

describe('the labels of a native export', () => {
  const labelsOf = (text: string) => Object.fromEntries(decodeLabels(new MetricNames().labelsOf(Buffer.from(text))));

  it('are unescaped, and the metric has its place among them', () => {
    assert.deepEqual(labelsOf('up\u0001Zone\u0001\u00000\u00001\u00002\u0001job\u0001a\u0001'), {
      Zone: '\u0000\u0001\u0002',
      __name__: 'up',
      job: 'a',
    });
    assert.deepEqual(labelsOf('\u0001a\u0001b\u0001'), { a: 'b' });
    assert.deepEqual(labelsOf('up\u0001'), { __name__: 'up' });
  });

  it('are those of encodeLabels, however many, in any order, and whatever series was before', () => {
    const names = new MetricNames();
    const part = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme-ascii' });
    const labels = fc.dictionary(part, fc.oneof(part, fc.constant(''), fc.constant('\0\u0001\u0002é'.repeat(300))), {
      maxKeys: 90,
    });
    fc.assert(
      fc.property(labels, part, (pairs, metric) => {
        const { __name__: _, ...others } = pairs;
        const texts = [metric, ...Object.entries(others).flat()];
        const escaped = texts.map((text) => `${Array.from(text, escapedByte).join('')}\u0001`);
        const expected = encodeLabels([['__name__', metric], ...Object.entries(others)]);
        assert.equal(Buffer.compare(names.labelsOf(Buffer.from(escaped.join(''))), expected), 0);
      }),
      { numRuns: 100 },
    );
  });

  it('are refused if they are cut off or have another escape sequence', () => {
    for (const text of ['', 'up', 'up\u0001a', 'up\u0001a\u0001', 'up\u0001a\u0001b'])
      assert.throws(() => labelsOf(text), { code: 'truncated' });
    assert.throws(() => labelsOf('up\u00003\u0001'), { code: 'corrupt' });
    assert.throws(() => labelsOf('up\u0000\u0001'), { code: 'corrupt' });
  });
});
