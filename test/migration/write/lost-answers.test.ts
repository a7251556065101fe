import assert from 'node:assert/strict';
import { LostAnswers } from '../../../src/migration/write/lost-answers.ts';
import type { RemoteCode } from '../../../src/remote/meaning/answer-codes.ts';
import { NoView } from '../../../src/migration/progress/no-view.ts';
import { type AnswerClass, RemoteError } from '../../../src/remote/meaning/remote-error.ts';
import { encodeLabels, formatLabels } from '../../../src/wire/labels.ts';
import { WriteBatch } from '../../../src/wire/requests/write-batch.ts';
import { writeRequestSeries } from '../../../src/wire/requests/write-request.ts';
import { FakeView } from '../support/fake-view.ts';

const [up, down] = ['up', 'down'].map((name) => encodeLabels([['__name__', name]])) as [Uint8Array, Uint8Array];

function requestOf(...series: [labels: Uint8Array, ...timesMs: number[]][]): Uint8Array {
  const batch = new WriteBatch(64);
  for (const [labels, ...timesMs] of series) for (const timeMs of timesMs) batch.appendSample(labels, timeMs, timeMs);
  return batch.request();
}

function failure(code: RemoteCode, answerClass: AnswerClass = 'transient'): RemoteError {
  return new RemoteError({ class: answerClass, code, side: 'destination', what: 'failed' });
}

const signal = new AbortController().signal;

describe('a write whose answer was lost', () => {
  it('may have arrived, other than one that was refused or never sent', () => {
    const lost = new LostAnswers(new NoView());
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
    const view = new FakeView([
      [up, 1, 3],
      [down, 4],
    ]);
    const lost = new LostAnswers(view);
    const missing = await lost.missing(requestOf([up, 1, 2, 3], [down, 4]), signal);
    assert.deepEqual(
      [...writeRequestSeries(missing)].map(({ labels, timesMs }) => [formatLabels(labels), timesMs]),
      [['{__name__="up"}', [2]]],
    );
    assert.equal(view.settled, 1);
    assert.equal(lost.hides(up), 'nothing');
  });

  it('is not repeated when all of it is there, and as it is when nothing is', async () => {
    const request = requestOf([up, 1, 2]);
    const all = new LostAnswers(new FakeView([[up, 1, 2]]));
    assert.equal((await all.missing(request, signal)).length, 0);
    const none = new LostAnswers(new FakeView([[down, 1, 2]]));
    assert.equal(await none.missing(request, signal), request);
  });

  it('is repeated as it is where nothing can be read back, and all of it may be hidden', async () => {
    const blind = new LostAnswers(new NoView());
    const request = requestOf([up, 1]);
    assert.equal(await blind.missing(request, signal), request);
    assert.equal(blind.hides(up), 'everything');
    const byPromql = new LostAnswers(new FakeView([], 'stale-markers'));
    assert.equal(byPromql.hides(up), 'stale-markers');
  });

  it('was written by an earlier run when later samples of its series are shown', async () => {
    const lost = new LostAnswers(
      new FakeView([
        [up, 5],
        [down, 1],
      ]),
    );
    assert.equal(await lost.showsLater(requestOf([up, 3]), 10, signal), true);
    assert.equal(await lost.showsLater(requestOf([up, 3]), 2, signal), false, 'not within the stretch');
    assert.equal(await lost.showsLater(requestOf([down, 3]), 10, signal), false, 'only what is earlier');
  });
});
