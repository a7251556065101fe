import assert from 'node:assert/strict';
import { anotherAttemptMaySucceed } from '../../../src/migration/report/another-attempt.ts';
import { MIGRATION_CODES, type MigrationCode } from '../../../src/migration/report/migration-codes.ts';
import { judgeEnd } from '../../../src/operator/judge/attempt.ts';
import { RESPONSE_CODES } from '../../../src/remote/meaning/response-codes.ts';
import { nowMs, progressOf } from '../../operator/support/migrations.ts';

const codes = Object.keys({ ...MIGRATION_CODES, ...RESPONSE_CODES }) as MigrationCode[];

describe('a failed attempt', () => {
  it('may be followed by a better one exactly where the operator repeats it itself', () => {
    const repeated = codes.filter((code) => {
      const result = { progress: progressOf({ phase: 'Failed' }), error: { code, message: 'what happened' } };
      const attempt = { cause: undefined, verifies: false, earlier: undefined, samplesRejected: 0 };
      return judgeEnd({ end: { kind: 'result', result }, ...attempt }, nowMs).kind === 'again';
    });
    assert.ok(repeated.length >= 6);
    // The operator has no startup deadline, and writes no file of differences. What blocks a copy goes away when somebody changes it, which the
    // operator waits for.
    const others = ['differences-not-written', 'preflight-blocked'];
    const expected = [...repeated, 'unreachable'].filter((code) => !others.includes(code)).sort();
    assert.deepEqual(codes.filter(anotherAttemptMaySucceed).sort(), expected);
  });
});
