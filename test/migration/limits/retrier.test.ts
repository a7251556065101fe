import assert from 'node:assert/strict';
import { MigrationError } from '../../../src/migration/report/migration-error.ts';
import { Retrier } from '../../../src/migration/limits/retrier.ts';
import { RemoteError, type RemoteErrorDetails } from '../../../src/remote/meaning/remote-error.ts';
import type { Clock } from '../../../src/telemetry/clock.ts';
import { emptyProgress, endpoint, RecordingObserver } from '../support/plan.ts';

const never = new AbortController().signal;
const there = endpoint('source', 'http://user.example:9090/api/v1/read?token=hidden');

/** Sleeping advances it. */
class SleepingClock implements Clock {
  nowMs = 0;
  wallJumpMs = 0;
  now = () => this.nowMs + this.wallJumpMs;
  monotonicMs = () => this.nowMs;
  sleep = (ms: number) => {
    this.nowMs += ms;
    return Promise.resolve();
  };
}

function fixture(startupDeadlineMs: number) {
  const clock = new SleepingClock();
  const observer = new RecordingObserver();
  const progress = emptyProgress();
  return {
    clock,
    observer,
    progress,
    retrier: new Retrier({ clock, random: () => 0.99, observer, progress, startupDeadlineMs }),
  };
}

function failure(changes: Partial<RemoteErrorDetails> = {}): RemoteError {
  return new RemoteError({
    class: 'transient',
    code: 'connection-refused',
    side: 'source',
    what: 'refuses',
    ...changes,
  });
}

describe('waiting for another attempt', () => {
  it('stops exactly at the deadline when the side has never responded', async () => {
    const { clock, retrier } = fixture(10_000);
    const error = await (async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          await retrier.pause(failure(), there, attempt, never);
        } catch (caught) {
          return caught;
        }
      }
    })();
    assert.ok(error instanceof MigrationError);
    assert.equal(error.code, 'unreachable');
    assert.equal(error.side, 'source');
    assert.match(error.message, /user\.example:9090.*10 s.*refuses/);
    assert.doesNotMatch(error.message, /hidden/);
    assert.equal(clock.nowMs, 10_000);
  });

  for (const hours of [1, -1]) {
    it(`waits the same time when the wall clock jumps by ${hours} h`, async () => {
      const { clock, retrier } = fixture(10_000);
      await retrier.pause(failure(), there, 1, never);
      clock.wallJumpMs = hours * 3_600_000;
      await assert.rejects(async () => {
        for (let attempt = 2; ; attempt++) await retrier.pause(failure(), there, attempt, never);
      }, MigrationError);
      assert.equal(clock.nowMs, 10_000);
    });
  }

  it('has no such limit once the side has responded, even with an error', async () => {
    for (const responded of [true, false]) {
      const { clock, retrier } = fixture(10_000);
      if (responded) retrier.responded('source');
      else await retrier.pause(failure({ code: 'unavailable', status: 503 }), there, 1, never);
      for (let attempt = 1; attempt < 100; attempt++) await retrier.pause(failure(), there, attempt, never);
      assert.ok(clock.nowMs > 1_000_000);
    }
  });

  it('tracks each side separately', async () => {
    const { retrier, clock } = fixture(1000);
    retrier.responded('destination');
    clock.nowMs = 2000;
    await assert.rejects(retrier.pause(failure(), there, 1, never), MigrationError);
    await retrier.pause(failure({ side: 'destination' }), there, 1, never);
  });

  it('is counted and reported, with the delay that the server requested', async () => {
    const { clock, observer, progress, retrier } = fixture(10_000);
    await retrier.pause(failure({ code: 'rate-limited', status: 429, retryAfterMs: 3000 }), there, 4, never);
    const [event] = observer.all('retry');
    assert.equal(event!.attempt, 4);
    assert.equal(event!.code, 'rate-limited');
    assert.ok(event!.delayMs >= 3000);
    assert.equal(clock.nowMs, event!.delayMs);
    assert.equal(progress.retries, 1);
    assert.match(progress.waitingFor, /^retry of source in \d+ s: rate-limited$/);
  });
});

