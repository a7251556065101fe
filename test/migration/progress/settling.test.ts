import assert from 'node:assert/strict';
import { Settling } from '../../../src/migration/progress/settling.ts';
import { FastClock } from '../support/fake-clock.ts';

const { signal } = new AbortController();

async function sleepsOf(protocol: 'RemoteRead' | 'PromQL' | 'None', flushes: boolean): Promise<readonly number[]> {
  const clock = new FastClock({ nowMs: 0 });
  await new Settling(protocol, clock, async () => flushes).settle(signal);
  return clock.sleeps;
}

describe('a destination settles', () => {
  it('in a moment where it is read by remote_read, or shows on demand what it has taken', async () => {
    assert.deepEqual(await sleepsOf('RemoteRead', false), [500]);
    assert.deepEqual(await sleepsOf('PromQL', true), [500]);
  });

  it('in five seconds where a new series appears late and nothing can be done about it', async () => {
    assert.deepEqual(await sleepsOf('PromQL', false), [500, 4500]);
  });

  it('at once where nothing is ever read back', async () => {
    assert.deepEqual(await sleepsOf('None', true), []);
  });

  it('until it is aborted', async () => {
    const settling = new Settling('PromQL', new FastClock({ nowMs: 0 }), async () => false);
    await assert.rejects(settling.settle(AbortSignal.abort(new Error('stop'))), { message: 'stop' });
  });
});
