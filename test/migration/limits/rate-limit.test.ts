import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RateLimit } from '../../../src/migration/limits/rate-limit.ts';
import type { Clock } from '../../../src/telemetry/clock.ts';

/** A clock that only the test advances. */
class StandingClock implements Clock {
  nowMs = 1_000_000;
  /** The offset of the wall clock; it must not matter here. */
  wallJumpMs = 0;
  readonly #sleepers = new Set<{ untilMs: number; wake: () => void }>();

  now(): number {
    return this.nowMs + this.wallJumpMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { untilMs: this.nowMs + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      });
    });
  }

  get sleeping(): number {
    return this.#sleepers.size;
  }

  async advance(ms: number): Promise<void> {
    const endMs = this.nowMs + ms;
    await settle();
    for (;;) {
      const next = [...this.#sleepers].sort((a, b) => a.untilMs - b.untilMs)[0];
      if (next === undefined || next.untilMs > endMs) break;
      this.#sleepers.delete(next);
      this.nowMs = Math.max(this.nowMs, next.untilMs);
      next.wake();
      await settle();
    }
    this.nowMs = endMs;
    await settle();
  }
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
const never = new AbortController().signal;

describe('rate limit', () => {
  it('does not wait when there is no limit', async () => {
    const clock = new StandingClock();
    const limit = new RateLimit(undefined, clock);
    for (let i = 0; i < 100; i++) await limit.take(1e12, never);
    assert.equal(clock.sleeping, 0);
  });

  it('starts without saved tokens and keeps the average', async () => {
    const clock = new StandingClock();
    const limit = new RateLimit(1000, clock);
    let taken = 0;
    const startMs = clock.nowMs;
    const taking = (async () => {
      for (let i = 0; i < 100; i++) {
        await limit.take(100, never);
        taken += 100;
        assert.ok(taken <= clock.nowMs - startMs, `${taken} after ${clock.nowMs - startMs} ms`);
      }
    })();
    await clock.advance(5000);
    assert.equal(taken, 5000);
    await clock.advance(5000);
    await taking;
    assert.equal(clock.nowMs - startMs, 10_000);
  });

  it('saves at most one second of tokens while idle', async () => {
    const clock = new StandingClock();
    const limit = new RateLimit(1000, clock);
    await clock.advance(60_000);
    await limit.take(1000, never);
    let taken = false;
    const more = limit.take(500, never).then(() => {
      taken = true;
    });
    await clock.advance(499);
    assert.equal(taken, false);
    await clock.advance(1);
    await more;
    assert.equal(taken, true);
  });

  it('makes an amount above one second wait until all of it is saved', async () => {
    const clock = new StandingClock();
    const limit = new RateLimit(1000, clock);
    await clock.advance(60_000);
    const startMs = clock.nowMs;
    let endMs = 0;
    const large = limit.take(10_000, never).then(() => {
      endMs = clock.nowMs;
    });
    await clock.advance(20_000);
    await large;
    assert.equal(endMs - startMs, 9000, 'one second was there already');
    // The tokens saved for the large amount are gone with it.
    assert.equal(clock.sleeping, 0);
    await limit.take(1000, never);
    const next = limit.take(1, never);
    await clock.advance(1);
    await next;
  });

  it('serves waiters in arrival order', async () => {
    const clock = new StandingClock();
    const limit = new RateLimit(10, clock);
    const order: number[] = [];
    const all = [50, 1, 1, 30, 2].map((amount, index) => limit.take(amount, never).then(() => order.push(index)));
    await clock.advance(8400);
    await Promise.all(all);
    assert.deepEqual(order, [0, 1, 2, 3, 4]);
    assert.equal(clock.nowMs, 1_008_400);
  });

  it('leaves the queue when aborted, takes nothing and lets the next one continue', async () => {
    const clock = new StandingClock();
    const limit = new RateLimit(10, clock);
    const abort = new AbortController();
    const large = limit.take(1000, abort.signal);
    let through = false;
    const small = limit.take(10, never).then(() => {
      through = true;
    });
    await clock.advance(500);
    const reason = new Error('stopped');
    abort.abort(reason);
    await assert.rejects(large, (error) => error === reason);
    assert.equal(through, false);
    await clock.advance(500);
    await small;
    await assert.rejects(limit.take(1, AbortSignal.abort(reason)), (error) => error === reason);
  });

  it('can be changed while someone waits', async () => {
    const clock = new StandingClock();
    const limit = new RateLimit(1, clock);
    let through = 0;
    const first = limit.take(100, never).then(() => through++);
    await clock.advance(10_000);
    limit.set(90);
    await clock.advance(999);
    assert.equal(through, 0);
    await clock.advance(1);
    await first;
    const second = limit.take(1e9, never).then(() => through++);
    await clock.advance(1);
    limit.set(undefined);
    await second;
    assert.equal(through, 2);
    limit.set(10);
    const third = limit.take(10, never).then(() => through++);
    await clock.advance(999);
    assert.equal(through, 2, 'time without a limit saves nothing');
    await clock.advance(1);
    await third;
  });

  for (const hours of [1, -1]) {
    it(`allows the same rate when the wall clock jumps by ${hours} h`, async () => {
      const clock = new StandingClock();
      const limit = new RateLimit(1000, clock);
      await clock.advance(100);
      clock.wallJumpMs = hours * 3_600_000;
      let through = 0;
      for (const amount of [500, 500]) limit.take(amount, never).then(() => (through += amount), assert.fail);
      await clock.advance(399);
      assert.equal(through, 0);
      await clock.advance(1);
      assert.equal(through, 500);
      await clock.advance(500);
      assert.equal(through, 1000);
    });
  }

  it('rejects invalid rates and amounts', async () => {
    const clock = new StandingClock();
    for (const rate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => new RateLimit(rate, clock), RangeError);
      assert.throws(() => new RateLimit(1, clock).set(rate), RangeError);
    }
    await assert.rejects(new RateLimit(1, clock).take(-1, never), RangeError);
    await assert.rejects(new RateLimit(1, clock).take(Number.NaN, never), RangeError);
  });

  it('allows at most t + 1 seconds of tokens in any t seconds, and is never idle while someone waits', async () => {
    const script = fc.array(
      fc.record({ amount: fc.integer({ min: 1, max: 400 }), pauseMs: fc.constantFrom(0, 0, 10, 300, 5000) }),
      { minLength: 1, maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(script, async (steps) => {
        const clock = new StandingClock();
        const limit = new RateLimit(100, clock);
        const startMs = clock.nowMs;
        const admitted: { atMs: number; amount: number }[] = [];
        const all: Promise<unknown>[] = [];
        for (const { amount, pauseMs } of steps) {
          all.push(limit.take(amount, never).then(() => admitted.push({ atMs: clock.nowMs, amount })));
          await clock.advance(pauseMs);
        }
        await clock.advance(200_000);
        await Promise.all(all);
        assert.deepEqual(
          admitted.map((one) => one.amount),
          steps.map((one) => one.amount),
        );
        let total = 0;
        for (const [last, { atMs, amount }] of admitted.entries()) {
          total += amount;
          assert.ok(total <= ((atMs - startMs) / 1000) * 100 + 1e-6);
          let inside = 0;
          for (let first = last; first >= 0; first--) {
            const from = admitted[first];
            assert.ok(from);
            inside += from.amount;
            // Tokens for the first amount may have been saved before the interval.
            const savedBefore = Math.max(100, from.amount);
            assert.ok(inside <= ((atMs - from.atMs) / 1000) * 100 + savedBefore + 1e-6);
          }
        }
        const lastMs = admitted.at(-1)?.atMs ?? 0;
        const pausesMs = steps.reduce((sum, step) => sum + step.pauseMs, 0);
        assert.ok(lastMs - startMs <= pausesMs + total * 10 + 1, 'no time was lost');
      }),
      { numRuns: 100 },
    );
  });

  it('saves less in a smaller bucket, and nothing in an empty one', async () => {
    const clock = new StandingClock();
    const limit = new RateLimit(1000, clock);
    limit.set(1000, 200);
    await clock.advance(60_000);
    const took = async (amount: number) => {
      const startMs = clock.nowMs;
      let endMs = startMs;
      const taken = limit.take(amount, never).then(() => {
        endMs = clock.nowMs;
      });
      await clock.advance(5000);
      await taken;
      return endMs - startMs;
    };
    assert.equal(await took(500), 300);
    limit.drain();
    assert.equal(await took(100), 100);
  });
});
