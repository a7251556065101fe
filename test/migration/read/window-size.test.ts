import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  FINE_WINDOWS_BEFORE_RETRY,
  firstWindow,
  halve,
  LONGEST_STRIDE_MS,
  mustReread,
  nextWindow,
  type WindowLimits,
  type WindowState,
  windowEndMs,
} from '../../../src/migration/read/window-size.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const limits: WindowLimits = { minMs: SECOND, maxMs: 2 * HOUR, targetSamples: 1_000_000, targetBytes: 32_000_000 };
const budgetBytes = 64_000_000;
const outcome = (samples: number, bytes = samples * 2) => ({ samples, bytes, fixedBytes: 0, budgetBytes });
const at = (lengthMs: number, rest: Partial<WindowState> = {}): WindowState => ({
  lengthMs,
  emptyRun: 0,
  ceilingMs: undefined,
  fineRun: 0,
  isFirst: false,
  ...rest,
});

/** Reads [0, endMs) from a source that has `perMs(t)` samples per millisecond and rejects more than `refusedSamples`. */
function crossing(
  endMs: number,
  windowLimits: WindowLimits,
  samplesIn: (fromMs: number, toMs: number) => number,
  refusedSamples = Number.POSITIVE_INFINITY,
) {
  const reads: { fromMs: number; toMs: number; answer: 'kept' | 'read again' | 'refused' }[] = [];
  let state = firstWindow(windowLimits);
  for (let fromMs = 0; fromMs < endMs; ) {
    const toMs = Math.min(fromMs + state.lengthMs, endMs);
    const samples = samplesIn(fromMs, toMs);
    assert.ok(reads.length < 10_000, 'the end is reached');
    assert.ok(Number.isSafeInteger(state.lengthMs) && state.lengthMs >= windowLimits.minMs);
    if (samples > refusedSamples) {
      reads.push({ fromMs, toMs, answer: 'refused' });
      const smaller = halve(state, windowLimits, toMs - fromMs);
      assert.ok(smaller !== undefined, 'the floor was not needed');
      state = smaller;
      continue;
    }
    const again = mustReread(state, outcome(samples), windowLimits);
    reads.push({ fromMs, toMs, answer: again ? 'read again' : 'kept' });
    state = nextWindow(state, outcome(samples), windowLimits);
    if (!again) fromMs = toMs;
  }
  return reads;
}

