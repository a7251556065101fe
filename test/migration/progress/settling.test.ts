import assert from 'node:assert/strict';
import { settle } from '../../../src/migration/progress/settling.ts';
import { FastClock } from '../support/fake-clock.ts';

const { signal } = new AbortController();

async function sleepsOf(show: (() => Promise<boolean>) | undefined): Promise<readonly number[]> {
  const clock = new FastClock({ nowMs: 0 });
  await settle(clock, show, signal);
  return clock.sleeps;
}

describe('a destination settles', () => {
  it('in a moment where everything is shown at once, or on demand', async () => {
    assert.deepEqual(await sleepsOf(undefined), [500]);
    assert.deepEqual(await sleepsOf(async () => true), [500]);
  });

  it('in five seconds where a new series appears late and nothing can be done about it', async () => {
    assert.deepEqual(await sleepsOf(async () => false), [500, 4500]);
  });

  it('until it is aborted', async () => {
    const aborted = AbortSignal.abort(new Error('stop'));
    await assert.rejects(settle(new FastClock({ nowMs: 0 }), undefined, aborted), { message: 'stop' });
  });
});
