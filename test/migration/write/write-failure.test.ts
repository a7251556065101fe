import assert from 'node:assert/strict';
import {
  RATE_LIMITS_BEFORE_SHRINKING,
  reactToWriteFailure,
  SERVER_ERRORS_BEFORE_DIVIDING,
  type WriteAttempts,
  WriteFailures,
  type WriteReaction,
} from '../../../src/migration/write/write-failure.ts';
import type { RemoteCode } from '../../../src/remote/meaning/response-codes.ts';
import { type ResponseClass, RemoteError } from '../../../src/remote/meaning/remote-error.ts';

function failure(responseClass: ResponseClass, code: RemoteCode, status?: number): RemoteError {
  return new RemoteError({ class: responseClass, code, status, side: 'destination', what: 'failed' });
}

const first: WriteAttempts = {
  samples: 100,
  serverErrors: 0,
  rateLimits: 0,
  overLimit: false,
  tookOthers: false,
  tolerated: false,
  others: 'lost',
};

const unavailable = failure('transient', 'unavailable', 503);
const serverError = failure('transient', 'server-error', 500);
const rateLimited = failure('transient', 'rate-limited', 429);
const tooLarge = failure('too-large', 'request-too-large', 413);
const rejected = failure('rejected', 'out-of-order', 400);
const page = failure('refused', 'wrong-content-type', 200);
const single = { samples: 1 };
const suspect = { serverErrors: SERVER_ERRORS_BEFORE_DIVIDING };
const repeatedly = { rateLimits: RATE_LIMITS_BEFORE_SHRINKING };

const table: [title: string, RemoteError, Partial<WriteAttempts>, WriteReaction][] = [
  ['an outage', unavailable, {}, 'retry'],
  ['a long outage', unavailable, { serverErrors: 0, tookOthers: true }, 'retry'],
  ['a few 500s', serverError, { serverErrors: SERVER_ERRORS_BEFORE_DIVIDING - 1 }, 'retry'],
  ['many 500s', serverError, suspect, 'divide'],
  ['many 500s for one sample', serverError, { ...suspect, ...single }, 'test-others'],
  ['many 500s for one sample, others accepted', serverError, { ...suspect, ...single, tookOthers: true }, 'reject'],
  ['a 429', rateLimited, { rateLimits: 1 }, 'retry'],
  ['a 429 that the client retries itself', rateLimited, repeatedly, 'test-size'],
  ["the store's own limiter, which repeats", failure('transient', 'ingestion-limited', 429), repeatedly, 'test-size'],
  ['a 429 for more than the burst limit', rateLimited, { rateLimits: 1, overLimit: true }, 'shrink'],
  ['a 429 for one sample', rateLimited, { ...repeatedly, ...single, overLimit: true }, 'retry'],
  ['a 413', tooLarge, {}, 'shrink'],
  ['a 413 for one sample', tooLarge, single, 'reject'],
  ['a rejection, the others rolled back', rejected, {}, 'divide'],
  ['a rejection, the others kept', rejected, { others: 'kept' }, 'reject'],
  ['a rejection of everything in the window', rejected, { others: 'refused' }, 'reject'],
  ['a rejected sample', rejected, single, 'reject'],
  ['an HTML page', page, {}, 'fail'],
  ['an HTML page in the middle of a healthy migration', page, { tolerated: true }, 'retry'],
  ['wrong credentials', failure('refused', 'unauthorized', 401), {}, 'fail'],
  ['an unknown message type', failure('unsupported', 'message-unsupported', 415), {}, 'fail'],
  ['an abort', failure('aborted', 'aborted'), {}, 'fail'],
];

describe('the reaction to a failed write', () => {
  for (const [title, error, changes, expected] of table) {
    it(`to ${title}: ${expected}`, () => {
      assert.equal(reactToWriteFailure(error, { ...first, ...changes }), expected);
    });
  }
});

describe('the failures of a request', () => {
  it('count 429s only while the destination accepts nothing else', () => {
    const failures = new WriteFailures(7);
    failures.add(rateLimited, 7);
    failures.add(rateLimited, 7);
    assert.equal(failures.rateLimits, 2);
    failures.add(rateLimited, 8);
    assert.equal(failures.rateLimits, 1, 'something else was taken: waiting helps');
    failures.add(unavailable, 8);
    assert.equal(failures.rateLimits, 0, 'another failure came in between');
    assert.equal(failures.attempts, 4);
  });

  it('count the 500s that may be caused by the server', () => {
    const failures = new WriteFailures(0);
    for (const error of [serverError, unavailable, failure('rejected', 'too-old', 500)]) failures.add(error, 0);
    assert.equal(failures.serverErrors, 1);
  });
});
