import assert from 'node:assert/strict';
import { readAhead } from '../../../src/migration/read/read-ahead.ts';

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Numbers from 0; counts how many were requested. */
function counting(fail?: { at: number; error: Error }) {
  const state = { produced: 0 };
  async function* generate(): AsyncGenerator<number> {
    for (let i = 0; i < 10; i++) {
      await settle();
      if (fail?.at === i) throw fail.error;
      state.produced++;
      yield i;
    }
  }
  return { state, generate };
}

const nothing = () => assert.fail('nothing is to be discarded');

describe('reading ahead', () => {
  it('yields everything in order', async () => {
    const { generate } = counting();
    const seen: number[] = [];
    for await (const item of readAhead(generate(), 3, nothing)) seen.push(item);
    assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('produces items while one is processed, and at most as many as its depth', async () => {
    const { state, generate } = counting();
    for await (const item of readAhead(generate(), 3, nothing)) {
      for (let i = 0; i < 20; i++) await settle();
      assert.equal(state.produced, Math.min(10, item + 3), `while ${item} is worked on`);
    }
  });

  it('throws a failure in order, after the items before it', async () => {
    const error = new Error('the third');
    const { generate } = counting({ at: 2, error });
    const seen: number[] = [];
    await assert.rejects(
      async () => {
        for await (const item of readAhead(generate(), 4, nothing)) {
          for (let i = 0; i < 20; i++) await settle();
          seen.push(item);
        }
      },
      (caught) => caught === error,
    );
    assert.deepEqual(seen, [0, 1]);
  });

  it('discards unused items when the consumer stops', async () => {
    const { generate } = counting();
    const discarded: number[] = [];
    for await (const item of readAhead(generate(), 4, (one) => discarded.push(one))) if (item === 1) break;
    for (let i = 0; i < 20; i++) await settle();
    assert.deepEqual(discarded, [2, 3, 4]);
  });

  it('ends the generator when the consumer stops, after the items that it has requested', async () => {
    const events: string[] = [];
    async function* generate(): AsyncGenerator<number> {
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        events.push('ended');
      }
    }
    for await (const item of readAhead(generate(), 2, (one) => events.push(`discarded ${one}`))) {
      for (let i = 0; i < 5; i++) await settle();
      if (item === 1) break;
    }
    for (let i = 0; i < 5; i++) await settle();
    assert.deepEqual(events.toSorted(), ['discarded 2', 'ended']);
  });

  it('leaves no unhandled rejection after the consumer stops', async () => {
    const { generate } = counting({ at: 2, error: new Error('nobody sees it') });
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    try {
      for await (const _ of readAhead(generate(), 4, () => undefined)) break;
      for (let i = 0; i < 20; i++) await settle();
    } finally {
      process.off('unhandledRejection', note);
    }
    assert.deepEqual(unhandled, []);
  });
});
