import assert from 'node:assert/strict';
import { drawFor } from '../../storm/random.ts';
import { makeDataSet } from '../../verify-faults/data-sets.ts';
import { alterationOf, changedSeries, KEEPS_EVERYTHING } from '../../verify-faults/edits.ts';
import { FAULT_KINDS, type PlantedFault, Planter } from '../../verify-faults/faults.ts';
import { type Facts, judge } from '../../verify-faults/judge.ts';
import type { Truth, Value } from '../../verify-faults/truth.ts';
import {
  bitsOfText,
  parseDifference,
  parseSelector,
  type ReportedDifference,
} from '../../verify-faults/verification-output.ts';
import { bitsOf, countSamples, type Label, labelText, type SeriesSet, STALE_MARKER } from '../support/series-set.ts';

const LABELS: readonly Label[] = [
  ['__name__', 'up'],
  ['job', 'a'],
];
const SAMPLES = 100;

function truth(kind: Truth['kind'], timeMs: number, source?: Value, destination?: Value): Truth {
  return { labels: LABELS, timeMs, kind, source, destination };
}

const PLANTED: readonly PlantedFault[] = [
  { kind: 'sample-dropped', at: 'up', truths: [truth('missing', 3000, bitsOf(1))] },
  { kind: 'stale-marker-became-nan', at: 'up', truths: [truth('different', 2000, STALE_MARKER, 0x7ff8000000000001n)] },
  { kind: 'sample-extra', at: 'up', truths: [truth('extra', 1000, undefined, bitsOf(0.5))] },
];

const REPORTED: readonly ReportedDifference[] = [
  { labels: LABELS, timeMs: 3000, kind: 'missing', source: '1', destination: undefined, expected: undefined },
  {
    labels: LABELS,
    timeMs: 2000,
    kind: 'different',
    source: 'stale marker',
    destination: 'NaN 0x7ff8000000000001',
    expected: undefined,
  },
  { labels: LABELS, timeMs: 1000, kind: 'extra', source: undefined, destination: '0.5', expected: undefined },
];

const RESULT = {
  migration: 'default/test',
  phase: 'Failed',
  through: null,
  seriesCompared: 1,
  samplesCompared: SAMPLES,
  equal: SAMPLES - 2,
  missing: 1,
  extra: 1,
  different: 1,
  repeated: 0,
  expected: {},
  repaired: 0,
  first: [
    { labels: 'up{job="a"}', timestampMs: 1000, kind: 'extra' },
    { labels: 'up{job="a"}', timestampMs: 2000, kind: 'different' },
    { labels: 'up{job="a"}', timestampMs: 3000, kind: 'missing' },
  ],
  bytesRead: 1,
  durationSeconds: 1,
  error: null,
};

const MAX_RSS_BYTES = 278 * 2 ** 20;

type Changes = Partial<Omit<Facts['run'], 'result'>> & { result?: Partial<Facts['run']['result']> };

function findings(changes: Changes = {}): readonly string[] {
  const { result, ...run } = changes;
  return judge({
    run: { exitCode: 4, differences: REPORTED, peakRssBytes: MAX_RSS_BYTES, ...run, result: { ...RESULT, ...result } },
    planted: PLANTED,
    samples: SAMPLES,
    expected: {},
    showsBits: true,
    maxRssBytes: MAX_RSS_BYTES,
  }).findings;
}

describe('the judge of verifications', () => {
  it('finds nothing where everything that was planted is reported, and nothing else', () => {
    assert.deepEqual(findings(), []);
  });

  const wrong: [string, Changes, RegExp][] = [
    ['a difference that is not reported', { differences: REPORTED.slice(1) }, /sample-dropped .* not reported/],
    ['a difference that is reported twice', { differences: [...REPORTED, ...REPORTED.slice(0, 1)] }, /invented/],
    [
      'a difference at another time',
      { differences: REPORTED.map((reported, i) => (i === 0 ? { ...reported, timeMs: 3001 } : reported)) },
      /invented: missing 3001/,
    ],
    [
      'a wrong value',
      {
        differences: REPORTED.map((reported, i) =>
          i === 1 ? { ...reported, destination: 'NaN 0x7ff8000000000000' } : reported,
        ),
      },
      /different 2000.*destination/,
    ],
    ['a wrong count', { result: { missing: 2 } }, /result\.missing is 2, should be 1/],
    ['an expected change where the store makes none', { result: { expected: { rejected: 1 } } }, /result\.expected/],
    ['samples that were not compared', { result: { samplesCompared: 99 } }, /samplesCompared is 99/],
    ['a wrong exit code', { exitCode: 0 }, /exitCode is 0, should be 4/],
    ['too much memory', { peakRssBytes: 279 * 2 ** 20 }, /peak RSS 279 MiB, more than 278 MiB/],
    ['memory that was not measured', { peakRssBytes: undefined }, /peak RSS is unknown/],
    ['first differences that are not the first', { result: { first: RESULT.first.slice(1) } }, /result\.first is at/],
  ];
  for (const [name, changes, pattern] of wrong)
    it(`names ${name}`, () =>
      assert.ok(
        findings(changes).some((text) => pattern.test(text)),
        findings(changes).join('\n'),
      ));
});

