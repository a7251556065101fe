import assert from 'node:assert/strict';
import { LastingTrouble } from '../../../src/operator/judge/lasting-trouble.ts';
import { RepeatedActions } from '../../../src/operator/judge/repeated-actions.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

/** When an action is done that is wanted all the time, in seconds. */
function timesOf(isFailing: (nowMs: number) => boolean, untilMs = 5 * MINUTE_MS): number[] {
  const repeated = new RepeatedActions();
  const times: number[] = [];
  for (let nowMs = 0; nowMs < untilMs; nowMs += SECOND_MS) {
    if (repeated.waitMs('patch', nowMs) > 0) continue;
    times.push(nowMs / SECOND_MS);
    repeated.done('patch', isFailing(nowMs), nowMs);
  }
  return times;
}

describe('an action', () => {
  it('that fails is repeated after longer and longer pauses', () => {
    assert.deepEqual(
      timesOf(() => true),
      [0, 5, 15, 35, 75, 135, 195, 255],
    );
  });

  it('that another program undoes is repeated a few times immediately, then in the same way', () => {
    assert.deepEqual(timesOf(() => false).slice(0, 6), [0, 1, 2, 3, 8, 18]);
  });

  it('is not delayed by others, nor by what is long ago', () => {
    const repeated = new RepeatedActions();
    for (let count = 0; count < 10; count++) repeated.done('a', false, 0);
    assert.equal(repeated.waitMs('b', 0), 0);
    assert.equal(repeated.waitMs('a', 0), MINUTE_MS);
    repeated.done('b', false, 10 * MINUTE_MS);
    repeated.done('a', false, 10 * MINUTE_MS);
    assert.equal(repeated.waitMs('a', 10 * MINUTE_MS), 0);
  });

  it('counts from the beginning when it no longer fails', () => {
    const repeated = new RepeatedActions();
    for (let count = 0; count < 10; count++) repeated.done('a', true, 0);
    repeated.done('a', false, MINUTE_MS);
    assert.equal(repeated.waitMs('a', MINUTE_MS), 0);
  });
});

describe('a trouble', () => {
  it('is looked into when it has lasted, then every half minute, until it is over', () => {
    const trouble = new LastingTrouble(MINUTE_MS);
    const looks: number[] = [];
    for (let nowMs = 0; nowMs <= 2 * MINUTE_MS; nowMs += SECOND_MS) {
      const lastsMs = trouble.due('pod', nowMs);
      if (lastsMs !== undefined) looks.push(lastsMs / SECOND_MS);
    }
    assert.deepEqual(looks, [60, 90, 120]);
    trouble.message = 'why';
    trouble.due(undefined, 2 * MINUTE_MS);
    assert.equal(trouble.message, undefined);
  });

  it('of another subject is a new one', () => {
    const trouble = new LastingTrouble(MINUTE_MS);
    trouble.due('pod', 0);
    trouble.due('other', MINUTE_MS);
    assert.equal(trouble.due('other', MINUTE_MS + SECOND_MS), undefined);
    assert.equal(trouble.due('other', 2 * MINUTE_MS), MINUTE_MS);
  });
});
