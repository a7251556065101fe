import assert from 'node:assert/strict';
import { settled, until } from '../support/manual-clock.ts';
import { path, one, pathOf, isWatch, isList, start, waitsAndGoesOn } from '../support/reflector-run.ts';

describe('the reflector', () => {
  it('lists, then watches from there with bookmarks and a server-side timeout', async () => {
    await using parts = await start({}, (server) => {
      server.put(path, one('a'));
    });
    const { server, changes } = parts;
    await parts.watching();
    server.put(path, one('b'));
    server.put(path, one('b', { labels: { x: 'y' } }));
    server.remove(pathOf('a'));
    await parts.sees('deleted a');
    assert.deepEqual(changes, ['synced ns/a', 'added b', 'modified b', 'deleted a']);
    const [list, watch] = server.requests;
    assert.deepEqual(list?.query, { limit: '500' });
    assert.deepEqual(watch?.query, {
      watch: 'true',
      resourceVersion: '101',
      allowWatchBookmarks: 'true',
      timeoutSeconds: '450',
    });
    assert.deepEqual([...parts.objects.keys()], ['ns/b']);
  });

  it('selects by the same labels or fields in lists and watches', async () => {
    const selected = { fieldSelector: 'metadata.name=a' };
    await using parts = await start({ selected }, (server) => {
      server.put(path, one('a'));
    });
    await parts.watching();
    assert.deepEqual(
      parts.server.requests.map(({ query }) => query['fieldSelector']),
      ['metadata.name=a', 'metadata.name=a'],
    );
  });

  it('reads a long list in pages', async () => {
    await using parts = await start({ pageSize: 2 }, (server) => {
      for (const name of ['a', 'b', 'c', 'd', 'e']) server.put(path, one(name));
    });
    await parts.sees('synced');
    assert.deepEqual(parts.changes, ['synced ns/a ns/b ns/c ns/d ns/e']);
    assert.equal(parts.lists(), 3);
  });

  it('reads the list in one piece when its pages expire in between', async () => {
    let expired = false;
    await using parts = await start({ pageSize: 2 }, (server) => {
      for (const name of ['a', 'b', 'c']) server.put(path, one(name));
      server.fault({
        when: ({ query }) => {
          if (query['continue'] !== undefined) expired = true;
          return query['continue'] !== undefined;
        },
        act: { status: 410, reason: 'Expired' },
      });
    });
    await parts.sees('synced');
    assert.ok(expired);
    assert.deepEqual(parts.changes, ['synced ns/a ns/b ns/c']);
  });

  it('strips unused fields', async () => {
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', mine: 'x' };
    await using parts = await start({}, (server) => {
      server.put(path, one('a', { managedFields: [{}], annotations }));
    });
    await parts.sees('synced');
    assert.deepEqual(parts.objects.get('ns/a')?.metadata.annotations, { mine: 'x' });
    assert.ok(!('managedFields' in (parts.objects.get('ns/a')?.metadata ?? {})));
  });

  it('continues from the last bookmark when the server ends a quiet watch', async () => {
    await using parts = await start();
    const { server, clock } = parts;
    await parts.watching();
    server.put('/apis/else/v1/things', one('unseen'));
    server.bookmark();
    await settled();
    await clock.advance(5_000);
    server.compact();
    server.endWatches();
    await until('it watches again', () => parts.watches() === 2);
    await parts.watching();
    assert.equal(server.requests.at(-1)?.query['resourceVersion'], '101');
    assert.equal(parts.lists(), 1);
  });

  it('backs off from a server that ends each watch immediately', async () => {
    await using parts = await start();
    await parts.watching();
    parts.server.endWatches();
    await parts.sees('waiting: the API server ended the watch immediately after it started; retrying in 0.8 s');
    assert.equal(parts.watches(), 1);
  });

  for (const how of ['among the events', 'as a response'] as const) {
    it(`lists again immediately when its version is gone (410 ${how}), and sees what was deleted and replaced meanwhile`, async () => {
      await using parts = await start({}, (server) => {
        for (const name of ['gone', 'same', 'other', 'changed']) server.put(path, one(name));
      });
      const { server, clock, changes } = parts;
      await parts.watching();
      server.silenceWatches();
      server.remove(pathOf('gone'));
      server.remove(pathOf('other'));
      server.put(path, one('other'));
      server.put(path, one('changed', { labels: { x: 'y' } }));
      server.put(path, one('new'));
      server.compact();
      if (how === 'as a response') server.fault({ when: isWatch, act: { status: 410, reason: 'Expired' } });
      await clock.advance(5_000);
      server.endWatches();
      await parts.sees('deleted gone');
      await until('it watches again', () => server.openWatches === 1);
      assert.deepEqual(changes.slice(1).sort(), [
        'added new',
        'added other',
        'deleted gone',
        'deleted other',
        'modified changed',
      ]);
      assert.ok(changes.indexOf('deleted other') < changes.indexOf('added other'));
      assert.deepEqual([...parts.objects.keys()].sort(), ['ns/changed', 'ns/new', 'ns/other', 'ns/same']);
      assert.deepEqual(parts.misses, []);
    });
  }

  it('does not list in a loop when the server repeatedly returns 410', async () => {
    await using parts = await start({}, (server) => {
      server.fault({ when: isWatch, times: 1000, act: { status: 410, reason: 'Expired' } });
    });
    await parts.sees('waiting');
    assert.equal(parts.lists(), 2);
    await waitsAndGoesOn(parts);
    await waitsAndGoesOn(parts, 2);
    await until('it waits again', () => parts.changes.length === 4);
    assert.equal(parts.lists(), 4);
  });

  it('resumes the watch after one failure, and lists again after two', async () => {
    await using parts = await start();
    const { server } = parts;
    await parts.watching();
    server.fault({ when: isWatch, act: { status: 500, reason: 'InternalError' } });
    server.cutWatches();
    await waitsAndGoesOn(parts);
    await until('it has tried to watch', () => parts.watches() === 2);
    assert.equal(parts.lists(), 1);
    await waitsAndGoesOn(parts, 2);
    await parts.watching();
    assert.equal(parts.lists(), 2);
  });

  it('survives a burst of errors of every kind, with one request at a time, and reports each', async () => {
    await using parts = await start({}, (server) => {
      server.put(path, one('a'));
      server.fault({ act: { status: 500 } });
      // Twice: a single reset of a kept-alive connection is normal.
      server.fault({ act: 'reset', times: 2 });
      server.fault({ act: { status: 200, body: 'no JSON' } });
      server.fault({ act: 'cut-body' });
      server.fault({ act: { status: 403, reason: 'Forbidden' } });
      server.fault({ act: { status: 200, body: 'null' } });
    });
    for (let count = 1; count <= 6; count++) await waitsAndGoesOn(parts, count);
    await parts.watching();
    assert.equal(parts.changes.length, 7);
    assert.equal(parts.changes.at(-1), 'synced ns/a');
    assert.equal(parts.lists(), 8);
  });

  it('survives invalid events', async () => {
    await using parts = await start();
    const { server } = parts;
    for (const [count, text] of [
      'null\n',
      '{"type":"ADDED"}\n',
      '{"type":"ADDED","object":{"metadata":{}}}\n',
      '{]\n',
    ].entries()) {
      await parts.watching();
      server.writeToWatches(text);
      await waitsAndGoesOn(parts, count + 1);
    }
    await parts.watching();
    server.put(path, one('a'));
    await parts.sees('added a');
  });

  it('respects Retry-After, as sent for the first list of a new CRD', async () => {
    await using parts = await start({}, (server) => {
      server.fault({ act: { status: 429, reason: 'TooManyRequests', retryAfter: 9 } });
    });
    await parts.sees('waiting');
    await settled();
    await parts.clock.advance(8_999);
    assert.equal(parts.lists(), 1);
    await parts.clock.advance(501);
    await parts.sees('synced');
  });

  it('waits for a CRD that is not installed, and reports it', async () => {
    await using parts = await start({}, (server) => {
      server.fault({ when: isList, times: 8, act: { status: 404, reason: 'NotFound' } });
    });
    for (let count = 1; count <= 8; count++) {
      await until('it waits', () => parts.changes.length === count);
      assert.match(parts.changes.at(-1) ?? '', /^waiting: .*prommigrations does not exist .*is the CRD installed/);
      await settled();
      assert.ok(parts.clock.sleeping[0]! <= 10_000);
      await parts.clock.advance(parts.clock.sleeping[0]!);
    }
    await parts.sees('synced');
  });

  it('increases the back-off with each failure, also when lists succeed between them, until a healthy minute resets it', async () => {
    const delays: number[] = [];
    await using parts = await start({ random: () => 1 });
    const { server, clock } = parts;
    const failOnce = async () => {
      await parts.watching();
      const before = parts.changes.length;
      server.cutWatches();
      await until('it waits', () => parts.changes.length > before);
      await settled();
      delays.push(Math.max(...clock.sleeping));
      await clock.advance(30_500);
    };
    for (let failure = 0; failure < 7; failure++) await failOnce();
    assert.deepEqual(delays, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    await parts.watching();
    await clock.advance(61_000);
    server.bookmark();
    await new Promise((resolve) => setTimeout(resolve, 10));
    await failOnce();
    assert.equal(delays.at(-1), 1_000);
  });

  it('exits immediately when stopped: before the first byte, in a watch, in a back-off', async () => {
    for (const fault of [undefined, 'no-answer', 'reset'] as const) {
      await using parts = await start({}, (server) => {
        if (fault !== undefined) server.fault({ act: fault });
      });
      if (fault === undefined) await parts.watching();
      if (fault === 'no-answer') await until('it has asked', () => parts.server.requests.length === 1);
      if (fault === 'reset') await parts.sees('waiting');
      parts.stop();
      await parts.running;
      await until('nothing is open', () => parts.server.openWatches === 0);
      await parts.clock.advance(60_000);
      assert.deepEqual(parts.clock.sleeping, []);
      assert.ok(parts.server.requests.length <= 2);
    }
  });

  it('reports every message of the server', async () => {
    let heard = 0;
    await using parts = await start({ onActivity: () => heard++ });
    await parts.watching();
    assert.equal(heard, 1);
    parts.server.bookmark();
    await until('the bookmark is heard', () => heard === 2);
  });
});
