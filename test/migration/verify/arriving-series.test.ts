import assert from 'node:assert/strict';
import { outlineOf } from '../../../src/migration/read/outline.ts';
import { SeriesRouter } from '../../../src/migration/series/series-router.ts';
import { ArrivingSeries, SeriesInPieces } from '../../../src/migration/verify/arriving-series.ts';
import { EXACT } from '../../../src/migration/verify/destination-reader.ts';
import { StoredSeries } from '../../../src/migration/decoded/stored-series.ts';
import { hashLabels } from '../../../src/wire/label-hash.ts';
import { encodeLabels } from '../../../src/wire/labels.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';

type Samples = readonly (readonly [timeMs: number, value: number])[];

const grow = () => Promise.resolve();
const labelsOf = (name: string) => encodeLabels([['__name__', name]]);

function columnsOf(samples: Samples): SampleColumns {
  const columns = new SampleColumns();
  for (const [timeMs, value] of samples) columns.addNumber(timeMs, value);
  return columns;
}

/** @param responses what the source has, a response for each selector */
async function arriving(
  responses: readonly Readonly<Record<string, Samples>>[],
  options: { only?: (hash: number) => boolean; externalLabels?: Record<string, string> } = {},
) {
  const { only, externalLabels = {} } = options;
  const router = new SeriesRouter({ relabelings: [], externalLabels }, 1024);
  const cursors: StoredSeries[] = [];
  for (const response of responses) {
    const cursor = new StoredSeries(grow);
    for (const [name, samples] of Object.entries(response)) await cursor.add(labelsOf(name), columnsOf(samples));
    cursors.push(cursor);
  }
  const reservation = { grow, shrink: () => undefined };
  const signal = new AbortController().signal;
  const outline = await outlineOf(cursors, { router, uncertain: false, reservation, signal });
  const series = new ArrivingSeries({
    source: { cursors, outline, fromMs: 0, toMs: 100, samplesOnly: false },
    router,
    writtenLabels: (shown) => shown,
    countsExtra: true,
    showsCopies: false,
    only: { has: only },
  });
  await series.prepare(grow);
  series.begin({ lens: EXACT, countsRepeats: true });
  const take = (name: string, samples: Samples) => series.take(labelsOf(name), columnsOf(samples));
  return { series, take, begin: () => series.begin({ lens: EXACT, countsRepeats: true }) };
}

describe('ArrivingSeries', () => {
  it('counts a series that is the same on both sides, and does not keep it', async () => {
    const { series, take } = await arriving([
      {
        a: [[1, 1]],
        b: [
          [1, 2],
          [2, 3],
        ],
      },
    ]);
    assert.equal(
      take('b', [
        [1, 2],
        [2, 3],
      ]),
      true,
    );
    assert.deepEqual([series.isCounted(0), series.isCounted(1)], [false, true]);
    const { seriesCompared, samplesCompared, equal, missing } = series.counts;
    assert.deepEqual([seriesCompared, samplesCompared, equal, missing], [1, 2, 2, 0]);
  });

  for (const [name, samples] of Object.entries<Samples>({
    'a missing sample': [[1, 2]],
    'a different value': [
      [1, 2],
      [2, 4],
    ],
    'an additional sample': [
      [1, 2],
      [2, 3],
      [3, 4],
    ],
    'a repeated sample': [
      [1, 2],
      [1, 2],
      [2, 3],
    ],
  })) {
    it(`leaves a series with ${name} to the comparison of the whole part`, async () => {
      const { series, take } = await arriving([
        {
          a: [
            [1, 2],
            [2, 3],
          ],
        },
      ]);
      assert.equal(take('a', samples), false);
      assert.equal(series.isCounted(0), false);
      assert.equal(series.counts.samplesCompared, 0);
    });
  }

  it('leaves a series that the source does not have', async () => {
    const { take } = await arriving([{ a: [[1, 2]] }]);
    assert.equal(take('b', [[1, 2]]), false);
  });

  it('finds series by the labels that they are written with', async () => {
    const { series } = await arriving([{ a: [[1, 2]] }], { externalLabels: { site: 'x' } });
    const written = encodeLabels([
      ['__name__', 'a'],
      ['site', 'x'],
    ]);
    assert.equal(series.take(written, columnsOf([[1, 2]])), true);
    assert.equal(series.take(labelsOf('a'), columnsOf([[1, 2]])), false);
  });

  it('leaves a series that several responses of the source have', async () => {
    const { series, take } = await arriving([{ a: [[1, 2]] }, { a: [[1, 2]] }]);
    assert.equal(take('a', [[1, 2]]), false);
    assert.equal(series.counts.samplesCompared, 0);
  });

  it('counts a series once that several responses of the destination have', async () => {
    const { series, take, begin } = await arriving([{ a: [[1, 2]], b: [[1, 2]] }]);
    assert.equal(take('a', [[1, 2]]), true);
    assert.equal(take('b', [[1, 5]]), false);
    begin();
    assert.equal(take('a', [[1, 2]]), true);
    assert.equal(take('b', [[1, 2]]), false);
    assert.equal(series.counts.samplesCompared, 1);
  });

  it('leaves a series that arrives in pieces, and asks for another read if a piece was counted', async () => {
    const { take } = await arriving([
      {
        a: [
          [1, 2],
          [2, 3],
        ],
        b: [[1, 2]],
      },
    ]);
    assert.equal(take('b', [[1, 2]]), true);
    assert.throws(() => take('b', [[1, 2]]), SeriesInPieces);
    const { take: takePiece } = await arriving([
      {
        a: [
          [1, 2],
          [2, 3],
        ],
      },
    ]);
    assert.equal(takePiece('a', [[1, 2]]), false);
    assert.equal(takePiece('a', [[2, 3]]), false);
  });

  it('waits for the end of the response where a block has nothing of the first or the last samples', async () => {
    const { series } = await arriving([
      {
        a: [
          [1, 2],
          [2, 3],
          [3, Number.NaN],
        ],
      },
    ]);
    series.begin({ lens: { ...EXACT, victoriaMetrics: true }, countsRepeats: true });
    const block = columnsOf([
      [1, 2],
      [2, 3],
    ]);
    // The rest of it may be in another block.
    assert.equal(series.take(labelsOf('a'), block, true), false);
    assert.equal(series.areAllCounted, false);
    // There is none: VictoriaMetrics stores no NaN.
    assert.equal(series.take(labelsOf('a'), block), true);
    assert.deepEqual(series.counts.expected, { victoriametrics_nan: 1 });
    assert.equal(series.counts.samplesCompared, 3);
  });

  it('uses the hash of the shown labels if it is known', async () => {
    const { series } = await arriving([{ a: [[1, 2]] }]);
    const labels = labelsOf('a');
    assert.equal(series.take(labels, columnsOf([[1, 2]]), true, hashLabels(labels) + 1), false);
    assert.equal(series.take(labels, columnsOf([[1, 2]]), true, hashLabels(labels)), true);
  });

  it('neither counts nor keeps a series that is not selected', async () => {
    const { series, take } = await arriving([{ a: [[1, 2]] }], { only: () => false });
    assert.equal(take('a', [[1, 3]]), true);
    assert.equal(series.counts.samplesCompared, 0);
    assert.equal(series.isCounted(0), false);
  });
});
