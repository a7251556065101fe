import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { SYSTEM_CLOCK } from '../../src/telemetry/clock.ts';

describe('the system clock', () => {
  it('sleeps for longer than a Node timer can', async () => {
    const abort = new AbortController();
    const result = SYSTEM_CLOCK.sleep(2 ** 31 + 1000, abort.signal).then(
      () => 'over',
      () => 'aborted',
    );
    assert.equal(await Promise.race([result, delay(50, 'asleep')]), 'asleep');
    abort.abort();
    assert.equal(await result, 'aborted');
  });

  it('does not sleep when it is already aborted', async () => {
    const reason = new Error('no');
    await assert.rejects(SYSTEM_CLOCK.sleep(10_000, AbortSignal.abort(reason)), reason);
  });
});
