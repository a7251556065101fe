import assert from 'node:assert/strict';
import { BodyPace } from '../../../src/remote/http/body-pace.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;

/** Bytes that arrive every `everyMs` while a read is always pending; returns the time of the abort, or undefined after an hour. */
function givenUpAfterMs(pace: BodyPace, bytes: number, everyMs: number): { atMs: number; kind: string } | undefined {
  pace.wait(0);
  let nextLookMs = pace.silenceMs;
  for (let nowMs = everyMs; nowMs <= 60 * MINUTE_MS; nowMs += everyMs) {
    for (; nextLookMs <= nowMs; ) {
      const seen = pace.look(nextLookMs);
      if (seen.kind !== 'comes') return { atMs: nextLookMs, kind: seen.kind };
      assert.ok(seen.lookAgainInMs > 0);
      nextLookMs += seen.lookAgainInMs;
    }
    pace.arrived(bytes, nowMs);
  }
  return undefined;
}

describe('the minimum rate of a body', () => {
  const table: [what: string, silenceMs: number, bytes: number, everyMs: number, expected: string | undefined][] = [
    ['nothing at all', 5 * SECOND_MS, 1, 6 * SECOND_MS, 'silent after 5 s'],
    ['a byte a second', 5 * SECOND_MS, 1, SECOND_MS, 'slow after 60 s'],
    ['a byte a second when two minutes of silence are allowed', 2 * MINUTE_MS, 1, SECOND_MS, 'slow after 120 s'],
    ['4 bytes a second', 5 * SECOND_MS, 4, SECOND_MS, 'slow after 60 s'],
    ['5 bytes a second', 5 * SECOND_MS, 5, SECOND_MS, undefined],
    ['a large piece now and then', 2 * MINUTE_MS, 100_000, 119 * SECOND_MS, undefined],
    [
      'a series of 600 bytes a minute when two minutes of silence are allowed',
      2 * MINUTE_MS,
      600,
      MINUTE_MS,
      undefined,
    ],
  ];
  for (const [what, silenceMs, bytes, everyMs, expected] of table) {
    it(`${expected === undefined ? 'allows' : 'rejects'} ${what}`, () => {
      const end = givenUpAfterMs(new BodyPace(silenceMs), bytes, everyMs);
      assert.equal(end && `${end.kind} after ${Math.round(end.atMs / SECOND_MS)} s`, expected);
    });
  }

  it('ignores time without a pending read', () => {
    const pace = new BodyPace(5 * SECOND_MS);
    for (let hour = 0; hour < 10; hour++) {
      const startMs = hour * 60 * MINUTE_MS;
      pace.wait(startMs);
      pace.arrived(1, startMs + SECOND_MS);
      pace.pause(startMs + 2 * SECOND_MS);
      assert.equal(pace.look(startMs + 59 * MINUTE_MS).kind, 'comes');
    }
    pace.wait(600 * MINUTE_MS);
    assert.equal(pace.look(600 * MINUTE_MS + 4 * SECOND_MS).kind, 'comes', '24 s of waiting by now');
  });

  it('adds up the waiting times, however short each is', () => {
    const pace = new BodyPace(5 * SECOND_MS);
    let nowMs = 0;
    for (let i = 0; i < 61; i++) {
      pace.wait(nowMs);
      nowMs += SECOND_MS;
      pace.arrived(1, nowMs);
      pace.pause(nowMs);
      nowMs += MINUTE_MS;
    }
    pace.wait(nowMs);
    assert.deepEqual(pace.look(nowMs), { kind: 'slow', bytes: 61 });
  });
});
