import assert from 'node:assert/strict';
import fc from 'fast-check';
import { STRETCH_UNIT_MS } from '../../../src/api/stretch-count.ts';
import {
  comparedLengthMs,
  divide,
  type DivisionOptions,
  remainingOf,
  type ShardReach,
  shardOf,
  startOfShard,
  stretchLengthMs,
} from '../../../src/migration/plan/stretches.ts';

const hourMs = 3_600_000;
const epochMs = Date.UTC(2024, 0, 1);
const at = (hours: number) => epochMs + hours * hourMs;
const range = { startMs: at(1), endMs: at(9) };

function divided(marks: readonly ShardReach[], changes: Partial<DivisionOptions> = {}) {
  const options = { range, lengthMs: 2 * hourMs, marks, uncertainMs: hourMs, startMayHoldSamples: false, ...changes };
  const { stretches, finished } = divide(options);
  const shown = stretches.map(({ shard, startMs, fromMs, endMs, mayHoldSamples }) => {
    const hours = [startMs, fromMs, endMs].map((timeMs) => (timeMs - epochMs) / hourMs);
    return `${shard === '0' ? '0' : shard.slice(11, 16)} ${hours.join(' ')}${mayHoldSamples ? ' ?' : ''}`;
  });
  return { shown, finished };
}

const mark = (shard: string, hours: number): ShardReach => ({ shard, throughMs: at(hours) - 1 });
const begun = (hours: number) => mark(new Date(at(hours)).toISOString(), hours);

describe('the stretches of a migration', () => {
  it('leave ranges to copy that are joined where they touch', () => {
    const marks = [mark('0', 1.5), begun(2), mark(new Date(at(4)).toISOString(), 5)];
    const options = { range, lengthMs: 2 * hourMs, uncertainMs: 0, startMayHoldSamples: false };
    const rest = (of: readonly ShardReach[]) =>
      remainingOf(divide({ ...options, marks: of }).stretches).map(({ startMs, endMs }) =>
        [startMs, endMs].map((timeMs) => (timeMs - epochMs) / hourMs),
      );
    assert.deepEqual(rest([]), [[1, 9]]);
    assert.deepEqual(rest(marks), [
      [1.5, 4],
      [5, 9],
    ]);
    assert.deepEqual(rest([mark('0', 9)]), []);
  });

  it('end at the full multiples of their length, and are named by their start', () => {
    const { shown, finished } = divided([]);
    assert.deepEqual(shown, ['0 1 1 2', '02:00 2 2 4', '04:00 4 4 6', '06:00 6 6 8', '08:00 8 8 9']);
    assert.equal(finished, 0);
  });

  it('omit what marks cover, and resume behind a mark', () => {
    const { shown, finished } = divided([mark('0', 2), mark(new Date(at(2)).toISOString(), 3.5), begun(6)]);
    assert.deepEqual(shown, ['02:00 2 3.5 4 ?', '04:00 4 4 6 ?', '06:00 6 6 8 ?', '08:00 8 8 9']);
    assert.equal(finished, 1);
  });

  it('resume a migration that was not divided, with other marks behind', () => {
    assert.deepEqual(divided([mark('0', 5)]).shown, ['0 1 5 6 ?', '06:00 6 6 8', '08:00 8 8 9']);
    assert.deepEqual(divided([mark('0', 9)]), { shown: [], finished: 5 });
  });

  it('resume stretches of another length, each from its own mark', () => {
    const marks = [mark('0', 3), mark(new Date(at(4)).toISOString(), 5)];
    const { shown, finished } = divided(marks, { lengthMs: 8 * hourMs, uncertainMs: hourMs / 2 });
    assert.deepEqual(shown, ['0 1 3 4 ?', '04:00 4 5 8 ?', '08:00 8 8 9']);
    assert.equal(finished, 0);
  });

  it('continue the later shard where two reach to the same place', () => {
    assert.deepEqual(divided([mark('0', 4), begun(4)]).shown[0], '04:00 4 4 6 ?');
  });

  it('may hold samples behind the start if a run without a mark may have written there', () => {
    const { shown } = divided([], { startMayHoldSamples: true, uncertainMs: 3 * hourMs });
    assert.deepEqual(shown, ['0 1 1 2 ?', '02:00 2 2 4 ?', '04:00 4 4 6', '06:00 6 6 8', '08:00 8 8 9']);
  });

  it('keep within a range that has become shorter, and use marks beyond it again if it becomes longer', () => {
    const marks = [mark('0', 9)];
    assert.deepEqual(divided(marks, { range: { startMs: at(1), endMs: at(5) } }), { shown: [], finished: 3 });
    assert.deepEqual(divided(marks, { range: { startMs: at(1), endMs: at(11) } }).shown, [
      '0 1 9 10 ?',
      '10:00 10 10 11',
    ]);
  });

  it('ignore a shard whose name has no meaning', () => {
    assert.deepEqual(divided([mark('blue', 9)]), divided([]));
  });
});

describe('the name of a shard', () => {
  it('is its start, and that of the first is 0', () => {
    for (const startMs of [range.startMs, at(2), at(2) + 1]) {
      assert.equal(startOfShard(shardOf(startMs, range), range), startMs);
    }
    assert.equal(shardOf(range.startMs, range), '0');
    for (const name of ['1', 'probe', '2024-01-01', '2024-01-01T00:00:00Z']) {
      assert.equal(startOfShard(name, range), undefined, name);
    }
  });
});

