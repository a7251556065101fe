import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Spans } from '../../../src/cli/report/spans.ts';

const MINUTE_MS = 60_000;

/** Windows of a minute, one after the other, with that many samples each. */
function spansOf(samples: readonly number[]): Spans {
  const spans = new Spans();
  samples.forEach((samplesRead, index) => {
    spans.add({
      fromMs: index * MINUTE_MS,
      toMs: (index + 1) * MINUTE_MS,
      samplesRead,
      samplesWritten: samplesRead,
    });
  });
  return spans;
}

const minutesOf = ({ fromMs, toMs }: { fromMs: number; toMs: number }) => [fromMs / MINUTE_MS, toMs / MINUTE_MS];

describe('the spans of a report', () => {
  it('are the windows while there are few', () => {
    const { all, gaps } = spansOf([5, 0, 7]);
    assert.deepEqual(
      all.map((span) => [...minutesOf(span), span.samplesRead, span.windows]),
      [
        [0, 1, 5, 1],
        [1, 2, 0, 1],
        [2, 3, 7, 1],
      ],
    );
    assert.deepEqual([gaps.count, gaps.totalMs, gaps.longest.map(minutesOf)], [1, MINUTE_MS, [[1, 2]]]);
  });

  it('have exact sums, touch each other and are bounded, however many windows there are', () => {
    const windows = fc.array(fc.oneof(fc.constant(0), fc.nat(1_000_000)), {
      minLength: 1,
      maxLength: 5_000,
      size: 'max',
    });
    fc.assert(
      fc.property(windows, (samples) => {
        const { all, gaps } = spansOf(samples);
        assert.ok(all.length <= 480);
        assert.equal(
          all.reduce((sum, span) => sum + span.samplesRead, 0),
          samples.reduce((sum, count) => sum + count, 0),
        );
        assert.equal(
          all.reduce((sum, span) => sum + span.windows, 0),
          samples.length,
        );
        assert.equal(all[0]?.fromMs, 0);
        assert.equal(all.at(-1)?.toMs, samples.length * MINUTE_MS);
        assert.deepEqual(
          all.slice(1).map(({ fromMs }) => fromMs),
          all.slice(0, -1).map(({ toMs }) => toMs),
        );
        assert.equal(gaps.totalMs, samples.filter((count) => count === 0).length * MINUTE_MS);
        assert.equal(gaps.count, samples.filter((count, index) => count === 0 && samples[index - 1] !== 0).length);
        assert.ok(gaps.longest.length <= 10);
      }),
      { numRuns: 60 },
    );
  });

  it('keep a short gap visible among a hundred thousand windows', () => {
    const samples = Array.from({ length: 100_000 }, (_, index) => (index === 70_001 ? 0 : 3));
    const { all, gaps } = spansOf(samples);
    assert.deepEqual(all.filter(({ samplesRead }) => samplesRead === 0).map(minutesOf), [[70_001, 70_002]]);
    assert.deepEqual(gaps.longest.map(minutesOf), [[70_001, 70_002]]);
  });

  it('join the windows of one gap, and list the longest first, the open one included', () => {
    const { gaps } = spansOf([0, 1, 0, 0, 0, 1, 0, 0]);
    assert.deepEqual(gaps.longest.map(minutesOf), [
      [2, 5],
      [6, 8],
      [0, 1],
    ]);
    assert.equal(gaps.count, 3);
  });

  /** Windows of a minute with these samples, finished in the order of `at`. */
  function finishedInOrder(samples: readonly number[], at: readonly number[]): Spans {
    const spans = new Spans();
    for (const index of at) {
      const samplesRead = samples[index] ?? 0;
      const [fromMs, toMs] = [index * MINUTE_MS, (index + 1) * MINUTE_MS];
      spans.add({ fromMs, toMs, samplesRead, samplesWritten: samplesRead });
    }
    return spans;
  }

  it('are the same, with the same gaps, in whatever order few windows finish', () => {
    const windows = fc
      .array(fc.oneof(fc.constant(0), fc.nat(9)), { minLength: 1, maxLength: 40 })
      .chain((samples) => fc.tuple(fc.constant(samples), fc.shuffledSubarray([...samples.keys()])));
    fc.assert(
      fc.property(windows, ([samples, order]) => {
        const shuffled = finishedInOrder(samples, order);
        const ordered = finishedInOrder(
          samples,
          [...order].sort((a, b) => a - b),
        );
        assert.deepEqual(shuffled.all, ordered.all);
        assert.deepEqual(shuffled.gaps, ordered.gaps);
      }),
      { numRuns: 500 },
    );
  });

  it('keep sums, borders and holes of stretches that are copied at the same time', () => {
    // Eight stretches of 1,000 windows; the last one is not begun, and the others are at different places.
    const samples = Array.from({ length: 8_000 }, (_, index) => (index % 1_000 === 500 ? 0 : 1 + (index % 7)));
    const order: number[] = [];
    for (let window = 0; window < 1_000; window++) {
      for (let stretch = 0; stretch < 7; stretch++) {
        if (window < 1_000 - stretch * 100) order.push(stretch * 1_000 + window);
      }
    }
    const { all, gaps } = finishedInOrder(samples, order);
    assert.ok(all.length <= 480);
    assert.equal(
      all.reduce((sum, { windows }) => sum + windows, 0),
      order.length,
    );
    assert.equal(
      all.reduce((sum, { samplesRead }) => sum + samplesRead, 0),
      order.reduce((sum, index) => sum + (samples[index] ?? 0), 0),
    );
    for (const { fromMs, toMs, windows } of all) assert.equal(toMs - fromMs, windows * MINUTE_MS, 'no hole is covered');
    const holes = all
      .slice(1)
      .flatMap(({ fromMs }, index) => (all[index]?.toMs === fromMs ? [] : [fromMs / MINUTE_MS]));
    assert.deepEqual(holes, [2_000, 3_000, 4_000, 5_000, 6_000]);
    assert.deepEqual([gaps.count, gaps.totalMs], [5, 5 * MINUTE_MS]);
    assert.deepEqual(
      gaps.longest.map(minutesOf),
      [500, 1_500, 2_500, 3_500, 4_500].map((from) => [from, from + 1]),
    );
  });

  it('are no more than the stretches under way where those are more than the maximum', () => {
    const spans = new Spans();
    for (let window = 0; window < 3; window++) {
      for (let stretch = 0; stretch < 1_000; stretch++) {
        const fromMs = (stretch * 10 + window) * MINUTE_MS;
        spans.add({ fromMs, toMs: fromMs + MINUTE_MS, samplesRead: 1, samplesWritten: 1 });
      }
    }
    assert.ok(spans.all.length <= 2_000, `${spans.all.length}`);
    assert.equal(
      spans.all.reduce((sum, { windows }) => sum + windows, 0),
      3_000,
    );
  });
});
