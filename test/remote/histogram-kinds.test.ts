import assert from 'node:assert/strict';
import { HistogramKinds } from '../../src/remote/histogram-kinds.ts';

const proven = (kind: 'custom' | 'exponential', isWorthKnowing = true) => ({
  proven: kind,
  isWorthKnowing,
  assumed: 0,
});

describe('the kinds of histograms', () => {
  it('are known of each series by its labels', () => {
    const kinds = new HistogramKinds();
    kinds.learn({ a: '1' }, proven('custom'));
    kinds.learn({ a: '2' }, proven('exponential'));
    kinds.learn({ a: '3' }, proven('custom', false));
    assert.deepEqual(
      ['1', '2', '3', '4'].map((a) => kinds.of({ a })),
      ['custom', 'exponential', undefined, undefined],
    );
    kinds.learn({ a: '1' }, proven('exponential'));
    assert.equal(kinds.of({ a: '1' }), 'exponential');
  });

  it('are forgotten of those series first that were not used for the longest time', () => {
    const kinds = new HistogramKinds();
    for (let i = 0; i < 10_000; i++) kinds.learn({ i: String(i) }, proven('custom'));
    assert.equal(kinds.of({ i: '0' }), 'custom');
    kinds.learn({ i: 'more' }, proven('custom'));
    assert.deepEqual(
      ['0', '1', '2', 'more'].map((i) => kinds.of({ i })),
      ['custom', undefined, 'custom', 'custom'],
    );
  });

  it('count what was assumed, with the first series', () => {
    const kinds = new HistogramKinds();
    assert.equal(kinds.takeAssumed(), undefined);
    kinds.learn({ a: '1' }, { proven: undefined, isWorthKnowing: false, assumed: 2 });
    kinds.learn({ a: '2' }, { proven: undefined, isWorthKnowing: false, assumed: 3 });
    assert.deepEqual(kinds.takeAssumed(), { histograms: 5, metric: { a: '1' } });
    assert.equal(kinds.takeAssumed(), undefined);
  });
});
