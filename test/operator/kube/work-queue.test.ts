import assert from 'node:assert/strict';
import fc from 'fast-check';
import { WorkQueue, WorkQueueClosedError } from '../../../src/operator/kube/work-queue.ts';
import { ManualClock, settled } from '../support/manual-clock.ts';

const never = new AbortController().signal;

function newQueue(options: { baseDelayMs?: number; maxDelayMs?: number; random?: () => number } = {}) {
  const clock = new ManualClock();
  return { clock, queue: new WorkQueue({ clock, random: () => 1, ...options }) };
}

describe('the work queue', () => {
  it('returns keys in the order they were added, each once however often it was added', async () => {
    const { queue } = newQueue();
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    assert.equal(queue.size, 3);
    assert.deepEqual([await queue.next(never), await queue.next(never), await queue.next(never)], ['a', 'b', 'c']);
  });

  it('adds a key after the shortest of its delays although the wall clock jumps between them', async () => {
    for (const hours of [1, -1]) {
      const { queue, clock } = newQueue();
      queue.addAfter('a', 10_000);
      clock.setWallClock(clock.now() + hours * 3_600_000);
      queue.addAfter('a', 5_000);
      queue.addAfter('a', 20_000);
      await clock.advance(4_999);
      assert.equal(queue.size, 0);
      await clock.advance(1);
      assert.equal(queue.size, 1);
    }
  });

  it('never gives a key to two workers, and returns it again when it was added meanwhile', async () => {
    const { queue } = newQueue();
    queue.add('a');
    assert.equal(await queue.next(never), 'a');
    queue.add('a');
    queue.add('a');
    assert.equal(queue.size, 0);
    let second: string | undefined;
    const taking = queue.next(never).then((key) => {
      second = key;
    });
    await settled();
    assert.equal(second, undefined);
    queue.done('a');
    await taking;
    assert.equal(second, 'a');
    queue.done('a');
    assert.equal(queue.size, 0);
    queue.add('a');
    assert.equal(await queue.next(never), 'a', 'it is free again');
  });

  it('serves waiters in order, and skips those that gave up', async () => {
    const { queue } = newQueue();
    const given = new AbortController();
    const taken: string[] = [];
    const first = queue.next(given.signal).catch((reason: Error) => taken.push(reason.message));
    const second = queue.next(never).then((key) => taken.push(key));
    given.abort(new Error('gave up'));
    queue.add('a');
    await Promise.all([first, second]);
    assert.deepEqual(taken, ['gave up', 'a']);
  });

  it('adds a key after its delay, and after the shortest of several delays', async () => {
    const { clock, queue } = newQueue();
    queue.addAfter('a', 10_000);
    queue.addAfter('a', 2_000);
    queue.addAfter('a', 5_000);
    assert.deepEqual(clock.sleeping, [2_000]);
    await clock.advance(1_999);
    assert.equal(queue.size, 0);
    await clock.advance(1);
    assert.equal(queue.size, 1);
    assert.equal(await queue.next(never), 'a');
    queue.done('a');
    await clock.advance(20_000);
    assert.equal(queue.size, 0);
  });

  it('increases the delay with every retry up to a limit, and restarts after forget', async () => {
    const { clock, queue } = newQueue({ baseDelayMs: 100, maxDelayMs: 1_000 });
    const delays: number[] = [];
    for (let retry = 0; retry < 6; retry++) {
      queue.retry('a');
      delays.push(...clock.sleeping);
      await clock.advance(2_000);
      assert.equal(await queue.next(never), 'a');
      queue.done('a');
    }
    assert.deepEqual(delays, [100, 200, 400, 800, 1_000, 1_000]);
    queue.retry('b');
    assert.deepEqual(clock.sleeping, [100]);
    queue.forget('a');
    queue.retry('a');
    assert.deepEqual(clock.sleeping, [100, 100]);
  });

  it('waits half a minute at most by default, so that it recovers soon after a long outage', async () => {
    const { clock, queue } = newQueue();
    for (let retry = 0; retry < 20; retry++) {
      queue.retry('a');
      assert.ok(Math.max(...clock.sleeping) <= 30_000);
      await clock.advance(30_000);
      assert.equal(await queue.next(never), 'a');
      queue.done('a');
    }
  });

  it('spreads retries between half the delay and all of it', () => {
    const { clock, queue } = newQueue({ baseDelayMs: 1_000, random: () => 0 });
    queue.retry('a');
    assert.deepEqual(clock.sleeping, [500]);
  });

  it('supports a delay of months', async () => {
    const { clock, queue } = newQueue();
    const monthsMs = 90 * 24 * 3_600_000;
    queue.addAfter('a', monthsMs);
    await clock.advance(monthsMs - 1);
    assert.equal(queue.size, 0);
    await clock.advance(1);
    assert.equal(queue.size, 1);
  });

  it('discards everything when it is closed, and notifies the waiters', async () => {
    const { clock, queue } = newQueue();
    queue.addAfter('later', 1_000);
    const waiting = assert.rejects(queue.next(never), WorkQueueClosedError);
    queue.close();
    await waiting;
    queue.add('a');
    await clock.advance(2_000);
    assert.deepEqual([queue.size, clock.sleeping], [0, []]);
    await assert.rejects(queue.next(never), WorkQueueClosedError);
  });

  it('loses no key and never has two workers on one, whatever the order of operations', async () => {
    const step = fc.record({
      act: fc.constantFrom('add', 'later', 'take', 'done'),
      key: fc.constantFrom('a', 'b', 'c'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { clock, queue } = newQueue();
        const working = new Set<string>();
        const owed = new Set<string>();
        const take = async () => {
          const key = await queue.next(never);
          assert.ok(!working.has(key));
          owed.delete(key);
          working.add(key);
        };
        for (const { act, key } of steps) {
          if (act === 'add') queue.add(key);
          if (act === 'later') queue.addAfter(key, 1_000);
          if (act === 'add' || act === 'later') owed.add(key);
          if (act === 'take' && queue.size > 0) await take();
          if (act === 'done' && working.delete(key)) queue.done(key);
        }
        await clock.advance(1_000);
        for (const key of working) queue.done(key);
        working.clear();
        while (queue.size > 0) {
          await take();
          for (const key of working) queue.done(key);
          working.clear();
        }
        assert.deepEqual([...owed], []);
      }),
      { numRuns: 60 },
    );
  });
});
