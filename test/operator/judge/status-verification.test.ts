import assert from 'node:assert/strict';
import { verificationFields, verificationIn } from '../../../src/operator/judge/status-verification.ts';
import { verifiedCondition } from '../../../src/operator/judge/verified-condition.ts';
import { someVerification } from '../../migration/support/verification.ts';
import { completed } from '../support/decide-inputs.ts';
import { endMs, specOf, startMs } from '../support/migrations.ts';

const settings = { onDifference: 'Fail', onExtra: 'Report', settle: '30s' };
const counts = {
  seriesCompared: 12,
  samplesCompared: 100,
  equal: 90,
  missing: 3,
  extra: 4,
  different: 2,
  repeated: 1,
  repaired: 6,
  expected: { rejected: 4, victoriametrics_nan: 1 },
};

describe('a verification in a status', () => {
  it('is complete enough for the next operator to resume it', () => {
    const first = [
      { labels: 'up', timestampMs: startMs + 1, kind: 'different' as const, source: '1', destination: '2' },
      { labels: 'up', timestampMs: startMs + 2, kind: 'extra' as const, source: undefined, destination: '2' },
    ];
    const throughMs = startMs + 417;
    const before = someVerification({
      startMs,
      endMs,
      throughMs,
      reachedMs: throughMs,
      ...counts,
      first,
      firstPresent: first,
    });
    const status = { verification: verificationFields(settings, before) };
    assert.deepEqual(verificationIn(status, { startMs, endMs }), { settings, progress: before });
  });

  it('has no more text than the schema permits, and no credentials', () => {
    const labels = `up{job="${'x'.repeat(2_000)}"}`;
    const source = 'see http://u:hunter2@host/';
    const first = [{ labels, timestampMs: startMs, kind: 'missing' as const, source, destination: undefined }];
    const [shown] = verificationFields(settings, someVerification({ first })).first ?? [];
    assert.equal(shown?.labels.length, 512);
    assert.equal(shown?.source, 'see http://host/');
  });

  it('is none without settings, and none without a place', () => {
    assert.equal(verificationIn(undefined, { startMs, endMs }), undefined);
    assert.equal(verificationIn({ verification: { settings } }, { startMs, endMs }), undefined);
    const through = '2025-01-01T00:00:00Z';
    assert.equal(verificationIn({ verification: { through } }, { startMs, endMs }), undefined);
  });
});

describe('the condition Verified', () => {
  const spec = specOf({ verification: { mode: 'Full' } });
  const situation = { kind: 'ended', outcome: completed, atMs: endMs } as const;
  const messageOf = (changes: object) => {
    const verification = someVerification({ ...counts, finished: true, ...changes });
    const { status, reason, message } = verifiedCondition({ spec, situation, verification });
    return `${status} ${reason}: ${message}`;
  };

  it('counts what was found', () => {
    const found =
      '100 samples compared: 3 missing in the destination, 2 with another value there, 1 more than once there, 4 only there, 5 with an expected change, 6 repaired';
    assert.equal(messageOf({}), `False DifferencesFound: ${found}`);
    const none = { missing: 0, different: 0, repeated: 0, extra: 0, repaired: 0, expected: {} };
    assert.equal(
      messageOf({ ...none, samplesCompared: 28_174_560 }),
      'True Matching: 28,174,560 samples compared, all of them equal',
    );
  });

  it('is False for each kind of difference, and for no extra sample', () => {
    const none = { missing: 0, different: 0, repeated: 0, extra: 0 };
    const status = (changes: object) => messageOf({ ...none, ...changes }).split(' ')[0];
    assert.deepEqual([{ missing: 1 }, { different: 1 }, { repeated: 1 }, { extra: 1 }].map(status), [
      'False',
      'False',
      'False',
      'True',
    ]);
  });
});
