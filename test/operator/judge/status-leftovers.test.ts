import assert from 'node:assert/strict';
import { leftoversPatch } from '../../../src/operator/judge/status-leftovers.ts';

describe('fields that others have left in a status', () => {
  const wanted = { phase: 'Running', progress: { percent: 1 }, conditions: [{ type: 'Accepted' }] };

  it('are empty when the status contains only fields of the operator, whatever their values', () => {
    assert.equal(leftoversPatch(wanted, wanted), undefined);
    assert.equal(leftoversPatch({ phase: 'Pending', progress: { percent: 2 } }, wanted), undefined);
    assert.equal(leftoversPatch({}, wanted), undefined);
  });

  it('are removed at the top level, in objects, and in lists', () => {
    const there = {
      phase: 'Running',
      completionTime: '2025-01-01T00:00:00Z',
      progress: { percent: 1, rate: '1/s' },
      conditions: [{ type: 'Accepted' }, { type: 'Foreign' }],
    };
    assert.deepEqual(leftoversPatch(there, wanted), {
      completionTime: null,
      progress: { rate: null },
      conditions: [{ type: 'Accepted' }],
    });
  });

  it('include fields whose desired value is undefined as absent', () => {
    assert.deepEqual(leftoversPatch({ id: 'x' }, { id: undefined }), { id: null });
  });
});