describe('window size', () => {
  describe('one step', () => {
    const table: [name: string, state: WindowState, samples: number, bytes: number, nextMs: number][] = [
      ['doubles just under half the target', at(10 * MINUTE), 499_999, 1, 20 * MINUTE],
      ['grows by as many doublings as the target allows', at(10 * MINUTE), 124_999, 1, 80 * MINUTE],
      ['is predicted to reach at most the target', at(10 * MINUTE), 125_000, 1, 40 * MINUTE],
      ['grows by a factor of 32 at most', at(SECOND), 1, 1, 32 * SECOND],
      ['stays the same at exactly half the target', at(10 * MINUTE), 500_000, 1, 10 * MINUTE],
      ['stays the same at exactly the target', at(10 * MINUTE), 1_000_000, 1, 10 * MINUTE],
      ['halves above the target', at(10 * MINUTE), 1_000_001, 1, 5 * MINUTE],
      ['halves when only bytes are above the target', at(10 * MINUTE), 1, 32_000_001, 5 * MINUTE],
      ['stays the same when only bytes are above half the target', at(10 * MINUTE), 1, 16_000_000, 10 * MINUTE],
      ['never exceeds the longest window', at(90 * MINUTE), 1, 1, 2 * HOUR],
      ['stays at the longest window', at(2 * HOUR), 1, 1, 2 * HOUR],
      ['never goes below the minimum', at(1500), 1_000_001, 1, SECOND],
      ['keeps whole milliseconds', at(3 * SECOND + 1), 1_000_001, 1, 1500],
      ['exceeds the longest window over empty stretches', at(2 * HOUR, { emptyRun: 1 }), 0, 0, 4 * HOUR],
      ['does not stride after a single empty window', at(2 * HOUR), 0, 0, 2 * HOUR],
      ['grows an empty window like any other', at(10 * MINUTE), 0, 0, 20 * MINUTE],
      ['strides over thirty days at most', at(20 * DAY, { emptyRun: 9 }), 0, 0, 30 * DAY],
      ['returns to the longest window when data appears', at(20 * DAY, { emptyRun: 9 }), 10, 20, 2 * HOUR],
    ];
    for (const [name, state, samples, bytes, nextMs] of table) {
      it(name, () => {
        const next = nextWindow(state, { samples, bytes, fixedBytes: 0, budgetBytes }, limits);
        assert.equal(next.lengthMs, nextMs);
        assert.equal(next.emptyRun, samples === 0 ? state.emptyRun + 1 : 0);
      });
    }

    it('does not scale labels, which every window has', () => {
      const next = (fixedBytes: number) =>
        nextWindow(at(5 * MINUTE), { samples: 1, bytes: 10_000_000, fixedBytes, budgetBytes }, limits).lengthMs;
      assert.equal(next(0), 15 * MINUTE - 5 * MINUTE);
      assert.equal(next(9_000_000), 80 * MINUTE);
      assert.equal(next(10_000_000), 2 * HOUR);
    });

    it('does not shrink for labels above the target, because a shorter window has as many', () => {
      const next = (bytes: number) =>
        nextWindow(at(10 * MINUTE), { samples: 1, bytes, fixedBytes: 40_000_000, budgetBytes }, limits).lengthMs;
      // A quarter of the budget that remains after the labels is available for the rest.
      assert.equal(next(46_000_000), 10 * MINUTE);
      assert.equal(next(46_000_001), 10 * MINUTE);
      assert.equal(next(79_999_999), 10 * MINUTE);
      assert.equal(next(80_000_001), 5 * MINUTE, 'most of it are samples');
      assert.equal(next(41_000_000), 40 * MINUTE);
    });

    it('uses a budget below the target as the target', () => {
      const next = nextWindow(
        at(10 * MINUTE),
        { samples: 1, bytes: 5_000_001, fixedBytes: 0, budgetBytes: 5_000_000 },
        limits,
      );
      assert.equal(next.lengthMs, 5 * MINUTE);
    });
  });

  describe('the boundary of a block', () => {
    it('ends the window that crosses it', () => {
      assert.equal(windowEndMs(HOUR, at(2 * HOUR), DAY), 2 * HOUR);
      assert.equal(windowEndMs(HOUR, at(10 * HOUR), DAY), 10 * HOUR);
      assert.equal(windowEndMs(2 * HOUR, at(2 * HOUR), DAY), 4 * HOUR);
      assert.equal(windowEndMs(2 * HOUR - 1, at(SECOND), DAY), 2 * HOUR);
      assert.equal(windowEndMs(-3 * HOUR, at(2 * HOUR), DAY), -2 * HOUR);
    });

    it('does not change windows that do not reach it, or that the migration ends before', () => {
      assert.equal(windowEndMs(2 * HOUR, at(30 * MINUTE), DAY), 150 * MINUTE);
      assert.equal(windowEndMs(HOUR, at(2 * HOUR), 90 * MINUTE), 90 * MINUTE);
    });

    it('does not change the length of the next window', () => {
      // A tenth of the length had a tenth of the samples.
      const next = (samples: number) => nextWindow(at(HOUR), outcome(samples), limits, 6 * MINUTE).lengthMs;
      assert.equal(next(60_000), HOUR);
      assert.equal(next(40_000), 2 * HOUR);
      assert.equal(next(110_000), 30 * MINUTE);
      assert.equal(next(1_000_001), 3 * MINUTE);
    });
  });

  describe('first window', () => {
    it('is as long as windows may be', () => {
      assert.equal(firstWindow(limits).lengthMs, 2 * HOUR);
      assert.equal(firstWindow({ ...limits, maxMs: MINUTE }).lengthMs, MINUTE);
    });

    it('is five minutes, within the limits, for SAMPLES, and grows to what they predict', () => {
      const first = firstWindow({ ...limits, startsShort: true });
      assert.equal(first.lengthMs, 5 * MINUTE);
      assert.equal(firstWindow({ ...limits, maxMs: MINUTE, startsShort: true }).lengthMs, MINUTE);
      assert.equal(firstWindow({ ...limits, minMs: HOUR, startsShort: true }).lengthMs, HOUR);
      assert.equal(nextWindow(first, outcome(1000), limits).lengthMs, 2 * HOUR);
    });

    it('is five minutes, within the limits, after one that was too large, and leaves no ceiling', () => {
      const first = firstWindow(limits);
      assert.deepEqual(halve(first, limits), { ...first, lengthMs: 5 * MINUTE });
      assert.deepEqual(halve(first, { ...limits, minMs: HOUR }), { ...first, lengthMs: HOUR });
      // What the short one contains shows which length fits.
      const short = { ...first, lengthMs: 5 * MINUTE };
      assert.equal(nextWindow(short, outcome(50_000), limits).lengthMs, 80 * MINUTE);
    });

    it('is halved if even the short one is too large', () => {
      const short = { ...firstWindow(limits), lengthMs: 5 * MINUTE };
      assert.equal(halve(short, limits)?.lengthMs, 2.5 * MINUTE);
    });
  });

  describe('ramp', () => {
    it('reads a day of small data in few windows', () => {
      const reads = crossing(DAY, limits, (fromMs, toMs) => (toMs - fromMs) / 1000);
      assert.equal(reads.length, 12);
      assert.ok(reads.every((read) => read.answer === 'kept'));
    });

    it('converges between half the target and the target', () => {
      const reads = crossing(DAY, limits, (fromMs, toMs) => (toMs - fromMs) * 0.5);
      for (const { fromMs, toMs } of reads.slice(5, -1)) assert.equal(toMs - fromMs, 30 * MINUTE);
    });

    it('crosses a year without a sample in a few dozen reads', () => {
      const reads = crossing(365 * DAY, limits, () => 0);
      assert.ok(reads.length < 35, `${reads.length} reads`);
      assert.ok(Math.max(...reads.map((read) => read.toMs - read.fromMs)) <= LONGEST_STRIDE_MS);
    });

    it('keeps windows with samples short after an empty year', () => {
      const startMs = 365 * DAY + 12_345;
      const reads = crossing(
        startMs + DAY,
        limits,
        (fromMs, toMs) => Math.max(0, toMs - Math.max(fromMs, startMs)) / 1000,
      );
      const kept = reads.filter((read) => read.answer === 'kept' && read.toMs > startMs);
      assert.ok(kept.every((read) => read.toMs - read.fromMs <= limits.maxMs));
      assert.ok(reads.filter((read) => read.answer === 'read again').length <= 12);
      assert.ok(reads.length < 120, `${reads.length} reads`);
    });

    it('covers everything exactly once, whatever the data', () => {
      const bursts = fc.array(fc.tuple(fc.integer({ min: 0, max: 60 * DAY }), fc.integer({ min: 1, max: 900_000 })), {
        maxLength: 30,
      });
      fc.assert(
        fc.property(bursts, fc.constantFrom(30 * MINUTE, 2 * HOUR), (data, maxMs) => {
          // A burst is spread over a minute, so that halving can always split it.
          const samplesIn = (fromMs: number, toMs: number) =>
            data.reduce((sum, [timeMs, samples]) => {
              const overlapMs = Math.max(0, Math.min(toMs, timeMs + MINUTE) - Math.max(fromMs, timeMs));
              return sum + (samples * overlapMs) / MINUTE;
            }, 0);
          const reads = crossing(60 * DAY, { ...limits, maxMs }, samplesIn, 2_000_000);
          let expectedMs = 0;
          for (const read of reads.filter((one) => one.answer === 'kept')) {
            assert.equal(read.fromMs, expectedMs);
            expectedMs = read.toMs;
            if (samplesIn(read.fromMs, read.toMs) > 0) assert.ok(read.toMs - read.fromMs <= maxMs);
          }
          assert.equal(expectedMs, 60 * DAY);
        }),
        { numRuns: 60 },
      );
    });
  });

  describe('stride', () => {
    it('is read again when it is longer than the maximum for a window with samples', () => {
      assert.equal(mustReread(at(4 * HOUR, { emptyRun: 3 }), outcome(1), limits), true);
      assert.equal(mustReread(at(4 * HOUR, { emptyRun: 3 }), outcome(0), limits), false);
      assert.equal(mustReread(at(2 * HOUR, { emptyRun: 3 }), outcome(1), limits), false);
    });

    it('that is too large is cut to the longest window and leaves no ceiling', () => {
      assert.deepEqual(halve(at(10 * DAY, { emptyRun: 8 }), limits), at(2 * HOUR));
    });
  });

  describe('halving', () => {
    it('stops at the minimum and then fails', () => {
      const lengths: number[] = [];
      for (let state: WindowState | undefined = at(10 * SECOND); state !== undefined; state = halve(state, limits)) {
        lengths.push(state.lengthMs);
      }
      assert.deepEqual(lengths, [10_000, 5000, 2500, 1250, 1000]);
    });

    it('starts from the length that was requested', () => {
      assert.equal(halve(at(2 * HOUR), limits, 10 * MINUTE)?.lengthMs, 5 * MINUTE);
      assert.equal(halve(at(2 * HOUR), limits, SECOND), undefined);
    });
  });

  describe('ceiling', () => {
    it('is not exceeded until enough windows have succeeded', () => {
      let state = halve(at(HOUR), limits);
      assert.ok(state);
      for (let window = 1; window < FINE_WINDOWS_BEFORE_RETRY; window++) {
        state = nextWindow(state, outcome(10), limits);
        assert.equal(state.lengthMs, 30 * MINUTE, `after ${window} windows`);
      }
      assert.equal(nextWindow(state, outcome(10), limits).lengthMs, HOUR);
    });

    it('restarts its count after the next window that is too large', () => {
      let state = halve(at(HOUR, { ceilingMs: HOUR, fineRun: 15 }), limits);
      assert.ok(state);
      state = nextWindow(state, outcome(10), limits);
      assert.deepEqual(state, at(30 * MINUTE, { ceilingMs: 30 * MINUTE, fineRun: 1 }));
    });

    it('survives a gap of one window and is remembered after a long one', () => {
      let state = nextWindow(at(30 * MINUTE, { ceilingMs: 30 * MINUTE, fineRun: 3 }), outcome(0), limits);
      assert.equal(state.lengthMs, 30 * MINUTE);
      for (let window = 0; window < 5; window++) state = nextWindow(state, outcome(0), limits);
      assert.ok(state.lengthMs > limits.maxMs);
      assert.deepEqual(nextWindow(state, outcome(10), limits), at(30 * MINUTE, { ceilingMs: 30 * MINUTE, fineRun: 3 }));
    });

    it('keeps rejected reads few when the source rejects windows of the target size', () => {
      // 100 samples per second: the target would allow windows of 2 h, the source rejects more than 20 minutes.
      const reads = crossing(10 * DAY, limits, (fromMs, toMs) => (toMs - fromMs) / 10, 120_000);
      const refused = reads.filter((read) => read.answer === 'refused').length;
      assert.ok(
        refused <= Math.ceil(reads.length / FINE_WINDOWS_BEFORE_RETRY) + 1,
        `${refused} of ${reads.length} refused`,
      );
      assert.ok(reads.length < 10 * 24 * 3 * 2.2, `${reads.length} reads`);
    });
  });
});
