// What a verification expects of a copy that another tool made, if the source is read by queries.
import assert from 'node:assert/strict';
import { compared, type Samples, STALE, staleHistogram } from './compared-samples.ts';

const QUERIED = { queriedSource: true };

describe('a source that is read by queries', () => {
  it('shows every NaN as the same one', () => {
    const payload = 0x7ff8000000000005n;
    assert.deepEqual(compared([[1, Number.NaN]], [[1, payload]], QUERIED).expected, { promql_nan_payloads: 1 });
    assert.deepEqual(compared([[1, Number.NaN]], [[1, payload]]).counts, [0, 0, 0, 1, 0]);
    // What it shows as NaN is no stale marker.
    assert.deepEqual(compared([[1, Number.NaN]], [[1, STALE]], QUERIED).counts, [0, 0, 0, 1, 0]);
    assert.deepEqual(compared([[1, Number.NaN]], [[1, 1]], QUERIED).counts, [0, 0, 0, 1, 0]);
  });

  it('does not show everything of a histogram', () => {
    const shown = { countFloat: 3, sum: 1.5, positiveSpans: [{ length: 1 }], positiveCounts: [3] };
    const stored = { countInt: 3, sum: 1.5, positiveSpans: [{ length: 1 }], positiveDeltas: [3] };
    assert.deepEqual(compared([[1, shown]], [[1, stored]], QUERIED).expected, { promql_histograms: 1 });
    assert.deepEqual(compared([[1, shown]], [[1, stored]]).counts, [0, 0, 0, 1, 0]);
    assert.deepEqual(compared([[1, shown]], [[1, { ...stored, sum: 2 }]], QUERIED).counts, [0, 0, 0, 1, 0]);
  });

  it('shows the buckets that have a count', () => {
    const shown = { countFloat: 5, sum: 1.5, positiveSpans: [{ length: 2 }], positiveCounts: [3, 2] };
    const stored = { countInt: 5, sum: 1.5, positiveSpans: [{ length: 3 }], positiveDeltas: [3, -1, -2] };
    assert.deepEqual(compared([[1, shown]], [[1, stored]], QUERIED).expected, { promql_histograms: 1 });
    const damaged = [
      { ...stored, positiveDeltas: [2, 1, -3] },
      { ...stored, positiveSpans: [{ offset: 1, length: 3 }] },
      { ...stored, positiveSpans: [{ length: 1 }], positiveDeltas: [5] },
      { ...stored, positiveSpans: [{ length: 1 }], positiveDeltas: [3], zeroCountInt: 2 },
    ];
    for (const other of damaged)
      assert.deepEqual(compared([[1, shown]], [[1, other]], QUERIED).counts, [0, 0, 0, 1, 0], JSON.stringify(other));
  });

  it('shows custom buckets by their bounds, of which unused ones may be missing', () => {
    const custom = { schema: -53, countFloat: 3, sum: 1.5 };
    const shown = { ...custom, positiveSpans: [{ length: 1 }], positiveCounts: [3], customValues: [4] };
    const stored = {
      ...custom,
      positiveSpans: [{ offset: 1, length: 1 }],
      positiveCounts: [3],
      customValues: [2, 4, 8],
    };
    assert.deepEqual(compared([[1, shown]], [[1, stored]], QUERIED).expected, { promql_histograms: 1 });
    const other = { ...stored, customValues: [2, 5, 8] };
    assert.deepEqual(compared([[1, shown]], [[1, other]], QUERIED).counts, [0, 0, 0, 1, 0]);
  });

  it('does not show stale markers: those of the destination count as samples of the source', () => {
    const there: Samples = [
      [1, 1],
      [2, STALE],
      [3, staleHistogram()],
      [4, 7],
    ];
    const shown = compared([[1, 1]], there, QUERIED);
    assert.deepEqual(shown.expected, { promql_stale_markers: 2 });
    assert.deepEqual(shown.counts, [1, 0, 1, 0, 0]);
    assert.deepEqual(shown.found, [['extra', 4]]);
    assert.deepEqual(compared([[1, 1]], there).counts, [1, 0, 3, 0, 0]);
  });
});
