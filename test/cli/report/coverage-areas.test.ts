import assert from 'node:assert/strict';
import { areasOf } from '../../../src/cli/report/page/coverage-areas.ts';
import { completed, endMs, someRecord, someSpans, startMs } from './some-report.ts';

const HOUR_MS = 3_600_000;

type Hours = readonly [from: number, to: number];

const at = ([from, to]: Hours) => ({ fromMs: startMs + from * HOUR_MS, toMs: startMs + to * HOUR_MS });

/** Of a day: what remained at the start, if it was divided, and in which hours this run finished windows. */
function areas(
  remaining: readonly Hours[] | undefined,
  hours: readonly number[],
  changes: Parameters<typeof completed>[0] = {},
) {
  const spans = someSpans().filter((_, hour) => hours.includes(hour));
  const division = remaining && { lengthMs: 2 * HOUR_MS, mostRunning: 2, remaining: remaining.map(at) };
  const { earlier, left } = areasOf({ progress: completed(changes), record: someRecord({ spans, division }) });
  const shown = ({ fromMs, toMs }: { fromMs: number; toMs: number }) => [
    (fromMs - startMs) / HOUR_MS,
    (toMs - startMs) / HOUR_MS,
  ];
  return { earlier: earlier.map(shown), left: left.map(shown) };
}

const everyHour = Array.from({ length: 24 }, (_, hour) => hour);

describe('the areas of the coverage', () => {
  it('are before the resume point and after the watermark if the range is not divided', () => {
    const resumed = { resumedFromMs: startMs + 6 * HOUR_MS, watermarkMs: startMs + 20 * HOUR_MS };
    assert.deepEqual(areas(undefined, everyHour.slice(6, 20), resumed), { earlier: [[0, 6]], left: [[20, 24]] });
    assert.deepEqual(areas(undefined, everyHour), { earlier: [], left: [] });
    assert.deepEqual(areas(undefined, [], { watermarkMs: startMs }), { earlier: [], left: [[0, 24]] });
    assert.deepEqual(areas(undefined, [], { resumedFromMs: endMs + 1 }), { earlier: [[0, 24]], left: [] });
  });

  it('are anywhere if it is divided', () => {
    assert.deepEqual(areas([[0, 24]], everyHour), { earlier: [], left: [] });
    assert.deepEqual(areas([[0, 24]], [0, 1, 4, 22, 23], { watermarkMs: startMs + 2 * HOUR_MS }), {
      earlier: [],
      left: [
        [2, 4],
        [5, 22],
      ],
    });
    const rest: Hours[] = [
      [3, 6],
      [10, 12],
      [20, 21],
    ];
    assert.deepEqual(areas(rest, [3, 4, 11], { watermarkMs: startMs + 5 * HOUR_MS }), {
      earlier: [
        [0, 3],
        [6, 10],
        [12, 20],
        [21, 24],
      ],
      left: [
        [5, 6],
        [10, 11],
        [20, 21],
      ],
    });
  });

  it('do not count windows of this run, from before it was divided, as those of an earlier run', () => {
    assert.deepEqual(areas([[4, 24]], [2, 3, 4]), { earlier: [[0, 2]], left: [[5, 24]] });
  });
});
