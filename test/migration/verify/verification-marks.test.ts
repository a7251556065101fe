import assert from 'node:assert/strict';
import type { MigrationPlan } from '../../../src/migration/plan/migration-plan.ts';
import type { MarkValues } from '../../../src/migration/progress/progress-mark.ts';
import type { MigrationEvent } from '../../../src/migration/report/observer.ts';
import { MigrationError } from '../../../src/migration/report/migration-error.ts';
import { initialVerification } from '../../../src/migration/verify/verification-counts.ts';
import { VerificationMarks } from '../../../src/migration/verify/verification-marks.ts';

const START = 1_000_000;
const END = 2_000_000;

/** A destination that keeps marks by the id of their plan. */
function stage(write: (mark: MarkValues) => boolean = () => true) {
  const kept = new Map<string, MarkValues[]>();
  const events: MigrationEvent[] = [];
  let nowMs = 0;
  const make = () =>
    new VerificationMarks({
      plan: { id: 'copy', verification: { onExtra: 'Report' } } as MigrationPlan,
      access: ({ id }) => ({
        latestMark: async () => {
          const marks = (kept.get(id) ?? []).toSorted((a, b) => b.throughMs - a.throughMs);
          return marks[0] && { ...marks[0], shard: '0', endMs: undefined };
        },
        ledger: async () => [],
        write: async (mark) => {
          const isTaken = write(mark);
          if (isTaken) kept.set(id, [...(kept.get(id) ?? []), mark]);
          return isTaken;
        },
        close: () => undefined,
      }),
      observer: { progress: () => undefined, event: (event) => events.push(event) },
      clock: {
        now: () => nowMs,
        monotonicMs: () => nowMs,
        sleep: (_, signal) => new Promise((resolve) => signal?.addEventListener('abort', () => resolve())),
      },
      signal: new AbortController().signal,
    });
  const advance = (ms: number) => {
    nowMs += ms;
  };
  return { make, kept, events, advance };
}

async function find(marks: VerificationMarks) {
  const found = await marks.find(START, END, new AbortController().signal);
  assert.ok(found !== 'in-stretches');
  return found;
}

function comparedTo(throughMs: number, counts: object = {}) {
  return { ...initialVerification(START, END), throughMs, samplesCompared: 10, equal: 10, ...counts };
}

describe('the marks of a verification', () => {
  it('give back how far it got, with its counts', async () => {
    const { make, advance } = stage();
    const marks = make();
    assert.equal(await find(marks), undefined);
    advance(10_000);
    marks.advanced(
      comparedTo(1_500_000, { samplesCompared: 12, expected: { victoriametrics_nan: 2 }, seriesCompared: 3 }),
    );
    await marks.close();
    const found = await find(make());
    assert.equal(found?.throughMs, 1_500_000);
    const { samplesCompared, equal, seriesCompared, expected, missing } = found.counts;
    assert.deepEqual([samplesCompared, equal, seriesCompared, missing], [12, 10, 3, 0]);
    assert.deepEqual(expected, { victoriametrics_nan: 2 });
  });

  it('are written every ten seconds at most', async () => {
    const { make, advance, kept } = stage();
    const marks = make();
    await find(marks);
    marks.advanced(comparedTo(1_100_000));
    advance(9_999);
    marks.advanced(comparedTo(1_200_000));
    advance(1);
    marks.advanced(comparedTo(1_300_000));
    marks.advanced(comparedTo(1_400_000));
    await marks.close();
    assert.deepEqual(
      [...kept.values()].flat().map(({ throughMs }) => throughMs),
      [1_299_999],
    );
  });

  for (const kind of ['missing', 'different', 'repeated', 'extra']) {
    it(`never pass a difference: ${kind}`, async () => {
      const { make, advance, kept } = stage();
      const marks = make();
      await find(marks);
      advance(10_000);
      marks.advanced(comparedTo(1_300_000, { [kind]: 1 }));
      await marks.close();
      assert.equal(kept.size, 0);
    });
  }

  it('let a new verification begin after a finished one, whatever it has found', async () => {
    const { make, advance } = stage();
    const marks = make();
    await find(marks);
    advance(10_000);
    marks.advanced(comparedTo(1_300_000));
    marks.advanced(comparedTo(END, { samplesCompared: 11, missing: 1 }));
    await marks.close();
    const next = make();
    assert.equal(await find(next), undefined);
    advance(10_000);
    next.advanced(comparedTo(1_600_000));
    await next.close();
    assert.equal((await find(make()))?.throughMs, 1_600_000);
  });

  it('leave nothing behind in a verification that is over before the first one is due', async () => {
    const { make, kept } = stage();
    const marks = make();
    await find(marks);
    marks.advanced(comparedTo(END));
    await marks.close();
    assert.equal(kept.size, 0);
  });

  for (const [name, refuse] of Object.entries({
    rejects: (): boolean => false,
    'refuses writes': (): boolean => {
      throw new MigrationError('mark-rejected', 'forbidden');
    },
  })) {
    it(`are given up, with a warning, when the destination ${name}`, async () => {
      let writes = 0;
      const { make, advance, events } = stage(() => {
        writes++;
        return refuse();
      });
      const marks = make();
      await find(marks);
      for (const throughMs of [1_100_000, 1_200_000, 1_300_000]) {
        advance(10_000);
        marks.advanced(comparedTo(throughMs));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await marks.close();
      assert.equal(writes, 1);
      assert.deepEqual(
        events.map((event) => event.type === 'warning' && event.code),
        ['verification-not-resumable'],
      );
    });
  }
});