describe('the length of stretches', () => {
  it('is chosen so that there are at most 256, and keeps its borders when the range grows', () => {
    assert.equal(stretchLengthMs({ startMs: at(0), endMs: at(24) }, undefined), STRETCH_UNIT_MS);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 * 365 * 24 }), fc.integer({ min: 1, max: 1000 }), (hours, more) => {
        const of = (length: number) => stretchLengthMs({ startMs: at(0.5), endMs: at(0.5 + length) }, undefined);
        assert.ok((hours * hourMs) / of(hours) <= 256);
        assert.equal(of(hours + more) % of(hours), 0);
        assert.equal(Math.log2(of(hours) / STRETCH_UNIT_MS) % 1, 0);
      }),
    );
  });

  it('are at most eight for each thread in a verification, with borders that a copy has too, unless their length is given', () => {
    const days = { startMs: at(1), endMs: at(1 + 24 * 30) };
    for (const parallelism of [1, 2, 4, 64]) {
      const lengthMs = comparedLengthMs(days, undefined, parallelism);
      assert.ok(Math.ceil(days.endMs / lengthMs) - Math.floor(days.startMs / lengthMs) <= 8 * parallelism);
      assert.equal(Math.log2(lengthMs / STRETCH_UNIT_MS) % 1, 0);
    }
    assert.equal(comparedLengthMs(days, undefined, 64), stretchLengthMs(days, undefined));
    assert.equal(comparedLengthMs(range, undefined, 1), STRETCH_UNIT_MS);
    assert.equal(comparedLengthMs(days, 6 * hourMs, 1), 6 * hourMs);
  });

  it('is the given one, up to 4096 stretches', () => {
    const years = { startMs: at(0), endMs: at(5 * 365 * 24) };
    assert.equal(stretchLengthMs({ startMs: at(0), endMs: at(24) }, 6 * hourMs), 6 * hourMs);
    assert.throws(() => stretchLengthMs(years, STRETCH_UNIT_MS), {
      code: 'too-many-stretches',
      message: /21900 stretches/,
      hint: /at least 12h/,
    });
    assert.equal(stretchLengthMs(years, 12 * hourMs), 12 * hourMs);
  });
});

/** A destination after some runs: what the marks say, and what is really there. */
interface World {
  readonly marks: Map<string, number>;
  /** By slot of the range: how often its sample was written. */
  readonly written: number[];
}

const SLOTS = 48;
const SLOT_MS = hourMs;
const UNCERTAIN_SLOTS = 4;
const slots = { startMs: at(0), endMs: at(SLOTS) };

/**
 * A run as the engine works: it marks the start of a stretch before it writes, writes at most so far behind the last mark, and compares what
 * may be there already for so far.
 * @param steps for each stretch: how many slots it marks, and how many more it writes
 */
function run(world: World, lengthHours: number, endSlot: number, steps: readonly (readonly [number, number])[]): void {
  const current = { startMs: slots.startMs, endMs: at(endSlot) };
  const marks = [...world.marks].map(([shard, throughMs]) => ({ shard, throughMs }));
  const { stretches } = divide({
    range: current,
    lengthMs: lengthHours * hourMs,
    marks,
    uncertainMs: UNCERTAIN_SLOTS * SLOT_MS,
    startMayHoldSamples: true,
  });
  stretches.forEach((stretch, index) => {
    const [marked, behind] = steps[index % steps.length] ?? [0, 0];
    const fromSlot = (stretch.fromMs - slots.startMs) / SLOT_MS;
    const toSlot = (stretch.endMs - slots.startMs) / SLOT_MS;
    const markedTo = Math.min(fromSlot + marked, toSlot);
    const writtenTo = Math.min(markedTo + Math.min(behind, UNCERTAIN_SLOTS), toSlot);
    if (writtenTo > fromSlot && stretch.startMs !== slots.startMs && !world.marks.has(stretch.shard)) {
      world.marks.set(stretch.shard, stretch.startMs - 1);
    }
    for (let slot = fromSlot; slot < writtenTo; slot++) {
      const isCompared = stretch.mayHoldSamples && slot < fromSlot + UNCERTAIN_SLOTS;
      if (!isCompared || world.written[slot] === 0) world.written[slot] = (world.written[slot] ?? 0) + 1;
    }
    if (markedTo > fromSlot) world.marks.set(stretch.shard, slots.startMs + markedTo * SLOT_MS - 1);
  });
}

describe('runs that are killed and divide the range differently', () => {
  const steps = fc.array(fc.tuple(fc.nat(8), fc.nat(UNCERTAIN_SLOTS)), { minLength: 1, maxLength: 8 });
  const killed = fc.tuple(fc.constantFrom(2, 4, 6, 16, 1000), fc.constantFrom(SLOTS / 2, 31, SLOTS), steps);

  it('write nothing twice, and at last everything', () => {
    fc.assert(
      fc.property(fc.array(killed, { maxLength: 6 }), (runs) => {
        const world: World = { marks: new Map(), written: Array<number>(SLOTS).fill(0) };
        for (const [length, end, of] of runs) run(world, length, end, of);
        run(world, 2, SLOTS, [[SLOTS, 0]]);
        assert.deepEqual(world.written, Array<number>(SLOTS).fill(1));
      }),
      { numRuns: 2000 },
    );
  });
});
