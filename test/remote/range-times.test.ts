import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseQueryResponse } from '../../src/remote/query-response.ts';
import { BadRange, SeriesTooLarge, RangeTimes, type SeriesTimes } from '../../src/remote/range-times.ts';

const everything = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

function read(
  text: string | Buffer,
  options: { cuts?: readonly number[]; range?: readonly [number, number]; maxSeriesBytes?: number } = {},
): { series: SeriesTimes[]; missing: string | undefined } {
  const { cuts = [], range = everything, maxSeriesBytes = 1_000_000 } = options;
  const bytes = Buffer.from(text);
  const times = new RangeTimes(range[0], range[1], maxSeriesBytes);
  const series: SeriesTimes[] = [];
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let from = 0;
  for (const end of ends) {
    // A separate buffer that is overwritten afterwards: the memory of a piece is reused.
    const piece = Uint8Array.from(bytes.subarray(from, end));
    series.push(...times.push(piece));
    piece.fill(0xdd);
    from = end;
  }
  return { series, ...times.end() };
}

const text = fc.string({ unit: 'grapheme', maxLength: 8 });
const pair = fc
  .tuple(fc.integer({ min: -4e12, max: 4e12 }), fc.constantFrom('1', 'NaN', '-Inf', 'a"b\\c]}', ''))
  .map(([timeMs, value]) => [timeMs / 1000, value]);
const histogram = fc
  .integer({ min: 0, max: 4e12 })
  .map((timeMs) => [timeMs / 1000, { count: '3', sum: '1', buckets: [[3, '-0.5', '0.5', '3']] }]);
const element = fc.record(
  {
    metric: fc.dictionary(text, text, { maxKeys: 4, noNullPrototype: true }),
    values: fc.array(pair, { maxLength: 5 }),
    histograms: fc.array(histogram, { maxLength: 3 }),
  },
  { requiredKeys: ['metric'] },
);

describe('the timestamps of a range response', () => {
  it('are those that a JSON parser finds, wherever the response is split', () => {
    const response = fc.record(
      {
        status: fc.constant('success'),
        isPartial: fc.boolean(),
        data: fc.record({
          resultType: fc.constant('matrix'),
          result: fc.array(element, { maxLength: 4 }),
          stats: fc.constantFrom({}, { a: [[['values']], { metric: 1 }] }, null, 3),
        }),
        warnings: fc.array(fc.oneof(text, fc.constantFrom('PromQL info: x', 'No StoreAPIs matched for this query'))),
      },
      { requiredKeys: ['status', 'data'] },
    );
    const layout = fc.constantFrom(undefined, 1, '\t');
    fc.assert(
      fc.property(response, layout, fc.array(fc.nat(5000), { maxLength: 20 }), (body, indent, cuts) => {
        const json = JSON.stringify(body, null, indent);
        const parsed = parseQueryResponse(json);
        assert.ok('result' in parsed);
        const due = parsed.result.series.map(({ metric, samples, histogramTimesMs }) => ({
          metric: { ...metric },
          timesMs: [...samples.map(([timeMs]) => timeMs), ...histogramTimesMs],
        }));
        const { series, missing } = read(json, { cuts });
        const sorted = (times: readonly number[]) => [...times].sort((a, b) => a - b);
        assert.deepEqual(
          series.map(({ metric, timesMs }) => ({ metric: { ...metric }, timesMs: sorted(timesMs) })),
          due.map(({ metric, timesMs }) => ({ metric, timesMs: sorted(timesMs) })),
        );
        assert.equal(missing === undefined, parsed.missing === undefined);
      }),
    );
  });

  it('are limited to the range', () => {
    const values = Array.from({ length: 100 }, (_, i) => [i / 1000, '1']);
    const json = JSON.stringify({
      status: 'success',
      data: { resultType: 'matrix', result: [{ metric: {}, values }] },
    });
    assert.deepEqual(read(json, { range: [10, 13] }).series[0]!.timesMs, [10, 11, 12]);
  });

  it('may precede the labels', () => {
    const json =
      '{"data":{"result":[{"values":[[1,"2"]],"metric":{"a":"b"}}],"resultType":"matrix"},"status":"success"}';
    assert.deepEqual(read(json).series, [{ metric: { a: 'b' }, timesMs: [1000] }]);
  });

  it('are not taken from a response that is truncated, too long, of another type, or an error', () => {
    const json = '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"]]}]}}';
    assert.equal(read(json).series.length, 1);
    for (let length = 0; length < json.length; length++)
      assert.throws(() => read(json.slice(0, length)), BadRange, json.slice(0, length));
    for (const bad of [
      `${json}x`,
      `${json}{}`,
      json.replace('success', 'error'),
      json.replace('matrix', 'vector'),
      json.replace('"metric":{},', ''),
      json.replace('"metric":{}', '"metric":{"a":1}'),
      json.replace('"metric":{}', '"metric":{a}'),
      json.replace('[1,', '["x",'),
      json.replace('[1,', '[,'),
      json.replace('[1,', '[[1],'),
      json.replace('[1,"2"]', '7'),
      json.replace('[1,"2"]', '{"a":1}'),
      json.replace('[[1,"2"]]', '{"a":[1]}'),
      json.replace(']}]', ']}}'),
      '<html></html>',
      '[]',
      '',
    ]) {
      assert.throws(() => read(bad), BadRange, bad);
    }
  });

  it('do not buffer a hostile response: neither long labels nor endless texts', () => {
    const labels = JSON.stringify({ a: 'x'.repeat(10_000) });
    const json = `{"status":"success","data":{"resultType":"matrix","result":[{"metric":${labels},"values":[]}]}}`;
    assert.equal(read(json, { maxSeriesBytes: 50_000 }).series.length, 1);
    assert.throws(() => read(json, { maxSeriesBytes: 10_000 }), SeriesTooLarge);
    assert.throws(() => read(`{"status":"${'x'.repeat(100_000)}`), BadRange);
  });

  it('do not buffer a hostile response: neither nested brackets nor endless timestamps of one series', () => {
    assert.throws(() => read('['.repeat(100)), BadRange);
    const head = '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[';
    const pairs = '[1.5,"1"],'.repeat(10_000);
    assert.throws(() => read(head + pairs, { maxSeriesBytes: 100_000 }), SeriesTooLarge);
    assert.throws(() => read(head + pairs, { maxSeriesBytes: 100_000, range: [0, 1000] }), BadRange, 'it ends early');
  });

  it('throw only the documented errors, whatever the bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
    const json =
      '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"2"]]}]}}';
    const damaged = fc
      .tuple(fc.nat(json.length - 1), fc.nat(255))
      .map(([at, byte]) => Buffer.from(json).fill(byte, at, at + 1));
    fc.assert(
      fc.property(fc.oneof(bytes, damaged), (response) => {
        try {
          read(response);
        } catch (error) {
          assert.ok(error instanceof BadRange, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
