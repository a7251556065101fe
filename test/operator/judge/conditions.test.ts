import assert from 'node:assert/strict';
import {
  type AnyDesiredCondition,
  CONDITION_REASONS,
  conditionTables,
  toConditions,
} from '../../../src/operator/judge/conditions.ts';

const at = (second: number) => Date.UTC(2025, 5, 1, 12, 0, second, 789);
const accepted: AnyDesiredCondition = { type: 'Accepted', status: 'True', reason: 'Valid', message: 'fine' };

describe('conditions', () => {
  it('have the time of their first appearance, in whole seconds', () => {
    assert.deepEqual(toConditions([accepted], undefined, 3, at(1)), [
      {
        type: 'Accepted',
        status: 'True',
        observedGeneration: 3,
        lastTransitionTime: '2025-06-01T12:00:01Z',
        reason: 'Valid',
        message: 'fine',
      },
    ]);
  });

  it('keep their time while the status is unchanged, even when reason and message change', () => {
    const before = toConditions([accepted], undefined, 3, at(1));
    const [after] = toConditions([{ ...accepted, reason: 'NoResumePoint', message: 'other' }], before, 4, at(30));
    assert.equal(after?.lastTransitionTime, '2025-06-01T12:00:01Z');
    assert.equal(after?.reason, 'NoResumePoint');
    assert.equal(after?.observedGeneration, 4);
  });

  it('get a new time when the status changes', () => {
    const before = toConditions([accepted], undefined, 3, at(1));
    const [after] = toConditions([{ ...accepted, status: 'False', reason: 'InvalidSpec' }], before, 3, at(30));
    assert.equal(after?.lastTransitionTime, '2025-06-01T12:00:30Z');
  });

  it('have messages of bounded length', () => {
    const [condition] = toConditions([{ ...accepted, message: 'x'.repeat(5_000) }], undefined, 1, at(1));
    assert.equal(condition?.message.length, 1024);
  });
});

describe('the reasons of conditions', () => {
  it('follow the API conventions', () => {
    for (const reasons of Object.values(CONDITION_REASONS)) {
      for (const reason of Object.keys(reasons)) assert.match(reason, /^[A-Z][A-Za-z]+$/);
    }
  });

  it('document the status they stand for', () => {
    for (const reasons of Object.values(CONDITION_REASONS)) {
      for (const meaning of Object.values(reasons)) assert.match(meaning, /^(True|False|Unknown)\b.*[^.|]$/);
    }
  });

  it('are all in the tables', () => {
    const tables = conditionTables();
    for (const [type, reasons] of Object.entries(CONDITION_REASONS)) {
      assert.ok(tables.includes(`### ${type}\n`));
      for (const reason of Object.keys(reasons)) assert.ok(tables.includes(`| \`${reason}\` |`));
    }
  });
});
