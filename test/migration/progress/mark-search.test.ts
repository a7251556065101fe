import assert from 'node:assert/strict';
import fc from 'fast-check';
import { findLatestMark } from '../../../src/migration/progress/mark-search.ts';
import type { Mark } from '../../../src/migration/progress/progress-mark.ts';
import { dayMs, epochMs, hourMs, minuteMs } from '../support/plan.ts';

class FakeMarks {
  readonly asked: [fromMs: number, toMs: number][] = [];
  readonly #times: readonly number[];

  constructor(times: readonly number[]) {
    this.#times = times;
  }

  readonly latest = (fromMs: number, toMs: number): Promise<Mark | undefined> => {
    this.asked.push([fromMs, toMs]);
    const found = this.#times.filter((timeMs) => timeMs >= fromMs && timeMs < toMs);
    return Promise.resolve(
      found.length === 0
        ? undefined
        : { throughMs: Math.max(...found), samples: 1, endMs: undefined, counts: undefined },
    );
  };
}

describe('looking for the latest mark', () => {
  it('finds the latest within the range wherever it is, and nothing outside', async () => {
    const time = fc.integer({ min: -100, max: 100 }).map((hours) => hours * hourMs);
    await fc.assert(
      fc.asyncProperty(fc.array(time), time, time, async (times, fromMs, toMs) => {
        const mark = await findLatestMark(new FakeMarks(times).latest, fromMs, toMs);
        const within = times.filter((timeMs) => timeMs >= fromMs && timeMs < toMs);
        assert.equal(mark?.throughMs, within.length === 0 ? undefined : Math.max(...within));
      }),
    );
  });

  it('asks for stretches that join, few of them for many years', async () => {
    const marks = new FakeMarks([]);
    await findLatestMark(marks.latest, epochMs - 10 * 365 * dayMs, epochMs);
    let endMs = epochMs;
    for (const [fromMs, toMs] of marks.asked) {
      assert.equal(toMs, endMs);
      endMs = fromMs;
    }
    assert.equal(endMs, epochMs - 10 * 365 * dayMs);
    assert.ok(marks.asked.length < 20, `${marks.asked.length} questions`);
  });

  it('reads only the youngest hour when the mark is there', async () => {
    const marks = new FakeMarks([epochMs - minuteMs, epochMs - dayMs]);
    await findLatestMark(marks.latest, epochMs - 365 * dayMs, epochMs);
    assert.deepEqual(marks.asked, [[epochMs - hourMs, epochMs]]);
  });
});
