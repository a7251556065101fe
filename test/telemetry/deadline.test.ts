import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { Deadline } from '../../src/telemetry/deadline.ts';
import { ManualClock } from '../operator/support/manual-clock.ts';

const late = new Error('too late');

describe('a deadline', () => {
  it('aborts the work with its reason when the time is over', async () => {
    const clock = new ManualClock();
    using deadline = new Deadline();
    deadline.start(clock, 1000, late);
    await clock.advance(999);
    assert.equal(deadline.signal.aborted, false);
    await clock.advance(1);
    assert.equal(deadline.signal.reason, late);
    assert.equal(deadline.expired, true);
  });

  it('aborts the work with the reason of the outer signal, before and after the start', () => {
    const outer = new AbortController();
    using begun = new Deadline(outer.signal);
    const reason = new Error('given up');
    outer.abort(reason);
    using late = new Deadline(outer.signal);
    for (const { signal, expired } of [begun, late]) {
      assert.equal(signal.reason, reason);
      assert.equal(expired, false);
    }
  });

  it('aborts nothing after it was stopped', async () => {
    const clock = new ManualClock();
    using deadline = new Deadline();
    deadline.start(clock, 1000, late);
    deadline.stop();
    await clock.advance(5000);
    assert.equal(deadline.signal.aborted, false);
    assert.equal(deadline.expired, false);
  });

  it('aborts pending work when disposed, without a remaining timer or listener', async () => {
    const clock = new ManualClock();
    const outer = new AbortController();
    const deadline = new Deadline(outer.signal);
    deadline.start(clock, 1000, late);
    assert.equal(getEventListeners(outer.signal, 'abort').length, 1);
    deadline[Symbol.dispose]();
    assert.equal(deadline.signal.aborted, true);
    assert.equal(getEventListeners(outer.signal, 'abort').length, 0);
    await setImmediate();
    assert.deepEqual(clock.sleeping, []);
    assert.equal(deadline.expired, false);
  });
});
