// When a refusal is taken as a sign that the clock is wrong.
import assert from 'node:assert/strict';
import { ClockOffset } from '../../../src/remote/credentials/clock-offset.ts';

const NOW_MS = Date.UTC(2025, 0, 1);
const dateAt = (ms: number) => new Date(ms).toUTCString();

describe('the offset of a clock', () => {
  it('is that between the response and the time of its arrival', () => {
    const offset = new ClockOffset();
    assert.equal(offset.correct(dateAt(NOW_MS + 300_000), offset.ms, NOW_MS), true);
    assert.equal(offset.ms, 300_000);
  });

  it('does not change because a response took minutes', () => {
    const offset = new ClockOffset();
    // Signed long before, with a clock that is in order: the keys have expired meanwhile, and are the reason.
    assert.equal(offset.correct(dateAt(NOW_MS + 400_000), offset.ms, NOW_MS + 401_000), false);
    assert.equal(offset.ms, 0);
  });

  it('may be the reason for a request that was signed before it was known', () => {
    const offset = new ClockOffset();
    const before = offset.ms;
    assert.equal(offset.correct(dateAt(NOW_MS + 300_000), before, NOW_MS), true);
    assert.equal(offset.correct(dateAt(NOW_MS + 300_500), before, NOW_MS + 500), true);
    assert.equal(offset.correct(dateAt(NOW_MS + 301_000), offset.ms, NOW_MS + 1000), false);
  });

  it('is not known without the time of the server', () => {
    const offset = new ClockOffset();
    for (const date of [undefined, 'yesterday']) assert.equal(offset.correct(date, 0, NOW_MS), false);
  });
});
