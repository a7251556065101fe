// How the reflector detects that a watch is silent or has missed events.

import assert from 'node:assert/strict';
import { until } from '../support/manual-clock.ts';
import { path, one, start, waitsAndGoesOn } from '../support/reflector-run.ts';

describe('the reflector, with a silent watch', () => {
  it('closes a watch without events, and lists again to find missed ones', async () => {
    await using parts = await start();
    const { server, clock } = parts;
    await parts.watching();
    server.silenceWatches();
    server.put(path, one('a'));
    await clock.advance(89_999);
    assert.equal(parts.watches(), 1);
    await clock.advance(1);
    await parts.sees('waiting: the watch has received nothing for 90 s');
    await waitsAndGoesOn(parts);
    await parts.sees('added a');
    await until('the silent connection is closed', () => server.openWatches === 1);
  });

  it('keeps a quiet watch with bookmarks, also when the wall clock jumps', async () => {
    await using parts = await start();
    const { server, clock } = parts;
    await parts.watching();
    for (let minute = 0; minute < 5; minute++) {
      await clock.advance(60_000);
      server.bookmark();
      await new Promise((resolve) => setTimeout(resolve, 10));
      if (minute === 2) clock.setWallClock(clock.now() - 3_600_000);
    }
    assert.equal(parts.watches(), 1);
  });

  it('detects a silent watch although the wall clock was set back', async () => {
    await using parts = await start();
    await parts.watching();
    parts.clock.setWallClock(0);
    await parts.clock.advance(110_000);
    await parts.sees('waiting: the watch has received nothing');
  });

  it('lists and starts a new watch every ten minutes, even when the watch looks healthy', async () => {
    await using parts = await start();
    const { server, clock } = parts;
    await parts.watching();
    for (let minute = 1; minute <= 10; minute++) {
      assert.equal(parts.lists(), 1);
      await clock.advance(60_000);
      server.bookmark();
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    await until('it has listed again', () => parts.lists() === 2);
    await until('it watches again', () => parts.watches() === 2);
    await until('the old watch is closed', () => server.openWatches === 1);
    assert.deepEqual([parts.changes, parts.misses], [['synced'], []]);
  });

  it('counts an event that only the regular list has seen', async () => {
    await using parts = await start({ relistMs: 20_000 });
    await parts.watching();
    parts.server.silenceWatches();
    parts.server.put(path, one('a'));
    await parts.clock.advance(20_000);
    await parts.sees('added a');
    assert.deepEqual(parts.misses, [1]);
    assert.deepEqual(parts.changes, ['synced', 'added a']);
  });
});
