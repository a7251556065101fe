import assert from 'node:assert/strict';
import { isShownWithin, type Look, lookFor, lookUntilSettled } from '../../../src/migration/progress/settling.ts';
import { FastClock } from '../support/fake-clock.ts';

const { signal } = new AbortController();

/** The results of successive reads; the last one repeats. */
async function settled(shown: readonly number[], hiddenForMs: number, changes: Partial<Look<number>> = {}) {
  const clock = new FastClock({ nowMs: 0 });
  let looks = 0;
  const look: Look<number> = {
    look: () => Promise.resolve(shown[Math.min(looks++, shown.length - 1)]!),
    isComplete: (samples) => samples === 10,
    isSame: (before, after) => before === after,
    ...changes,
  };
  const seen = await lookUntilSettled(look, { clock, show: () => Promise.resolve(hiddenForMs) }, signal);
  return { seen, looks, sleeps: clock.sleeps };
}

describe('a sample that the destination does not show', () => {
  it('is not awaited when nothing is missing', async () => {
    assert.deepEqual(await settled([10], 2000), { seen: 10, looks: 1, sleeps: [] });
  });

  it('may become visible within a moment', async () => {
    assert.deepEqual(await settled([0, 10], 2000), { seen: 10, looks: 2, sleeps: [500] });
  });

  it('is absent after that moment when the store hides nothing', async () => {
    assert.deepEqual(await settled([3], 0), { seen: 3, looks: 2, sleeps: [500] });
  });

  it('is absent only when still missing after the longest time a store may hide samples', async () => {
    assert.deepEqual(await settled([0, 0, 10], 2000), { seen: 10, looks: 3, sleeps: [500, 2000] });
    assert.deepEqual(await settled([3], 2000), { seen: 3, looks: 3, sleeps: [500, 2000] });
    assert.deepEqual(await settled([0, 0, 3, 3], 4500), { seen: 3, looks: 4, sleeps: [500, 4500, 4500] });
  });

  it('is absent immediately when the destination proves that it hides nothing', async () => {
    const isProven = (seen: number) => Promise.resolve(seen === 3);
    assert.deepEqual(await settled([3], 2000, { isProven }), { seen: 3, looks: 2, sleeps: [500] });
    assert.equal((await settled([4], 2000, { isProven })).looks, 3);
  });

  it('is not awaited indefinitely while every read shows more samples', async () => {
    const { looks } = await settled([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 2000, { isComplete: () => false });
    assert.equal(looks, 9);
  });

  it('is awaited until the wait is aborted', async () => {
    const aborted = AbortSignal.abort(new Error('stop'));
    const visibility = { clock: new FastClock({ nowMs: 0 }), show: () => Promise.resolve(0) };
    const nothing = lookFor(() => Promise.resolve(false));
    await assert.rejects(lookUntilSettled(nothing, visibility, aborted), { message: 'stop' });
  });
});

describe('what a destination has accepted', () => {
  /** Looks that show it from the given look on. */
  async function shownAt(shownAtLook: number, forMs: number) {
    const sleeps: number[] = [];
    const monotonicMs = () => sleeps.reduce((sum, ms) => sum + ms, 0);
    const sleep = async (ms: number) => void sleeps.push(ms);
    const clock = { now: monotonicMs, monotonicMs, sleep };
    const calls: string[] = [];
    const show = () => Promise.resolve(calls.push('show'));
    const isShown = () => Promise.resolve(calls.push('look') > shownAtLook);
    const found = await isShownWithin(forMs, isShown, { clock, show }, signal);
    return { found, calls, sleeps };
  }

  it('is looked for once the destination was made to show it, and every half second until it is there', async () => {
    assert.deepEqual(await shownAt(1, 1000), { found: true, calls: ['show', 'look'], sleeps: [] });
    const later = await shownAt(3, 5000);
    assert.deepEqual(later, { found: true, calls: ['show', 'look', 'look', 'look'], sleeps: [500, 500] });
  });

  it('is given up after the time that it may take, with one look at the end', async () => {
    const { found, calls, sleeps } = await shownAt(99, 1000);
    assert.deepEqual([found, calls.length, sleeps], [false, 4, [500, 500]]);
  });

  it('is looked for until the wait is aborted', async () => {
    const visibility = { clock: new FastClock({ nowMs: 0 }), show: () => Promise.resolve(0) };
    const nothing = () => Promise.resolve(false);
    await assert.rejects(isShownWithin(1000, nothing, visibility, AbortSignal.abort(new Error('stop'))), /stop/);
  });
});
