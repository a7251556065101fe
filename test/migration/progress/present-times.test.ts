import assert from 'node:assert/strict';
import { DoesNotFit } from '../../../src/migration/limits/reservation.ts';
import { collectPresentTimes, type PresentTimes } from '../../../src/migration/progress/present-times.ts';

/** One series `s`, a sample each millisecond; refuses to show more than `most` at once. */
class FakeReadBack {
  readonly asked: { names: readonly string[]; fromMs: number; toMs: number }[] = [];
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  readonly add = (names: readonly string[], fromMs: number, toMs: number, present: PresentTimes): Promise<void> => {
    this.asked.push({ names, fromMs, toMs });
    if (toMs - fromMs > this.#most) return Promise.reject(new DoesNotFit('too much'));
    for (let timeMs = fromMs; timeMs < toMs; timeMs++) present.get('s')?.push(timeMs);
    return Promise.resolve();
  };
}

describe('what the destination has already', () => {
  it('is asked in shorter pieces when it is too much at once', async () => {
    const readBack = new FakeReadBack(3);
    const present = await collectPresentTimes(
      { names: ['m'], keys: () => ['s', 'absent'], fromMs: 100, toMs: 120 },
      readBack.add,
    );
    assert.deepEqual([...present.keys()], ['s']);
    assert.deepEqual(
      [...present.get('s')!],
      Array.from({ length: 20 }, (_, i) => 100 + i),
    );
  });

  it('fails when not even a millisecond can be shown', async () => {
    await assert.rejects(
      collectPresentTimes({ names: ['m'], keys: () => ['s'], fromMs: 0, toMs: 8 }, new FakeReadBack(0).add),
      DoesNotFit,
    );
  });

  it('is asked for many names a hundred at a time, and for long ones fewer', async () => {
    const readBack = new FakeReadBack(10);
    const names = Array.from({ length: 250 }, (_, i) => `m${i}`);
    await collectPresentTimes({ names, keys: () => ['s'], fromMs: 0, toMs: 10 }, readBack.add);
    assert.deepEqual(
      readBack.asked.map((one) => one.names.length),
      [100, 100, 50],
    );
    assert.deepEqual(
      readBack.asked.flatMap((one) => one.names),
      names,
    );

    const long = new FakeReadBack(10);
    await collectPresentTimes(
      { names: ['a'.repeat(3000), 'b'.repeat(3000), 'c'.repeat(9000)], keys: () => ['s'], fromMs: 0, toMs: 10 },
      long.add,
    );
    assert.deepEqual(
      long.asked.map((one) => one.names.length),
      [1, 1, 1],
    );
  });

  it('has each timestamp once, in order, however often it was shown', async () => {
    const twice = new FakeReadBack(10);
    const names = Array.from({ length: 101 }, (_, i) => `m${i}`);
    const present = await collectPresentTimes({ names, keys: () => ['s'], fromMs: 0, toMs: 3 }, twice.add);
    assert.deepEqual([...present.get('s')!], [0, 1, 2]);
  });

  it('is not asked at all for nothing', async () => {
    const readBack = new FakeReadBack(10);
    assert.equal((await collectPresentTimes({ names: [], keys: () => [], fromMs: 0, toMs: 10 }, readBack.add)).size, 0);
    assert.deepEqual(readBack.asked, []);
  });
});
