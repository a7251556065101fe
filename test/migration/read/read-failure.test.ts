import assert from 'node:assert/strict';
import {
  type ReadAttempts,
  type ReadFailure,
  type ReadReaction,
  reactToReadFailure,
} from '../../../src/migration/read/read-failure.ts';

const first: ReadAttempts = {
  transientAnswers: 0,
  ambiguous: 0,
  corrupt: 0,
  samplesOnly: false,
  canSplitByTime: true,
  canSplitByName: true,
  splitForAmbiguity: false,
};
const byNameOnly = { canSplitByTime: false };
const cannotSplit = { canSplitByTime: false, canSplitByName: false };
const answered: ReadFailure = { kind: 'transient', answered: true };
const silent: ReadFailure = { kind: 'transient', answered: false };

const table: [string, ReadFailure, Partial<ReadAttempts>, ReadReaction][] = [
  ['a refusal', { kind: 'refused' }, {}, 'fail'],
  ['too much, time to halve', { kind: 'too-large' }, {}, 'split'],
  ['too much at the floor', { kind: 'too-large' }, byNameOnly, 'split'],
  ['too much of one name in one millisecond', { kind: 'too-large' }, cannotSplit, 'fail'],
  ['an unknown chunk encoding in a stream', { kind: 'unknown-encoding' }, {}, 'samples-only'],
  ['an unknown encoding where SAMPLES were asked for', { kind: 'unknown-encoding' }, { samplesOnly: true }, 'fail'],
  ['a connection refused, however often', silent, { transientAnswers: 50 }, 'pause-and-retry'],
  ['a first 503', answered, { transientAnswers: 1 }, 'pause-and-retry'],
  ['a second 503', answered, { transientAnswers: 2 }, 'pause-and-split'],
  ['a second 503 at the floor', answered, { transientAnswers: 2, ...byNameOnly }, 'pause-and-split'],
  ['503s where nothing can be split', answered, { transientAnswers: 9, ...cannotSplit }, 'pause-and-retry'],
  ['a first strange 400', { kind: 'ambiguous' }, { ambiguous: 1 }, 'pause-and-retry'],
  ['a second strange 400', { kind: 'ambiguous' }, { ambiguous: 2 }, 'pause-and-retry'],
  ['a third strange 400', { kind: 'ambiguous' }, { ambiguous: 3 }, 'split'],
  ['a strange 400 of a half', { kind: 'ambiguous' }, { ambiguous: 1, splitForAmbiguity: true }, 'split'],
  [
    'a strange 400 of a half at the floor',
    { kind: 'ambiguous' },
    { ambiguous: 1, splitForAmbiguity: true, ...byNameOnly },
    'fail',
  ],
  ['a third strange 400 at the floor', { kind: 'ambiguous' }, { ambiguous: 3, ...byNameOnly }, 'fail'],
  ['a first wrong checksum', { kind: 'corrupt' }, { corrupt: 1 }, 'pause-and-retry'],
  ['a second wrong checksum', { kind: 'corrupt' }, { corrupt: 2 }, 'samples-only'],
  ['a second broken SAMPLES answer', { kind: 'corrupt' }, { corrupt: 2, samplesOnly: true }, 'fail'],
];

describe('the reaction to a failed read', () => {
  for (const [what, failure, attempts, reaction] of table) {
    it(`${what}: ${reaction}`, () => {
      assert.equal(reactToReadFailure(failure, { ...first, ...attempts }), reaction);
    });
  }
});
