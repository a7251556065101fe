import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type SampleOutcome, WindowAccount } from '../../../src/migration/write/accounting.ts';
import { MigrationError } from '../../../src/migration/report/migration-error.ts';
import { emptyProgress } from '../support/plan.ts';

const isAccountingError = (error: unknown) => error instanceof MigrationError && error.code === 'accounting';

describe("a window's account", () => {
  it('balances when every sample read has one outcome', () => {
    const account = new WindowAccount(emptyProgress());
    account.addRead(10);
    account.add('written', 4);
    account.add('filtered', 1);
    account.add('already-present', 2);
    account.add('conflicting', 1);
    account.addRejected('too_old', 1);
    assert.throws(() => account.close(), isAccountingError);
    account.addRejected('other', 1);
    account.close();
    assert.equal(account.written, 4);
    assert.equal(account.rejected, 2);
  });

  it('does not balance when a sample was counted twice', () => {
    const account = new WindowAccount(emptyProgress());
    account.addRead(1);
    account.add('written', 2);
    assert.throws(() => account.close(), isAccountingError);
  });

  it('is added to the counts of the run, and removed completely when it is withdrawn', () => {
    const outcome = fc.constantFrom<SampleOutcome | 'too_old' | 'other'>(
      'written',
      'filtered',
      'already-present',
      'conflicting',
      'too_old',
      'other',
    );
    const entries = fc.array(fc.tuple(outcome, fc.nat(1000)));
    fc.assert(
      fc.property(entries, entries, (kept, withdrawn) => {
        const progress = emptyProgress();
        const add = (list: typeof kept) => {
          const account = new WindowAccount(progress);
          for (const [what, samples] of list) {
            account.addRead(samples);
            account.addPlain(samples, samples >> 1);
            if (what === 'too_old' || what === 'other') account.addRejected(what, samples);
            else account.add(what, samples);
          }
          return account;
        };
        add(kept);
        const before = structuredClone(progress);
        const account = add(withdrawn);
        account.withdraw();
        // A reason whose count is 0 again may remain.
        const { samplesRejected, ...counts } = progress;
        const { samplesRejected: rejectedBefore, ...countsBefore } = before;
        assert.deepEqual(counts, countsBefore);
        for (const [reason, samples] of Object.entries(samplesRejected))
          assert.equal(samples, rejectedBefore[reason] ?? 0);
        assert.equal(
          progress.samplesRead,
          kept.reduce((sum, [, samples]) => sum + samples, 0),
        );
        account.close();
      }),
    );
  });
});
