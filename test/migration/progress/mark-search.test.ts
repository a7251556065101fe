import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type FoundMark, findLatestMark } from '../../../src/migration/progress/mark-search.ts';
import { dayMs, epochMs, hourMs, minuteMs } from '../support/plan.ts';

/** Marks before `toMs`; at most `maxAtOnce` can be read at once. */
class FakeMarks {
  readonly starts: number[] = [];
  readonly #times: readonly number[];
  readonly #toMs: number;
  readonly #maxAtOnce: number;

  constructor(times: readonly number[], toMs: number, maxAtOnce = Number.POSITIVE_INFINITY) {
    this.#times = times;
    this.#toMs = toMs;
    this.#maxAtOnce = maxAtOnce;
  }

  readonly look = (startMs: number): Promise<FoundMark> => {
    this.starts.push(startMs);
    const found = this.#times.filter((timeMs) => timeMs >= startMs && timeMs < this.#toMs);
    if (found.length > this.#maxAtOnce) return Promise.resolve('too-many');
    if (found.length === 0) return Promise.resolve(undefined);
    return Promise.resolve({
      shard: '0',
      throughMs: Math.max(...found),
      samples: 1,
      endMs: undefined,
      counts: undefined,
    });
  };
}

function timeOf(found: FoundMark): number | undefined {
  assert.notEqual(found, 'too-many');
  return found === 'too-many' ? undefined : found?.throughMs;
}

describe('looking for the latest mark', () => {
  it('finds the latest mark within the range wherever it is, however few can be read at once, and none outside', async () => {
    const time = fc.integer({ min: -100, max: 100 }).map((hours) => hours * hourMs);
    const distinct = fc.uniqueArray(time);
    await fc.assert(
      fc.asyncProperty(distinct, time, time, fc.integer({ min: 1, max: 5 }), async (times, fromMs, toMs, maxAtOnce) => {
        const marks = new FakeMarks(times, toMs, maxAtOnce);
        const found = await findLatestMark(marks.look, fromMs, toMs);
        const within = times.filter((timeMs) => timeMs >= fromMs && timeMs < toMs);
        assert.equal(timeOf(found), within.length === 0 ? undefined : Math.max(...within));
      }),
    );
  });

  it('sends a few requests only for many years, each further back', async () => {
    const marks = new FakeMarks([], epochMs);
    assert.equal(await findLatestMark(marks.look, epochMs - 10 * 365 * dayMs, epochMs), undefined);
    assert.deepEqual(
      marks.starts,
      [...marks.starts].sort((a, b) => b - a),
    );
    assert.equal(marks.starts.at(-1), epochMs - 10 * 365 * dayMs);
    assert.ok(marks.starts.length < 20, `${marks.starts.length} queries`);
  });

  it('reads only the latest hour when the mark is there', async () => {
    const marks = new FakeMarks([epochMs - minuteMs, epochMs - dayMs], epochMs);
    await findLatestMark(marks.look, epochMs - 365 * dayMs, epochMs);
    assert.deepEqual(marks.starts, [epochMs - hourMs]);
  });

  it('reports when not even one mark can be read', async () => {
    const marks = new FakeMarks([epochMs - dayMs], epochMs, 0);
    assert.equal(await findLatestMark(marks.look, epochMs - 2 * dayMs, epochMs), 'too-many');
  });
});
