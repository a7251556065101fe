import assert from 'node:assert/strict';
import { UndecodableWindows } from '../../../src/migration/verify/undecodable-windows.ts';

const first = { fromMs: 0, toMs: 100 };
const second = { fromMs: 100, toMs: 200 };

describe('UndecodableWindows', () => {
  it('reads a window again, then as SAMPLES, then gives up', () => {
    const windows = new UndecodableWindows();
    const reactions = [false, false, false, true, true].map((plain) => windows.failed(first, plain));
    assert.deepEqual(
      reactions.map(({ times, reaction }) => `${times} ${reaction}`),
      ['1 retry', '2 retry', '3 samples-only', '4 retry', '5 fail'],
    );
  });

  it('counts each window separately', () => {
    const windows = new UndecodableWindows();
    for (let i = 0; i < 4; i++) windows.failed(first, true);
    assert.deepEqual(windows.failed(second, true), { times: 1, reaction: 'retry' });
  });

  it('counts a window whose length has changed as the same one', () => {
    const windows = new UndecodableWindows();
    windows.failed(first, true);
    assert.equal(windows.failed({ fromMs: 0, toMs: 50 }, true).times, 2);
  });

  it('forgets the failures of a window that was read in the end', () => {
    const windows = new UndecodableWindows();
    for (let i = 0; i < 4; i++) windows.failed(first, true);
    windows.passed(second);
    assert.equal(windows.failed(first, true).times, 5);
    windows.passed(first);
    assert.equal(windows.failed(first, true).times, 1);
  });
});
