import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { Waiters } from '../../src/telemetry/waiters.ts';

const never = new AbortController().signal;

describe('a queue of waiters', () => {
  it('admits waiters in order of arrival, with what each gets', async () => {
    const waiters = new Waiters<string, number>();
    const both = Promise.all([waiters.wait('a', never), waiters.wait('b', never)]);
    assert.equal(waiters.firstWanted, 'a');
    waiters.admitFirst(1);
    assert.equal(waiters.firstWanted, 'b');
    waiters.admitFirst(2);
    assert.deepEqual(await both, [1, 2]);
    assert.equal(waiters.size, 0);
    assert.equal(waiters.firstWanted, undefined);
    waiters.admitFirst(3);
  });

  it('rejects an aborted waiter with its reason, and notifies the queue afterwards', async () => {
    const waiters = new Waiters<string>();
    const abort = new AbortController();
    let first: string | undefined;
    const impatient = waiters.wait('a', abort.signal, () => {
      first = waiters.firstWanted;
    });
    const patient = waiters.wait('b', never);
    const reason = new Error('no time');
    abort.abort(reason);
    await assert.rejects(impatient, reason);
    assert.equal(first, 'b');
    waiters.admitFirst();
    await patient;
  });

  it('rejects a waiter whose signal is already aborted', async () => {
    const waiters = new Waiters<string>();
    const reason = new Error('too late');
    await assert.rejects(waiters.wait('a', AbortSignal.abort(reason)), reason);
    assert.equal(waiters.size, 0);
  });

  it('rejects all waiters at once', async () => {
    const waiters = new Waiters<string>();
    const reason = new Error('closed');
    const waiting = [waiters.wait('a', never), waiters.wait('b', never)];
    waiters.rejectAll(reason);
    for (const result of await Promise.allSettled(waiting))
      assert.equal((result as PromiseRejectedResult).reason, reason);
  });

  it('leaves no listener on a signal, however the waiting ended', async () => {
    const waiters = new Waiters<string>();
    const { signal } = new AbortController();
    const waiting = [waiters.wait('a', signal), waiters.wait('b', signal)];
    assert.equal(getEventListeners(signal, 'abort').length, 2);
    waiters.admitFirst();
    waiters.rejectAll(new Error('closed'));
    await Promise.allSettled(waiting);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });
});
