import assert from 'node:assert/strict';
import type { MigrationPlan } from '../../../src/migration/plan/migration-plan.ts';
import type { Mark } from '../../../src/migration/progress/progress-mark.ts';
import { NO_COUNTS } from '../../../src/migration/report/counts.ts';
import { noCounts } from '../../../src/migration/verify/verification-counts.ts';
import { comparedShards, covers, findRun } from '../../../src/migration/verify/verification-runs.ts';

const hourMs = 3_600_000;
const range = { startMs: 0, endMs: 10 * hourMs };

/** The mark of a shard that begins and reaches to these hours. */
function mark(fromHour: number, toHour: number, isClean = true): Mark {
  const counts = { ...NO_COUNTS, samplesRead: toHour - fromHour, samplesWritten: toHour - fromHour, windows: 1 };
  return {
    shard: fromHour === 0 ? '0' : new Date(fromHour * hourMs).toISOString(),
    throughMs: toHour * hourMs - 1,
    samples: 0,
    counts: isClean ? counts : undefined,
    endMs: undefined,
  };
}

function hoursOf(shards: ReturnType<typeof comparedShards>): [from: number, to: number][] {
  return shards.map(({ startMs, throughMs }) => [startMs / hourMs, (throughMs + 1) / hourMs]);
}

describe('what an earlier start of a verification has compared', () => {
  it('is left out by shard, with its counts', () => {
    const shards = comparedShards([mark(4, 6), mark(0, 2)], undefined, range);
    assert.deepEqual(hoursOf(shards), [
      [0, 2],
      [4, 6],
    ]);
    assert.deepEqual(
      shards.map(({ counts }) => [counts.samplesCompared, counts.equal]),
      [
        [2, 2],
        [2, 2],
      ],
    );
  });

  it('never counts twice: of parts that overlap the first one is used', () => {
    assert.deepEqual(hoursOf(comparedShards([mark(0, 5), mark(4, 8), mark(8, 9)], undefined, range)), [
      [0, 5],
      [8, 9],
    ]);
  });

  for (const [what, marks] of Object.entries({
    'a mark without counts, which stands at the end of a verification with differences': [mark(0, 4, false)],
    'a mark behind the end': [mark(6, 11)],
    'a shard that begins behind the end': [mark(12, 13)],
    'a shard with an unknown name': [{ ...mark(2, 4), shard: 'x' }],
  }))
    it(`is not shown by ${what}`, () => {
      assert.deepEqual(hoursOf(comparedShards([...marks, mark(4, 5)], undefined, range)), [[4, 5]]);
    });

  it('may be known without marks, further or not as far as with them', () => {
    const resumed = (hour: number) => ({ throughMs: hour * hourMs, counts: { ...noCounts(), missing: 1 } });
    const shards = comparedShards([mark(0, 2), mark(4, 6), mark(8, 9)], resumed(5), range);
    assert.deepEqual(hoursOf(shards), [
      [0, 5],
      [8, 9],
    ]);
    assert.equal(shards[0]?.counts.missing, 1);
    assert.deepEqual(hoursOf(comparedShards([mark(0, 2)], resumed(1), range)), [[0, 2]]);
  });
});

describe('the run of a verification', () => {
  const plan = { id: 'copy', verification: { onExtra: 'Report' } } as MigrationPlan;

  async function runOf(ledgers: readonly (readonly Mark[])[]): Promise<number> {
    const ids = ledgers.map((_, i) => `copy-verification-Report-${i + 1}`);
    const open = ({ id }: MigrationPlan) => ({
      latestMark: async () => undefined,
      ledger: async () => ledgers[ids.indexOf(id)] ?? [],
      write: async () => true,
      close: () => undefined,
    });
    return (await findRun(plan, open, range, new AbortController().signal)).run;
  }

  it('is the first one whose shards leave something out', async () => {
    assert.equal(await runOf([]), 1);
    assert.equal(
      await runOf([
        [mark(0, 4), mark(4, 10)],
        [mark(0, 10, false), mark(2, 4)],
        [mark(0, 4), mark(5, 10)],
      ]),
      3,
    );
  });

  it('covers the range with or without counts', () => {
    assert.ok(covers([mark(0, 6), mark(5, 10, false)], range));
    assert.ok(!covers([mark(0, 6), mark(7, 10)], range));
  });
});
