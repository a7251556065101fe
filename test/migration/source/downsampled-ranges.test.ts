import assert from 'node:assert/strict';
import type { MigrationEvent } from '../../../src/migration/report/observer.ts';
import { DownsampledRanges } from '../../../src/migration/source/downsampled-ranges.ts';

const DAY_MS = 86_400_000;
const at = (day: number) => day * DAY_MS;
const dayOf = (day: number) => new Date(at(day)).toISOString();

/** The ranges that are reported, in days. */
function reported(act: (ranges: DownsampledRanges) => void): string[] {
  const events: MigrationEvent[] = [];
  act(new DownsampledRanges({ event: (event) => events.push(event) }));
  return events.map((event) => {
    assert.ok(event.type === 'warning' && event.code === 'only-downsampled');
    return /^from (\S+) to (\S+),/.exec(event.message)?.slice(1).join(' ') ?? event.message;
  });
}

describe('ranges with only downsampled blocks', () => {
  it('are reported when found, when doubled, and at the end as a whole', () => {
    const reports = reported((ranges) => {
      for (let day = 0; day < 10; day++) ranges.add({ fromMs: at(day), toMs: at(day + 1) });
      ranges.end();
    });
    assert.deepEqual(
      reports,
      [1, 2, 4, 8, 10].map((days) => `${dayOf(0)} ${dayOf(days)}`),
    );
  });

  it('are reported once, however often a window is read', () => {
    const range = { fromMs: at(3), toMs: at(5) };
    const again = (ranges: DownsampledRanges) => {
      for (let i = 0; i < 3; i++) ranges.add(range);
      ranges.add({ fromMs: at(4), toMs: at(5) });
      ranges.end();
    };
    assert.deepEqual(reported(again), [`${dayOf(3)} ${dayOf(5)}`]);
  });

  it('are joined where they touch, in any order, and separate where they do not', () => {
    const reports = reported((ranges) => {
      ranges.add({ fromMs: at(0), toMs: at(1) });
      ranges.add({ fromMs: at(2), toMs: at(3) });
      ranges.add({ fromMs: at(1), toMs: at(2) });
      ranges.end();
    });
    assert.deepEqual(reports, [`${dayOf(0)} ${dayOf(1)}`, `${dayOf(2)} ${dayOf(3)}`, `${dayOf(0)} ${dayOf(3)}`]);
  });

  it('are not reported at all if there are none', () => {
    assert.deepEqual(
      reported((ranges) => ranges.end()),
      [],
    );
  });
});
