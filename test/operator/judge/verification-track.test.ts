import assert from 'node:assert/strict';
import { verificationFields } from '../../../src/operator/judge/status-verification.ts';
import { VerificationTrack } from '../../../src/operator/judge/verification-track.ts';
import { someVerification } from '../../migration/support/verification.ts';
import { endMs, specOf, startMs } from '../support/migrations.ts';

const spec = specOf({ verification: { mode: 'Full', onDifference: 'Fail', onExtra: 'Report', settle: '30s' } });
const settings = { onDifference: 'Fail', onExtra: 'Report', settle: '30s' };

describe('a verification that resumes from a status', () => {
  for (const [title, missing, kinds] of [
    ['keeps the differences of the earlier attempt', 1, ['missing', 'extra']],
    ['does not keep missing samples that turned out to be expected', 0, ['extra']],
  ] as const) {
    it(title, () => {
      const one = { labels: 'up', source: '1', destination: undefined };
      const first = [
        { ...one, timestampMs: startMs + 1, kind: 'missing' as const },
        { ...one, timestampMs: startMs + 2, kind: 'extra' as const },
      ];
      const throughMs = startMs + 417;
      const earlier = someVerification({
        startMs,
        endMs,
        throughMs,
        reachedMs: throughMs,
        missing: 1,
        extra: 1,
        first,
      });
      const track = new VerificationTrack({ verification: verificationFields(settings, earlier) }, { startMs, endMs });
      track.attemptStarted(spec);
      track.report({ ...earlier, throughMs: endMs, missing, first: [], resumedFromMs: throughMs });
      assert.deepEqual(
        track.current?.first.map(({ kind }) => kind),
        kinds,
      );
    });
  }

  it('begins again if it was divided, because its counts are not those up to a time', () => {
    const throughMs = startMs + 417;
    const earlier = someVerification({ startMs, endMs, throughMs, reachedMs: throughMs, samplesCompared: 9 });
    for (const isDivided of [false, true]) {
      const status = { verification: verificationFields(settings, { ...earlier, isDivided }) };
      assert.equal(status.verification.through === undefined, isDivided);
      const next = new VerificationTrack(status, { startMs, endMs });
      assert.equal(next.resumable(spec)?.throughMs, isDivided ? undefined : throughMs);
      const same = new VerificationTrack(undefined, { startMs, endMs });
      same.attemptStarted(spec);
      same.report({ ...earlier, isDivided });
      assert.equal(same.resumable(spec)?.throughMs, isDivided ? undefined : throughMs);
    }
    const { through } = verificationFields(settings, { ...earlier, isDivided: true, finished: true, throughMs: endMs });
    assert.ok(through !== undefined);
  });
});
