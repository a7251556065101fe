import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseExportedSamples } from '../../src/remote/export-line.ts';
import { ExportedLabels } from '../../src/remote/exported-labels.ts';
import { decodeLabels, encodeLabels } from '../../src/wire/labels.ts';
import { SampleColumns } from '../../src/wire/sample-columns.ts';
import { STALE_HIGH, STALE_LOW } from '../../src/wire/stale-marker.ts';

function parsed(line: string) {
  const columns = new SampleColumns(1);
  const result = parseExportedSamples(Buffer.from(line), columns);
  if ('problem' in result) return result.problem;
  const values = [...new Float64Array(columns.floatBits.buffer, 0, columns.floats)];
  return {
    metric: Object.fromEntries(decodeLabels(new ExportedLabels().of(result.metric) ?? new Uint8Array(0))),
    timesMs: [...columns.floatTimesMs.subarray(0, columns.floats)],
    values,
    columns,
  };
}

const line = (metric: unknown, values: string, timestamps: string) =>
  `{"metric":${JSON.stringify(metric)},"values":[${values}],"timestamps":[${timestamps}]}`;

describe('a line of an export', () => {
  it('gives every finite number with all its bits, as JSON.parse does', () => {
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.integer({ min: -(10 ** 15), max: 10 ** 15 }).map((digits) => digits / 1000),
    );
    fc.assert(
      fc.property(fc.array(number), (numbers) => {
        const texts = numbers.map((value) => (Object.is(value, -0) ? '-0' : JSON.stringify(value)));
        const result = parsed(line({}, texts.join(), texts.map((_, i) => 1_700_000_000_000 + i).join()));
        assert.ok(typeof result !== 'string');
        assert.equal(result.values.length, numbers.length);
        for (const [i, value] of result.values.entries()) assert.ok(Object.is(value, JSON.parse(texts[i] as string)));
      }),
    );
  });

  it('reads numbers as VictoriaMetrics writes them', () => {
    const texts = [
      '0.1',
      '123456789.12345678',
      `1${'0'.repeat(300)}`,
      '17976931348623157'.padEnd(309, '0'),
      '1e-7',
      '-5E+3',
    ];
    const result = parsed(line({}, texts.join(), texts.map((_, i) => i).join()));
    assert.ok(typeof result !== 'string');
    assert.deepEqual(result.values, texts.map(Number));
  });

  it('reads infinite values, and null as a stale marker', () => {
    const result = parsed(line({}, '"Infinity","-Infinity",null', '1,2,3'));
    assert.ok(typeof result !== 'string');
    assert.deepEqual(result.values.slice(0, 2), [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    assert.deepEqual([...result.columns.floatBits.subarray(4, 6)], [STALE_LOW, STALE_HIGH]);
  });

  it('is not confused by labels that look like the rest of a line', () => {
    const metric = { __name__: 'a', x: '","values":[9],"timestamps":[9]}', values: '[1', 'ü"\\': '\n}' };
    const result = parsed(line(metric, '1', '2'));
    assert.ok(typeof result !== 'string');
    assert.deepEqual([result.metric, result.timesMs, result.values], [metric, [2], [1]]);
  });

  for (const [name, text] of Object.entries({
    'text that is no JSON': 'unexpected error',
    'no values': '{"metric":{},"timestamps":[1]}',
    'no timestamps': '{"metric":{},"values":[1]}',
    'fewer values than timestamps': line({}, '1', '1,2'),
    'more values than timestamps': line({}, '1,2', '1'),
    'a value that is no number': line({}, 'x', '1'),
    'a string that is no number': line({}, '"NaN"', '1'),
    'two points': line({}, '1.2.3', '1'),
    'a fraction of a millisecond': line({}, '1', '1.5'),
    'an end in the middle': line({}, '1', '1').slice(0, -2),
    'nothing between two commas': line({}, '1,,2', '1,2,3'),
  })) {
    it(`is refused with ${name}`, () => assert.equal(typeof parsed(text), 'string'));
  }

  it('has labels only if they are an object of strings', () => {
    for (const json of ['', '[]', 'null', '{"a":1}', '{"a":', '{"a":"b"', '{"a":"b"}x', '{"a":"b",}', '{"a" "b"}'])
      assert.equal(new ExportedLabels().of(Buffer.from(json)), undefined, json);
  });

  it('has the labels that JSON.parse finds, whether they are written with escapes or without', () => {
    const exported = new ExportedLabels();
    const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ minLength: 200, maxLength: 300 }));
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), text), (labels) => {
        const json = Buffer.from(JSON.stringify(labels));
        assert.deepEqual(Buffer.from(exported.of(json) ?? []), Buffer.from(encodeLabels(Object.entries(labels))));
      }),
    );
  });

  it('has label values as they are, also if they are not UTF-8', () => {
    const json = Buffer.from('{"a":"\xff\xfe"}', 'latin1');
    assert.deepEqual(Buffer.from(new ExportedLabels().of(json) ?? []).subarray(-2), Buffer.from([0xff, 0xfe]));
  });
});
