import assert from 'node:assert/strict';
import { Concurrency } from '../../../src/migration/write/concurrency.ts';

/**
 * Sends requests to a destination that needs `workMs` for each, on `cores` at once, over a way of `roundTripMs`. As many are in flight as the
 * limit allows.
 */
function simulate({ most = 64, requests = 400, roundTripMs = 0, workMs = 10, cores = 2 }) {
  const concurrency = new Concurrency(most);
  const free = new Array<number>(cores).fill(0);
  const flights: { sentMs: number; doneMs: number; inFlight: number }[] = [];
  let nowMs = 0;
  let mostInFlight = 0;
  for (let sent = 0; sent < requests; ) {
    while (flights.length < concurrency.limit && sent < requests) {
      free.sort((a, b) => a - b);
      const startMs = Math.max(free[0] as number, nowMs + roundTripMs / 2);
      free[0] = startMs + workMs;
      flights.push({ sentMs: nowMs, doneMs: startMs + workMs + roundTripMs / 2, inFlight: flights.length + 1 });
      sent++;
    }
    mostInFlight = Math.max(mostInFlight, flights.length);
    flights.sort((a, b) => a.doneMs - b.doneMs);
    const { sentMs, doneMs, inFlight } = flights.shift() as (typeof flights)[0];
    nowMs = doneMs;
    concurrency.finished({ durationMs: doneMs - sentMs, inFlight });
  }
  return { limit: concurrency.limit, perSecond: (requests * 1000) / nowMs, mostInFlight };
}

describe('the number of requests in flight', () => {
  it('grows until a distant destination is busy', () => {
    const { perSecond, limit } = simulate({ roundTripMs: 200, requests: 1000 });
    // Two cores and 10 ms of work: 200 requests in a second, of which 42 are on their way at once.
    assert.ok(perSecond > 170, `${perSecond} in a second`);
    assert.ok(limit >= 40, `${limit}`);
  });

  it('stays small where requests wait for each other', () => {
    const near = simulate({});
    assert.ok(near.perSecond > 195, `${near.perSecond} in a second`);
    assert.ok(near.limit <= 9, `${near.limit}`);
    assert.ok(near.mostInFlight <= 12, `${near.mostInFlight}`);
  });

  it('falls when the destination slows down, and never below four', () => {
    const concurrency = new Concurrency(64);
    for (let i = 0; i < 300; i++) concurrency.finished({ durationMs: 50, inFlight: concurrency.limit });
    assert.equal(concurrency.limit, 64);
    for (let i = 0; i < 500; i++) concurrency.finished({ durationMs: 5000, inFlight: concurrency.limit });
    assert.ok(concurrency.limit < 20, `${concurrency.limit}`);
    for (let i = 0; i < 200; i++) concurrency.finished({ durationMs: 5000, inFlight: concurrency.limit });
    assert.ok(concurrency.limit >= 4, `${concurrency.limit}`);
  });

  it('recovers when the way has become longer for good', () => {
    const concurrency = new Concurrency(64);
    for (let i = 0; i < 100; i++) concurrency.finished({ durationMs: 5, inFlight: concurrency.limit });
    for (let i = 0; i < 2000; i++) concurrency.finished({ durationMs: 80, inFlight: concurrency.limit });
    assert.equal(concurrency.limit, 64);
  });

  it('never exceeds the maximum', () => {
    for (const most of [1, 2, 3, 7]) {
      const { mostInFlight, limit } = simulate({ most, roundTripMs: 100 });
      assert.equal(mostInFlight, most);
      assert.equal(limit, most);
    }
  });

  it('does not grow when few requests are sent', () => {
    const concurrency = new Concurrency(64);
    for (let i = 0; i < 100; i++) concurrency.finished({ durationMs: 50, inFlight: 2 });
    assert.equal(concurrency.limit, 8);
  });
});
