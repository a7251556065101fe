import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseRangeSamples } from '../../src/remote/range-samples.ts';
import { ElementTooLarge, ResultElements } from '../../src/remote/result-elements.ts';
import { SampleColumns } from '../../src/wire/sample-columns.ts';

const response = (result: unknown, more: object = {}) =>
  JSON.stringify({ status: 'success', data: { resultType: 'matrix', result }, ...more });

function pushed(text: string, pieces: readonly number[], maxBytes = 1e6) {
  const elements = new ResultElements(maxBytes);
  const bytes = Buffer.from(text);
  const found: string[] = [];
  let at = 0;
  for (const length of [...pieces, bytes.length]) {
    found.push(...elements.push(bytes.subarray(at, at + length)));
    at += length;
  }
  return { found: found.map((element) => JSON.parse(element) as unknown), rest: JSON.parse(elements.end()) as object };
}

describe('the series of a range response', () => {
  it('are taken out one by one, wherever the response is cut', () => {
    const label = fc.dictionary(fc.string(), fc.string());
    const series = fc.record({ metric: label, values: fc.array(fc.tuple(fc.nat(), fc.string())) });
    fc.assert(
      fc.property(fc.array(series), fc.array(fc.nat(40)), (list, pieces) => {
        const { found, rest } = pushed(response(list, { warnings: ['{['] }), pieces);
        assert.deepEqual(found, JSON.parse(JSON.stringify(list)));
        assert.deepEqual(rest, { status: 'success', data: { resultType: 'matrix', result: [] }, warnings: ['{['] });
      }),
    );
  });

  it('are not looked for in an error', () => {
    const { found, rest } = pushed('{"status":"error","error":"[{"}', []);
    assert.deepEqual([found, rest], [[], { status: 'error', error: '[{' }]);
  });

  it('may not be larger than allowed, nor may what is around them', () => {
    assert.throws(() => pushed(response([{ metric: { a: 'x'.repeat(1000) } }]), [], 500), ElementTooLarge);
    assert.throws(() => pushed(response([], { x: 'x'.repeat(1000) }), [], 500), ElementTooLarge);
  });

  it('end with an error if brackets do not match', () => {
    assert.throws(() => new ResultElements(1e6).push(Buffer.from('{"a":]')), SyntaxError);
    assert.throws(() => new ResultElements(1e6).push(Buffer.from('['.repeat(100))), SyntaxError);
  });
});

describe('one series of a range response', () => {
  it('has floats with their values, and histograms with count and sum', () => {
    const columns = new SampleColumns(1);
    const text = JSON.stringify({
      metric: { __name__: 'a' },
      values: [
        [1700000000.123, '1.5'],
        [1700000001, '+Inf'],
        [1700000002, '-Inf'],
        [1700000003, 'NaN'],
        [1700000004, '1e+22'],
      ],
      histograms: [[1700000005, { count: '3', sum: '-0.5', buckets: [[0, '1', '2', '3']] }]],
    });
    const parsed = parseRangeSamples(text, columns);
    assert.deepEqual('metric' in parsed && parsed.metric, { __name__: 'a' });
    assert.equal(columns.floatTimesMs[0], 1700000000123);
    const values = [...new Float64Array(columns.floatBits.buffer, 0, columns.floats)];
    assert.deepEqual(values, [1.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 1e22]);
    assert.deepEqual(columns.histogramTimesMs, [1700000005000]);
    const message = Buffer.from(columns.histograms[0] as Uint8Array);
    assert.deepEqual([message.readDoubleLE(1), message.readDoubleLE(10)], [3, -0.5]);
  });

  for (const [name, text] of Object.entries({
    'text that is no JSON': '{"metric":',
    'no labels': '{"values":[]}',
    'a value that is no number': '{"metric":{},"values":[[1,"x"]]}',
    'a number in the place of a value': '{"metric":{},"values":[[1,1]]}',
    'no time': '{"metric":{},"values":[["1","1"]]}',
    'a histogram without sum': '{"metric":{},"histograms":[[1,{"count":"1"}]]}',
    'values that are not a list': '{"metric":{},"values":{}}',
  })) {
    it(`is refused with ${name}`, () => assert.ok('problem' in parseRangeSamples(text, new SampleColumns(1))));
  }
});
