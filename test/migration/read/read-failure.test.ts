import assert from 'node:assert/strict';
import { DoesNotFit } from '../../../src/remote/does-not-fit.ts';
import {
  type Limit,
  type ReadAttempts,
  type ReadFailure,
  type ReadReaction,
  reactToReadFailure,
  toReadFailure,
} from '../../../src/migration/read/read-failure.ts';
import type { RemoteCode } from '../../../src/remote/meaning/response-codes.ts';
import { type ResponseClass, RemoteError } from '../../../src/remote/meaning/remote-error.ts';
import { WireError } from '../../../src/wire/errors.ts';

const first: ReadAttempts = {
  transientResponses: 0,
  ambiguous: 0,
  damaged: 0,
  sameProblem: 1,
  badInARow: 1,
  provenSource: true,
  provenStream: true,
  isLastForm: false,
  splitBy: 'time',
  splitForAmbiguity: false,
};
const byName = { splitBy: 'name' } as const;
const smallest = { splitBy: undefined };
const unproven = { provenSource: false, provenStream: false };
const responded: ReadFailure = { kind: 'transient', responded: true };
const silent: ReadFailure = { kind: 'transient', responded: false };
const tooLarge: ReadFailure = { kind: 'too-large', limit: 'bytes', seenNames: [] };
const damaged: ReadFailure = { kind: 'damaged', problem: 'a wrong checksum', oversized: false };
const oversized: ReadFailure = { kind: 'damaged', problem: 'a frame of 60 MB', oversized: true };
const badChunk: ReadFailure = { kind: 'undecodable', problem: 'an invalid chunk', plain: false };
const badPlain: ReadFailure = { kind: 'undecodable', problem: 'a label twice', plain: true };
const noStream: ReadFailure = { kind: 'unsupported', streams: false };
const unframed: ReadFailure = { kind: 'unsupported', streams: true };

const table: [string, ReadFailure, Partial<ReadAttempts>, ReadReaction][] = [
  ['a rejection', { kind: 'refused' }, {}, 'fail'],
  ['a response that is too large, in a window that can be halved', tooLarge, {}, 'split'],
  ['a response that is too large at the minimum window', tooLarge, byName, 'split'],
  ['a response that is too large for one name in one millisecond', tooLarge, smallest, 'fail'],
  ['an unknown chunk encoding in a stream', { kind: 'unknown-encoding' }, {}, 'samples-only'],
  ['an unknown encoding when SAMPLES were requested', { kind: 'unknown-encoding' }, { isLastForm: true }, 'fail'],
  ['any number of refused connections', silent, { transientResponses: 50 }, 'pause-and-retry'],
  ['a first 503', responded, { transientResponses: 1 }, 'pause-and-retry'],
  ['a second 503', responded, { transientResponses: 2 }, 'pause-and-split'],
  ['a second 503 at the minimum window', responded, { transientResponses: 2, ...byName }, 'pause-and-split'],
  ['503s when nothing can be split', responded, { transientResponses: 9, ...smallest }, 'pause-and-retry'],
  ['a first unknown 400', { kind: 'ambiguous' }, { ambiguous: 1 }, 'pause-and-retry'],
  ['a second unknown 400', { kind: 'ambiguous' }, { ambiguous: 2 }, 'pause-and-retry'],
  ['a third unknown 400', { kind: 'ambiguous' }, { ambiguous: 3 }, 'split'],
  ['an unknown 400 for a half', { kind: 'ambiguous' }, { ambiguous: 1, splitForAmbiguity: true }, 'split'],
  [
    'a first unknown 400 for a half at the minimum window',
    { kind: 'ambiguous' },
    { ambiguous: 1, splitForAmbiguity: true, ...byName },
    'pause-and-retry',
  ],
  [
    'a third unknown 400 for a half at the minimum window',
    { kind: 'ambiguous' },
    { ambiguous: 3, splitForAmbiguity: true, ...byName },
    'fail',
  ],
  ['a third unknown 400 at the minimum window', { kind: 'ambiguous' }, { ambiguous: 3, ...byName }, 'fail'],
  ['a first wrong checksum', damaged, { damaged: 1 }, 'pause-and-retry'],
  ['a second wrong checksum', damaged, { damaged: 2, sameProblem: 2 }, 'pause-and-split'],
  ['a second wrong checksum at the minimum window', damaged, { damaged: 2, ...byName }, 'pause-and-retry'],
  [
    'a fiftieth wrong checksum at the minimum window',
    damaged,
    { damaged: 50, sameProblem: 50, badInARow: 50, ...byName },
    'pause-and-retry',
  ],
  ['a tenth wrong checksum before any good response', damaged, { damaged: 1, badInARow: 10, ...unproven }, 'fail'],
  [
    'a ninth wrong checksum before any good response',
    damaged,
    { damaged: 1, badInARow: 9, ...unproven },
    'pause-and-retry',
  ],
  ['a frame over the limit', oversized, { damaged: 2, sameProblem: 2 }, 'pause-and-split'],
  [
    'a frame over the limit, at the minimum window',
    oversized,
    { damaged: 4, sameProblem: 4, ...byName },
    'pause-and-retry',
  ],
  [
    'the same frame over the limit, at the minimum window',
    oversized,
    { damaged: 5, sameProblem: 5, ...byName },
    'fail',
  ],
  ['an invalid chunk', badChunk, {}, 'pause-and-retry'],
  ['the same invalid chunk again', badChunk, { sameProblem: 2 }, 'pause-and-retry'],
  ['the same invalid chunk for the third time', badChunk, { sameProblem: 3 }, 'samples-only'],
  ['another invalid chunk each time', badChunk, { badInARow: 20 }, 'pause-and-retry'],
  ['another invalid chunk each time before any good response', badChunk, { badInARow: 10, ...unproven }, 'fail'],
  ['invalid SAMPLES', badChunk, { isLastForm: true, sameProblem: 4 }, 'pause-and-retry'],
  ['the same invalid SAMPLES for the fifth time', badChunk, { isLastForm: true, sameProblem: 5 }, 'fail'],
  ['an invalid plain response when a stream was requested', badPlain, { sameProblem: 3 }, 'pause-and-retry'],
  ['the same invalid plain response for the fifth time', badPlain, { sameProblem: 5 }, 'fail'],
  ['a source that does not support streams', noStream, unproven, 'samples-only-for-the-run'],
  ['a source that does not even support SAMPLES', noStream, { isLastForm: true, ...unproven }, 'fail'],
  ['a stream without an end, from the start', unframed, unproven, 'samples-only-for-the-run'],
  ['a stream without an end after good ones', unframed, { sameProblem: 4 }, 'pause-and-retry'],
  ['repeated streams without an end', unframed, { sameProblem: 5 }, 'samples-only-for-the-run'],
];