describe('the reader of differences', () => {
  it('reads selectors with plain and with quoted names', () => {
    assert.deepEqual(parseSelector('up'), [['__name__', 'up']]);
    assert.deepEqual(parseSelector('up{job="a",b="c{}=,"}'), [
      ['__name__', 'up'],
      ['b', 'c{}=,'],
      ['job', 'a'],
    ]);
    assert.deepEqual(parseSelector('{"my.metric", "größe"="a\\"b\\nc"}'), [
      ['__name__', 'my.metric'],
      ['größe', 'a"b\nc'],
    ]);
    assert.deepEqual(parseSelector('{__name__="up"}'), [['__name__', 'up']]);
    for (const text of ['up{', 'up{a=}', 'up{a="b"} x', 'up{a="b" c="d"}'])
      assert.throws(() => parseSelector(text), text);
  });

  it('reads values to the last bit', () => {
    assert.equal(bitsOfText('0.1'), bitsOf(0.1));
    assert.equal(bitsOfText('-0'), bitsOf(-0));
    assert.equal(bitsOfText('+Inf'), bitsOf(Number.POSITIVE_INFINITY));
    assert.equal(bitsOfText('-Infinity'), bitsOf(Number.NEGATIVE_INFINITY));
    assert.equal(bitsOfText('stale marker'), STALE_MARKER);
    assert.equal(bitsOfText('NaN 0xfff800000000002a'), 0xfff800000000002an);
    assert.equal(bitsOfText('{count:3}'), undefined);
  });

  it('accepts no line that is not as documented', () => {
    assert.throws(() => parseDifference('{"labels":"up","timestampMs":1,"kind":"lost"}'));
    assert.throws(() => parseDifference('{"labels":"up","timestampMs":1.5,"kind":"missing"}'));
    assert.throws(() => parseDifference('{"labels":"up","timestampMs":1,"kind":"missing","what":1}'));
  });
});

describe('the planter', () => {
  const data = makeDataSet({ size: 'small', shape: 'plain', store: 'prometheus' });
  const kinds = FAULT_KINDS.filter((kind) => kind !== 'sample-doubled');

  for (const seed of [1, 2, 3]) {
    it(`plants exactly what it says: seed ${seed}`, () => {
      const { startMs, endMs, wanted } = data;
      const planter = new Planter(
        { set: wanted, keeping: KEEPS_EVERYTHING, alterBy: 0, startMs, endMs },
        drawFor('test', seed),
      );
      for (const kind of [...kinds, ...kinds, ...kinds]) assert.ok(planter.plant(kind).truths.length > 0, kind);
      const truths = planter.planted.flatMap((fault) => fault.truths);
      assert.equal(
        new Set(truths.map(({ labels, timeMs }) => `${timeMs} ${labelText(labels)}`)).size,
        truths.length,
        'each sample once',
      );

      const edited = planter.edited();
      const changed: SeriesSet = new Map(wanted);
      for (const series of edited) changed.set(labelText(series.series.labels), changedSeries(series));
      const count = (kind: Truth['kind']) => truths.filter((one) => one.kind === kind).length;
      assert.equal(countSamples(changed) - countSamples(wanted), count('extra') - count('missing'));
      for (const { labels, timeMs, kind, destination } of truths) {
        const series = changed.get(labelText(labels));
        const floatAt = series?.timesMs.indexOf(timeMs) ?? -1;
        const histogramAt = series?.histogramTimesMs.indexOf(timeMs) ?? -1;
        const value = floatAt >= 0 ? series?.bits[floatAt] : series?.histograms[histogramAt];
        assert.equal(value, kind === 'missing' ? undefined : destination, `${kind} ${labelText(labels)} ${timeMs}`);
        assert.ok(timeMs >= startMs && timeMs < endMs, 'inside the range');
      }
      // Deletions and writes alone lead to the same content.
      const { deletions, writes } = alterationOf(edited, KEEPS_EVERYTHING);
      assert.ok(
        deletions.some(({ range }) => range !== undefined) && deletions.some(({ range }) => range === undefined),
      );
      assert.ok(writes.size > 0);
    });
  }
});
