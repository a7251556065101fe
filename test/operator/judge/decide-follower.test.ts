// What is decided about a worker that follows a Job: its last look may take as long as an outage.
import assert from 'node:assert/strict';
import type { StopCause } from '../../../src/operator/judge/attempt.ts';
import { decide, type DecideInput } from '../../../src/operator/judge/decide.ts';
import { jobKeyOf } from '../../../src/operator/judge/job-key.ts';
import { input, missing, running, short } from '../support/decide-inputs.ts';
import { type MigrationOptions, migrationOf, nowMs } from '../support/migrations.ts';

const original = migrationOf();

function stopsOf(stopping: StopCause | undefined, options: MigrationOptions): string[] {
  const worker = running({ follows: true, restartKey: jobKeyOf(original.spec), stopping });
  const { actions } = decide(input({ resource: migrationOf(options), worker }));
  return short(actions).filter((action) => action.startsWith('stop'));
}

const suspended: MigrationOptions = { spec: { suspend: true } };
const edited: MigrationOptions = { spec: { limits: { inFlightWrites: 3 } } };
const deleted: MigrationOptions = { deletedAt: '2025-06-01T11:59:00Z' };

describe('the decision about a follower', () => {
  for (const cause of [undefined, 'job-ended', 'job-lost'] as const) {
    const when = cause === undefined ? 'while it follows' : `during the last look (${cause})`;
    it(`stops it ${when}`, () => {
      assert.deepEqual(stopsOf(cause, suspended), ['stop drain suspend']);
      assert.deepEqual(stopsOf(cause, edited), ['stop drain spec-changed']);
      assert.deepEqual(stopsOf(cause, deleted), ['stop abort deleted']);
      assert.deepEqual(stopsOf(cause, {}), []);
    });
  }

  const afterEdit = (changes: Partial<DecideInput>) => {
    const worker = running({ follows: true, restartKey: jobKeyOf(original.spec) });
    return short(decide(input({ resource: migrationOf(edited), worker, ...changes })).actions);
  };

  it('checks an edit before it stops it', () => {
    assert.deepEqual(afterEdit({ check: undefined }), ['check']);
    assert.deepEqual(afterEdit({}), ['stop drain spec-changed', 'status running']);
  });

  it('lets it follow after an edit that is not accepted, until the pods are gone', () => {
    assert.deepEqual(afterEdit({ check: missing, podsEnding: true }), ['status rejected']);
    assert.deepEqual(afterEdit({ check: missing }), ['stop drain spec-changed', 'status rejected']);
    const now = { wallMs: nowMs, monotonicMs: missing.retryAtMs };
    const late = { check: missing, podsEnding: true, now };
    assert.deepEqual(afterEdit({ ...late, checkIsFresh: false }), ['check'], 'the Secret may be there now');
    assert.deepEqual(afterEdit(late), ['status rejected']);
  });

  it('stops it once', () => {
    assert.deepEqual(stopsOf('suspend', suspended), []);
    assert.deepEqual(stopsOf('job-replaced', edited), []);
    assert.deepEqual(stopsOf('job-replaced', deleted), ['stop abort deleted']);
  });
});
