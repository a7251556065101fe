import assert from 'node:assert/strict';
import { LostAnswers } from '../../../src/migration/write/lost-answers.ts';
import type { Hidden, ReadBack } from '../../../src/migration/progress/read-back.ts';
import type { RemoteCode } from '../../../src/remote/meaning/answer-codes.ts';
import { type AnswerClass, RemoteError } from '../../../src/remote/meaning/remote-error.ts';
import { encodeLabels, formatLabels, labelKey } from '../../../src/wire/labels.ts';
import { WriteBatch } from '../../../src/wire/requests/write-batch.ts';
import { writeRequestSeries } from '../../../src/wire/requests/write-request.ts';
import { Settling } from '../../../src/migration/progress/settling.ts';
import { FastClock } from '../support/fake-clock.ts';

const [up, down] = ['up', 'down'].map((name) => encodeLabels([['__name__', name]])) as [Uint8Array, Uint8Array];

function requestOf(...series: [labels: Uint8Array, ...timesMs: number[]][]): Uint8Array {
  const batch = new WriteBatch(64);
  for (const [labels, ...timesMs] of series) for (const timeMs of timesMs) batch.appendSample(labels, timeMs, timeMs);
  return batch.request();
}

/** A destination that shows these times of each series. */
function readBackOf(shown: readonly [labels: Uint8Array, ...timesMs: number[]][], hides: Hidden = 'nothing'): ReadBack {
  return {
    hides,
    add(_names, fromMs, toMs, present) {
      for (const [labels, ...timesMs] of shown)
        present.get(labelKey(labels))?.push(...timesMs.filter((timeMs) => timeMs >= fromMs && timeMs < toMs));
      return Promise.resolve();
    },
    isEmpty: () => Promise.resolve(false),
  };
}

function failure(code: RemoteCode, answerClass: AnswerClass = 'transient'): RemoteError {
  return new RemoteError({ class: answerClass, code, side: 'destination', what: 'failed' });
}

const signal = new AbortController().signal;

describe('a write whose answer was lost', () => {
  const clock = () => new FastClock({ nowMs: 0 });

  it('may have arrived, other than one that was refused or never sent', () => {
    const lost = new LostAnswers({ readBack: undefined, settling: { settle: async () => undefined } });
    // A proxy that restarts says any of these for a store that has committed.
    const mayHave = [
      'connection-reset',
      'cut-off',
      'first-byte-timeout',
      'bad-gateway',
      'gateway-timeout',
      'unavailable',
      'server-error',
      'request-timeout',
      'rate-limited',
      'wrong-content-type',
      'redirected',
      'wrong-path',
    ] as const;
    const hasNot = ['connection-refused', 'dns-not-found', 'connect-timeout', 'ingestion-limited'] as const;
    for (const code of mayHave) assert.equal(lost.mayHaveArrived(failure(code)), true, code);
    for (const code of hasNot) assert.equal(lost.mayHaveArrived(failure(code)), false, code);
  });

  it('is repeated without what the destination shows once it has settled', async () => {
    const time = clock();
    const lost = new LostAnswers({
      readBack: readBackOf([
        [up, 1, 3],
        [down, 4],
      ]),
      settling: new Settling('PromQL', time, async () => false),
    });
    const missing = await lost.missing(requestOf([up, 1, 2, 3], [down, 4]), signal);
    assert.deepEqual(
      [...writeRequestSeries(missing)].map(({ labels, timesMs }) => [formatLabels(labels), timesMs]),
      [['{__name__="up"}', [2]]],
    );
    assert.deepEqual(time.sleeps, [500, 4500]);
    assert.equal(lost.hidden, 'nothing');
  });

  it('is not repeated when all of it is there, and as it is when nothing is', async () => {
    const request = requestOf([up, 1, 2]);
    const all = new LostAnswers({ readBack: readBackOf([[up, 1, 2]]), settling: { settle: async () => undefined } });
    assert.equal((await all.missing(request, signal)).length, 0);
    const none = new LostAnswers({ readBack: readBackOf([[down, 1, 2]]), settling: { settle: async () => undefined } });
    assert.equal(await none.missing(request, signal), request);
  });

  it('is repeated as it is where nothing can be read back, and all of it may be hidden', async () => {
    const blind = new LostAnswers({ readBack: undefined, settling: { settle: async () => undefined } });
    const request = requestOf([up, 1]);
    assert.equal(await blind.missing(request, signal), request);
    assert.equal(blind.hidden, 'everything');
    const byPromql = new LostAnswers({
      readBack: readBackOf([], 'stale-markers'),
      settling: { settle: async () => undefined },
    });
    assert.equal(byPromql.hidden, 'stale-markers');
  });

  it('was written by an earlier run when later samples of its series are shown', async () => {
    const lost = new LostAnswers({
      readBack: readBackOf([
        [up, 5],
        [down, 1],
      ]),
      settling: { settle: async () => undefined },
    });
    assert.equal(await lost.showsLater(requestOf([up, 3]), 10, signal), true);
    assert.equal(await lost.showsLater(requestOf([up, 3]), 2, signal), false, 'not within the stretch');
    assert.equal(await lost.showsLater(requestOf([down, 3]), 10, signal), false, 'only what is earlier');
  });
});
