import assert from 'node:assert/strict';
import { DoesNotFit } from '../../../src/migration/read/read-answer.ts';
import { type PresentTimes, presentTimes, type ReadBack } from '../../../src/migration/progress/read-back.ts';

const never = new AbortController().signal;

/** One series `s`, a sample each millisecond; refuses to show more than `most` at once. */
class FakeReadBack implements ReadBack {
  readonly hides = 'nothing';
  readonly asked: { names: readonly string[]; fromMs: number; toMs: number }[] = [];
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  add(names: readonly string[], fromMs: number, toMs: number, present: PresentTimes): Promise<void> {
    this.asked.push({ names, fromMs, toMs });
    if (toMs - fromMs > this.#most) return Promise.reject(new DoesNotFit('too much'));
    for (let timeMs = fromMs; timeMs < toMs; timeMs++) present.get('s')?.push(timeMs);
    return Promise.resolve();
  }

  isEmpty(): Promise<boolean> {
    return Promise.resolve(false);
  }
}

describe('what the destination has already', () => {
  it('is asked in shorter pieces when it is too much at once', async () => {
    const readBack = new FakeReadBack(3);
    const present = await presentTimes(readBack, ['m'], () => ['s', 'absent'], 100, 120, never);
    assert.deepEqual([...present.keys()], ['s']);
    assert.deepEqual(
      [...present.get('s')!],
      Array.from({ length: 20 }, (_, i) => 100 + i),
    );
  });

  it('fails when not even a millisecond can be shown', async () => {
    await assert.rejects(
      presentTimes(new FakeReadBack(0), ['m'], () => ['s'], 0, 8, never),
      DoesNotFit,
    );
  });

  it('is asked for many names a hundred at a time, and for long ones fewer', async () => {
    const readBack = new FakeReadBack(10);
    const names = Array.from({ length: 250 }, (_, i) => `m${i}`);
    await presentTimes(readBack, names, () => ['s'], 0, 10, never);
    assert.deepEqual(
      readBack.asked.map((one) => one.names.length),
      [100, 100, 50],
    );
    assert.deepEqual(
      readBack.asked.flatMap((one) => one.names),
      names,
    );

    const long = new FakeReadBack(10);
    await presentTimes(long, ['a'.repeat(3000), 'b'.repeat(3000), 'c'.repeat(9000)], () => ['s'], 0, 10, never);
    assert.deepEqual(
      long.asked.map((one) => one.names.length),
      [1, 1, 1],
    );
  });

  it('has each timestamp once, in order, however often it was shown', async () => {
    const twice = new FakeReadBack(10);
    const names = Array.from({ length: 101 }, (_, i) => `m${i}`);
    const present = await presentTimes(twice, names, () => ['s'], 0, 3, never);
    assert.deepEqual([...present.get('s')!], [0, 1, 2]);
  });

  it('is not asked at all for nothing', async () => {
    const readBack = new FakeReadBack(10);
    assert.equal((await presentTimes(readBack, [], () => [], 0, 10, never)).size, 0);
    assert.deepEqual(readBack.asked, []);
  });
});
