import assert from 'node:assert/strict';
import { writeUrgency } from '../../../src/operator/judge/write-urgency.ts';
import { halfWay, running, statusOf } from '../support/statuses.ts';

describe('the delay of a status write', () => {
  const before = statusOf({ situation: running, track: halfWay() });

  it('is zero for the first one, and for fields that programs react to', () => {
    assert.equal(writeUrgency(undefined, before), 'now');
    assert.equal(writeUrgency(before, { ...before, phase: 'Stalled' }), 'now');
    assert.equal(writeUrgency(before, { ...before, observedGeneration: 2 }), 'now');
    const [first, ...rest] = before.conditions ?? [];
    assert.ok(first !== undefined);
    assert.equal(writeUrgency(before, { ...before, conditions: [{ ...first, reason: 'Other' }, ...rest] }), 'now');
    assert.equal(writeUrgency({ ...before, conditions: rest }, before), 'now');
  });

  it('is short for progress and for messages', () => {
    assert.equal(writeUrgency(before, { ...before, progress: { ...before.progress, samplesRead: 1 } }), 'soon');
    const [first, ...rest] = before.conditions ?? [];
    assert.ok(first !== undefined);
    assert.equal(writeUrgency(before, { ...before, conditions: [{ ...first, message: 'other' }, ...rest] }), 'soon');
  });

  it('is infinite for an equal status, whatever the field order of the API server', () => {
    const reordered = Object.fromEntries(Object.entries(before).reverse());
    assert.equal(writeUrgency(reordered, before), 'none');
  });
});
