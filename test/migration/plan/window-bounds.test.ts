import assert from 'node:assert/strict';
import { uncertainMs } from '../../../src/migration/plan/window-bounds.ts';

describe('the uncertain range after a mark', () => {
  it('is half an hour in order and a day otherwise, whatever the current window length', () => {
    assert.equal(uncertainMs('InOrder'), 3_600_000);
    assert.equal(uncertainMs('Any'), 24 * 3_600_000);
  });
});
