import assert from 'node:assert/strict';
import type { PromMigrationSpec } from '../../../src/api/prom-migration.ts';
import type { PromMigrationStatus } from '../../../src/api/prom-migration-status.ts';
import {
  isVerificationDue,
  verifiedIn,
  wantedVerification,
} from '../../../src/operator/judge/verification-settings.ts';
import { specOf } from '../support/migrations.ts';

const settings = { onDifference: 'Fail', onExtra: 'Report', settle: '30s' };

describe('a verification', () => {
  it('is wanted with mode Full only, and with no other part of the spec', () => {
    assert.equal(wantedVerification(specOf()), undefined);
    assert.deepEqual(wantedVerification(specOf({ verification: { mode: 'Full' } })), settings);
  });

  it('is not wanted of a resource under a CRD that does not have the field', () => {
    const { verification: _, ...older } = specOf();
    assert.equal(wantedVerification(older as PromMigrationSpec), undefined);
  });

  const due: [what: string, spec: Record<string, unknown>, verified: typeof settings | undefined, due: boolean][] = [
    ['is due when it was never made', { mode: 'Full' }, undefined, true],
    ['is not due when it was made with the same settings', { mode: 'Full' }, settings, false],
    ['is due when the settings differ', { mode: 'Full', settle: '1m' }, settings, true],
    ['is due when others are looked for', { mode: 'Full', onExtra: 'Ignore' }, settings, true],
    ['is due when something else is to be done', { mode: 'Full', onDifference: 'Repair' }, settings, true],
    ['is never due when it is off', { mode: 'Off' }, undefined, false],
  ];
  for (const [what, verification, verified, expected] of due) {
    it(what, () => assert.equal(isVerificationDue(specOf({ verification }), verified), expected));
  }

  it('has a result in a status only when it is over', () => {
    const statusWith = (status: 'True' | 'False' | 'Unknown'): PromMigrationStatus => ({
      conditions: [
        { type: 'Verified', status, reason: 'Because', message: '', lastTransitionTime: '2025-06-01T12:00:00Z' },
      ],
      verification: { settings },
    });
    assert.equal(verifiedIn(undefined), undefined);
    assert.equal(verifiedIn({}), undefined);
    assert.equal(verifiedIn(statusWith('Unknown')), undefined);
    assert.deepEqual(verifiedIn(statusWith('True')), settings);
    assert.deepEqual(verifiedIn(statusWith('False')), settings);
  });
});
