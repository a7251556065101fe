import assert from 'node:assert/strict';
import { judgeMarker } from '../../../src/migration/write/hidden-markers.ts';

describe('a rejected stale marker at 10 that the destination would not show', () => {
  const rows: readonly (readonly [
    shown: readonly number[],
    missing: readonly number[],
    isRead: boolean,
    verdict: ReturnType<typeof judgeMarker>,
    why: string,
  ])[] = [
    [[8], [], false, 'there', 'the sample before it is there'],
    [[8, 30], [20], true, 'there', 'what comes later does not contradict it'],
    [[8], [4], true, 'there', 'an earlier gap does not contradict it'],
    [[8], [9], true, 'not known', 'the sample before it is missing'],
    [[8], [8], true, 'not known', 'the sample before it has another value'],
    [[], [9], true, 'not known', 'the sample before it is missing, and none is shown'],
    [[12], [9], true, 'not known', 'what comes later may have another origin'],
    [[12], [], true, 'there', 'the series starts with it, and the sample after it is there'],
    [[12], [], false, 'not known', 'samples between them may not have been read yet'],
    [[12], [11], true, 'not known', 'the sample after it is missing'],
    [[12], [12], true, 'not known', 'the sample after it has another value'],
    [[], [11], true, 'not known', 'the sample after it is missing, and none is shown'],
    [[], [], true, 'nothing around it', 'the window has nothing else of the series'],
    [[], [], false, 'not known', 'the window may have more of the series'],
  ];
  for (const [shown, missing, isRead, verdict, why] of rows) {
    it(`is ${verdict === 'there' ? '' : 'not assumed to be '}present: ${why}`, () => {
      assert.equal(judgeMarker(10, { shown, missing, isRead }), verdict);
    });
  }
});