describe('the reaction to a failed read', () => {
  for (const [what, failure, attempts, reaction] of table) {
    it(`${what}: ${reaction}`, () => {
      assert.equal(reactToReadFailure(failure, { ...first, ...attempts }), reaction);
    });
  }
});

describe('the cause of a failed read', () => {
  const remote = (responseClass: ResponseClass, code: RemoteCode, status?: number) =>
    new RemoteError({ class: responseClass, code, side: 'source', what: code, status });
  const labels = new DoesNotFit('too many labels');
  labels.labelsDominate = true;
  labels.seenNames = ['up'];
  const limit = (counted: Limit): ReadFailure => ({ kind: 'too-large', limit: counted, seenNames: [] });
  const failures: [string, unknown, Parameters<typeof toReadFailure>[1], ReadFailure][] = [
    ['a sample limit', remote('too-large', 'too-many-samples'), 'part', limit('samples')],
    ['a series limit', remote('too-large', 'too-many-series'), 'part', limit('series')],
    ['a response that M3 truncated', remote('too-large', 'results-limited'), 'part', limit('series')],
    ['a byte limit', remote('too-large', 'response-too-large'), 'part', limit('bytes')],
    ['more than fits into memory', new DoesNotFit('too much'), 'part', limit('memory')],
    ['labels that do not fit into memory', labels, 'part', { kind: 'too-large', limit: 'labels', seenNames: ['up'] }],
    ['a 503', remote('transient', 'unavailable', 503), 'part', responded],
    ['a truncated response', remote('transient', 'cut-off'), 'part', responded],
    ['a late response', remote('transient', 'first-byte-timeout'), 'part', responded],
    ['a Query without stores', remote('transient', 'stores-missing', 200), 'part', silent],
    ['a pause in a response', remote('transient', 'silence-timeout'), 'part', responded],
    ['a slow response', remote('transient', 'too-slow'), 'part', responded],
    ['a request that was not read', remote('transient', 'send-timeout'), 'part', silent],
    ['a closed connection', remote('transient', 'connection-reset'), 'part', silent],
    ['a refused connection', remote('transient', 'connection-refused'), 'part', silent],
    ['a stream without an end', remote('unsupported', 'unframed-stream', 200), 'part', unframed],
    ['a 415', remote('unsupported', 'message-unsupported', 415), 'part', noStream],
    ['a 401', remote('refused', 'unauthorized', 401), 'part', { kind: 'refused' }],
    ['an error text in a stream', new WireError('server-error-text', 'no'), 'part', { kind: 'ambiguous' }],
    ['a wrong checksum', new WireError('corrupt', 'a wrong checksum'), 'part', damaged],
    ['a frame that is too long', new WireError('too-large', 'a frame of 60 MB'), 'part', oversized],
    ['an invalid chunk in a valid frame', new WireError('corrupt', 'an invalid chunk'), 'stream', badChunk],
    ['invalid labels in a plain response', new WireError('invalid-labels', 'a label twice'), 'plain', badPlain],
    ['an unknown encoding', new WireError('unknown-encoding', '9'), 'stream', { kind: 'unknown-encoding' }],
  ];
  for (const [what, error, received, failure] of failures) {
    it(`${what}: ${failure.kind}`, () => assert.deepEqual(toReadFailure(error, received), failure));
  }

  it('is undefined for other errors', () => {
    const error = new TypeError('no');
    assert.throws(() => toReadFailure(error, 'part'), error);
  });
});
