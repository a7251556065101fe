import assert from 'node:assert/strict';
import type { MigrationEvent } from '../../../src/migration/report/observer.ts';
import { FailingSides } from '../../../src/operator/judge/failing-sides.ts';
import { NETWORK_CODES } from '../../../src/remote/meaning/network-codes.ts';
import { momentAt, nowMs, progressOf } from '../support/migrations.ts';
import { halfWay, running, short, statusOf } from '../support/statuses.ts';

const retry = (attempt: number, message = 'destination returned 503: no'): MigrationEvent & { type: 'retry' } => ({
  type: 'retry',
  side: 'destination',
  code: 'unavailable',
  message,
  attempt,
  delayMs: 1,
});
const response = (status: number): MigrationEvent => ({
  type: 'request',
  side: 'destination',
  status,
  seconds: 1,
  sentBytes: 1,
  receivedBytes: 0,
});

/** Attempts against the destination, by time in seconds: a number is a failed attempt with that number, `ok` a successful response. */
type History = readonly (readonly [atSeconds: number, what: number | 'ok'])[];

describe('an outage', () => {
  const cases: [what: string, history: History, atSeconds: number, outage: boolean][] = [
    ['does not exist while nothing failed', [[0, 'ok']], 60, false],
    [
      'does not exist after two failed attempts, however long ago',
      [
        [0, 1],
        [1, 2],
      ],
      60,
      false,
    ],
    [
      'does not exist after many attempts within five seconds',
      [
        [0, 1],
        [1, 9],
      ],
      4.999,
      false,
    ],
    [
      'exists after three failed attempts over five seconds',
      [
        [0, 1],
        [1, 2],
        [3, 3],
      ],
      5,
      true,
    ],
    [
      'lasts until the side has been healthy for some time',
      [
        [0, 1],
        [6, 4],
        [7, 'ok'],
      ],
      21.999,
      true,
    ],
    [
      'is over when the side has been healthy for some time',
      [
        [0, 1],
        [6, 4],
        [7, 'ok'],
      ],
      22,
      false,
    ],
    [
      'continues when the side fails again before that',
      [
        [0, 1],
        [6, 4],
        [7, 'ok'],
        [20, 1],
      ],
      40,
      true,
    ],
    [
      'does not include an earlier outage that is over',
      [
        [0, 1],
        [6, 4],
        [7, 'ok'],
        [30, 1],
      ],
      60,
      false,
    ],
    [
      'counts the recovery from the first response',
      [
        [0, 1],
        [6, 4],
        [7, 'ok'],
        [20, 'ok'],
      ],
      22,
      false,
    ],
    [
      'does not exist when the failures were over in five seconds',
      [
        [0, 1],
        [3, 4],
        [4, 'ok'],
      ],
      18,
      false,
    ],
  ];
  for (const [what, history, atSeconds, outage] of cases) {
    it(what, () => {
      const sides = new FailingSides();
      for (const [seconds, event] of history) {
        if (event === 'ok') sides.recovered('destination', seconds * 1000);
        else sides.retried(retry(event), seconds * 1000);
      }
      assert.equal(sides.outage(atSeconds * 1000)?.side, outage ? 'destination' : undefined);
      sides.clear();
      assert.equal(sides.outage(atSeconds * 1000), undefined, 'the next attempt starts without it');
    });
  }
});

describe('a failing side', () => {
  it('degrades the migration when it continues', () => {
    const track = halfWay();
    track.report(progressOf(), [retry(1)], momentAt(nowMs));
    track.report(progressOf(), [retry(4)], momentAt(nowMs + 6_000));
    const status = statusOf({ situation: running, track, atMs: nowMs + 6_000 });
    assert.deepEqual(short(status).slice(1), [
      'Progressing=True Retrying',
      'Degraded=True DestinationFailing',
      'Succeeded=Unknown DestinationFailing',
    ]);
    assert.equal(status.conditions?.[2]?.message, 'unavailable: destination returned 503: no');
  });

  it('recovers with a successful response, not with an error', () => {
    const track = halfWay();
    track.report(progressOf(), [retry(1)], momentAt(nowMs));
    track.report(progressOf(), [retry(4), response(503)], momentAt(nowMs + 6_000));
    const failing = () => statusOf({ situation: running, track, atMs: nowMs + 60_000 }).conditions?.[2]?.status;
    assert.equal(failing(), 'True');
    track.report(progressOf(), [response(204)], momentAt(nowMs + 7_000));
    assert.equal(failing(), 'False');
  });

  it('is listed in the recent errors: repeats counted, newest first, at most ten, truncated and redacted', () => {
    const track = halfWay();
    const codes = Object.keys(NETWORK_CODES).slice(0, 12) as (keyof typeof NETWORK_CODES)[];
    for (const code of codes) track.noteError('source', code, 'x'.repeat(2_000), nowMs);
    track.report(
      progressOf(),
      [
        retry(1, 'see http://user:hunter2@destination/?p=hunter2\u001b[2J'),
        retry(2, 'see http://user:hunter2@destination/?p=hunter2\u001b[2J'),
      ],
      momentAt(nowMs),
    );
    const errors = statusOf({ situation: running, track }).recentErrors ?? [];
    assert.equal(errors.length, 10);
    assert.equal(errors[0]?.code, 'unavailable');
    assert.equal(errors[0]?.count, 2);
    assert.equal(errors[0]?.side, 'destination');
    assert.ok(!JSON.stringify(errors).includes('hunter2'));
    assert.ok(!JSON.stringify(errors).includes('\\u001b['));
    assert.equal(errors[1]?.code, codes[11]);
    assert.ok(errors.every(({ message }) => message.length <= 512));
  });
});