describe('a response that looks like a configuration error', () => {
  const refusal = (changes: Partial<RemoteErrorDetails> = {}) =>
    failure({ class: 'refused', code: 'wrong-path', status: 404, ...changes });

  it('counts as one before the first successful response of that side', async () => {
    const { retrier } = fixture(10_000);
    retrier.responded('destination');
    assert.equal(retrier.toleratesRefusal(refusal()), false);
    await retrier.pause(failure({ code: 'unavailable', status: 503 }), there, 1, never);
    assert.equal(retrier.toleratesRefusal(refusal()), false, 'a 503 is no good response');
  });

  it('is retried for five minutes afterwards, counted from the first of them', () => {
    const { clock, retrier } = fixture(10_000);
    retrier.responded('source');
    clock.nowMs = 1_000_000;
    assert.equal(retrier.mayPass(refusal()), true);
    clock.nowMs += 299_999;
    assert.equal(retrier.mayPass(refusal({ code: 'redirected' })), true);
    clock.nowMs += 1;
    assert.equal(retrier.mayPass(refusal()), false);
    retrier.responded('source');
    assert.equal(retrier.mayPass(refusal()), true, 'a good response ends the count');
  });

  it('is retried only for responses of a restarting ingress, never for credentials or limits', () => {
    const { retrier } = fixture(10_000);
    retrier.responded('source');
    for (const code of [
      'wrong-content-type',
      'compressed-response',
      'redirected',
      'wrong-path',
      'tls-wrong-name',
    ] as const)
      assert.equal(retrier.toleratesRefusal(refusal({ code })), true, code);
    for (const code of ['unauthorized', 'forbidden', 'series-limit', 'database-not-found', 'bad-query'] as const)
      assert.equal(retrier.toleratesRefusal(refusal({ code })), false, code);
    assert.equal(retrier.mayPass(failure({ class: 'rejected', code: 'out-of-order' })), false);
  });
});

describe('a response without a part of the data', () => {
  const partial = (side: 'source' | 'progress' = 'source') =>
    failure({
      code: 'partial-response',
      side,
      status: 200,
      what: 'returned data from only a part: store-3',
      hint: 'bring it back',
    });
  const attempt = async ({ retrier }: ReturnType<typeof fixture>, error: RemoteError) => {
    try {
      await retrier.pause(error, there, 1, never);
      return undefined;
    } catch (caught) {
      assert.ok(caught instanceof MigrationError);
      return caught;
    }
  };

  it('is retried for half an hour, and then ends the migration with its own words', async () => {
    const stage = fixture(10_000);
    assert.equal(await attempt(stage, partial()), undefined);
    stage.clock.nowMs = 30 * 60_000 - 1;
    assert.equal(await attempt(stage, partial()), undefined);
    const error = await attempt(stage, partial());
    assert.deepEqual([error?.code, error?.side, error?.hint], ['partial-response', 'source', 'bring it back']);
    assert.match(error?.message ?? '', /source .*user\.example:9090.* 30 minutes.*store-3/);
    assert.doesNotMatch(error?.message ?? '', /hidden/);
  });

  it('is retried again after a complete response of that side', async () => {
    const stage = fixture(10_000);
    await attempt(stage, partial());
    stage.clock.nowMs = 29 * 60_000;
    stage.retrier.responded('progress');
    stage.retrier.responded('source');
    assert.equal(await attempt(stage, partial()), undefined);
    stage.clock.nowMs = 50 * 60_000;
    assert.equal(await attempt(stage, partial()), undefined);
    assert.equal(await attempt(stage, partial('progress')), undefined);
    stage.clock.nowMs = 70 * 60_000;
    assert.equal((await attempt(stage, partial()))?.code, 'partial-response');
    assert.equal(await attempt(stage, partial('progress')), undefined);
  });

  it('does not shorten the wait for a server that fails or does not respond', async () => {
    const stage = fixture(10_000);
    stage.retrier.responded('source');
    for (let hours = 1; hours < 5; hours++) {
      stage.clock.nowMs = hours * 3_600_000;
      assert.equal(await attempt(stage, failure()), undefined);
      assert.equal(await attempt(stage, failure({ code: 'server-error', status: 500 })), undefined);
    }
  });
});
