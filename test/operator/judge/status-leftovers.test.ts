import assert from 'node:assert/strict';
import { leftoversPatch } from '../../../src/operator/judge/status-leftovers.ts';

describe('what others have left in a status', () => {
  const wanted = { phase: 'Running', progress: { percent: 1 }, conditions: [{ type: 'Accepted' }] };

  it('is nothing when only our own is there, whatever its values', () => {
    assert.equal(leftoversPatch(wanted, wanted), undefined);
    assert.equal(leftoversPatch({ phase: 'Pending', progress: { percent: 2 } }, wanted), undefined);
    assert.equal(leftoversPatch({}, wanted), undefined);
  });

  it('is removed at the top, inside, and from lists', () => {
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

  it('counts a field that is wanted as undefined as one that is not there', () => {
    assert.deepEqual(leftoversPatch({ id: 'x' }, { id: undefined }), { id: null });
  });
});
