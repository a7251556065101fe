import assert from 'node:assert/strict';
import { EventRecorder } from '../../../src/operator/kube/event-recorder.ts';
import type { RecordedEvent } from '../../../src/operator/kube/kube-objects.ts';
import { KubeClient } from '../../../src/operator/kube/kube-client.ts';
import type { KubeEvent } from '../../../src/operator/kube/kube-objects.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { ManualClock, settled, until } from '../support/manual-clock.ts';

const migration = {
  apiVersion: 'prom-migrator.io/v1alpha1',
  kind: 'PromMigration',
  namespace: 'team',
  name: 'm',
  uid: 'u1',
  resourceVersion: '7',
};
const stalled: RecordedEvent = {
  type: 'Warning',
  reason: 'NoProgress',
  action: 'Migrate',
  note: 'no window for 10 min',
};
const collection = '/apis/events.k8s.io/v1/namespaces/team/events';

async function start() {
  const server = await FakeApiServer.start();
  const client = new KubeClient(server.connection, { request: () => {} });
  const clock = new ManualClock();
  const dropped: unknown[] = [];
  let seed = 0;
  const recorder = new EventRecorder({
    client,
    clock,
    random: () => (++seed % 1000) / 1000,
    instance: 'pod-1',
    onDropped: (error) => dropped.push(error),
  });
  const events = () => {
    const names = new Set(
      server.requests.filter(({ method }) => method === 'POST').map(({ body }) => (body as KubeEvent).metadata.name),
    );
    return [...names].flatMap((name) => server.read<KubeEvent>(`${collection}/${name}`) ?? []);
  };
  return {
    server,
    clock,
    recorder,
    dropped,
    events,
    requests: () => server.requests.map(({ method }) => method).join(' '),
    async [Symbol.asyncDispose]() {
      client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe('the event recorder', () => {
  it('creates an event as events.k8s.io/v1 requires', async () => {
    await using parts = await start();
    parts.recorder.record(migration, stalled);
    await parts.recorder.flush();
    const [event] = parts.events();
    assert.match(event?.metadata.name ?? '', /^m\.[0-9a-f]+$/);
    const { metadata, ...rest } = event!;
    assert.equal(metadata.namespace, 'team');
    assert.deepEqual(rest, {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'prom-migrator.io/operator',
      reportingInstance: 'pod-1',
      regarding: migration,
      ...stalled,
    });
  });

  it('counts repeats in a series, written together a few seconds later', async () => {
    await using parts = await start();
    const { clock, recorder } = parts;
    recorder.record(migration, stalled);
    await until('it is told', () => parts.events().length === 1);
    for (let repeat = 0; repeat < 9; repeat++) {
      recorder.record(migration, stalled);
      await clock.advance(1_000);
    }
    assert.equal(parts.requests(), 'POST');
    await clock.advance(10_000);
    await until('the repeats are told', () => parts.events()[0]?.series !== undefined);
    assert.deepEqual(parts.events()[0]?.series, { count: 10, lastObservedTime: '2026-01-01T00:00:08.000000Z' });
    assert.equal(parts.requests(), 'POST PATCH');
    assert.deepEqual(parts.server.requests[1]?.headers['content-type'], 'application/merge-patch+json');
  });

  it('collects the repeats of several events for the same few seconds, and those that come during a flush', async () => {
    await using parts = await start();
    const { clock, recorder } = parts;
    const started: RecordedEvent = { ...stalled, reason: 'Started' };
    for (const event of [stalled, started]) recorder.record(migration, event);
    await until('both are sent', () => parts.events().length === 2);
    recorder.record(migration, stalled);
    await clock.advance(14_000);
    recorder.record(migration, started);
    assert.equal(clock.sleeping.length, 1);
    await clock.advance(1_000);
    await until('the repeats are sent', () => parts.requests() === 'POST POST PATCH PATCH');
    recorder.record(migration, stalled);
    const flushed = recorder.flush();
    recorder.record(migration, started);
    await flushed;
    await recorder.flush();
    assert.deepEqual(
      parts.events().map(({ series }) => series?.count),
      [3, 3],
    );
  });

  for (const hours of [1, -1]) {
    it(`keeps its series and its limits when the wall clock jumps by ${hours} h, and records the current time`, async () => {
      await using parts = await start();
      const { clock, recorder } = parts;
      for (let index = 0; index < 6; index++) recorder.record(migration, { ...stalled, note: `window ${index}` });
      await recorder.flush();
      clock.setWallClock(clock.now() + hours * 3_600_000);
      recorder.record(migration, { ...stalled, note: 'window 4' });
      recorder.record(migration, { ...stalled, note: 'window 7' });
      await recorder.flush();
      assert.equal(parts.events().length, 5);
      const lastObservedTime = hours > 0 ? '2026-01-01T01:00:00.000000Z' : '2025-12-31T23:00:00.000000Z';
      assert.deepEqual(parts.events().at(-1)?.series, { count: 4, lastObservedTime });
    });
  }

  it('records a separate event for another object, reason or note', async () => {
    await using parts = await start();
    const { recorder } = parts;
    recorder.record(migration, stalled);
    recorder.record({ ...migration, uid: 'u2' }, stalled);
    recorder.record(migration, { ...stalled, reason: 'Started' });
    recorder.record(migration, { ...stalled, note: 'no window for 20 min' });
    await recorder.flush();
    assert.equal(parts.events().length, 4);
    assert.equal(new Set(parts.events().map(({ metadata }) => metadata.name)).size, 4);
  });

  it('limits the number of different notes and counts the rest', async () => {
    await using parts = await start();
    const { clock, recorder } = parts;
    for (let index = 0; index < 1_000; index++) recorder.record(migration, { ...stalled, note: `window ${index}` });
    await recorder.flush();
    assert.equal(parts.events().length, 5);
    assert.equal(parts.events().at(-1)?.series?.count, 996);
    await clock.advance(60_000);
    recorder.record(migration, { ...stalled, note: 'later' });
    recorder.record(migration, { ...stalled, note: 'too soon' });
    await recorder.flush();
    assert.deepEqual(
      parts
        .events()
        .slice(5)
        .map(({ note, series }) => `${note} ${series?.count}`),
      ['later 2'],
    );
  });

  it('starts a new series when the server has deleted the old one', async () => {
    await using parts = await start();
    const { clock, recorder, server } = parts;
    recorder.record(migration, stalled);
    await recorder.flush();
    server.remove(`${collection}/${parts.events()[0]?.metadata.name}`);
    recorder.record(migration, stalled);
    await recorder.flush();
    assert.equal(parts.requests(), 'POST PATCH POST');
    assert.equal(parts.events()[0]?.series?.count, 2);
    await clock.advance(31 * 60_000);
    recorder.record(migration, stalled);
    await recorder.flush();
    assert.equal(parts.events().length, 2);
    assert.equal(parts.events()[1]?.series, undefined);
  });

  it('records no secrets in URLs, no control characters, and at most a kilobyte of whole characters', async () => {
    await using parts = await start();
    const { recorder } = parts;
    const note = `refused by https://me:canary@host/x?p=canary\n\u001b[31m${'ä'.repeat(2_000)}`;
    recorder.record(migration, { ...stalled, note });
    await recorder.flush();
    const told = parts.events()[0]?.note ?? '';
    assert.ok(told.startsWith('refused by https://host/x?p=***\\n\\u001b[31mää'), told);
    assert.doesNotMatch(told, /canary|\ufffd/);
    assert.ok(Buffer.byteLength(told) <= 1_024 && Buffer.byteLength(told) > 1_000);
  });

  it('continues when a server fails, and logs it once', async () => {
    await using parts = await start();
    const { clock, recorder, server, dropped } = parts;
    server.fault({ act: { status: 500 } });
    server.fault({ act: 'lose-answer' });
    recorder.record(migration, stalled);
    for (let attempt = 1; attempt <= 2; attempt++) {
      await until('it waits', () => server.requests.length === attempt && clock.sleeping.length === 1);
      await clock.advance(clock.sleeping[0]!);
    }
    await until('it is told', () => server.requests.length === 3);
    await recorder.flush();
    assert.equal(parts.events().length, 1);
    assert.deepEqual(dropped, []);
  });

  it('drops a rejected event, and continues with the next', async () => {
    await using parts = await start();
    const { recorder, server, dropped } = parts;
    server.fault({ act: { status: 403, reason: 'Forbidden' } });
    recorder.record(migration, stalled);
    recorder.record(migration, { ...stalled, reason: 'Started' });
    await recorder.flush();
    assert.equal(dropped.length, 1);
    assert.deepEqual(
      parts.events().map(({ reason }) => reason),
      ['Started'],
    );
  });

  it('never throws, whatever its input', async () => {
    await using parts = await start();
    parts.recorder.record(migration, { ...stalled, note: null as unknown as string });
    parts.recorder.record(null as unknown as typeof migration, stalled);
    parts.recorder.record({ ...migration, namespace: '..' }, stalled);
    await parts.recorder.flush();
    assert.equal(parts.dropped.length, 3);
  });

  it('delays shutdown by at most five seconds when the server does not respond', async () => {
    await using parts = await start();
    const { clock, recorder, server } = parts;
    server.fault({ act: 'no-answer', times: 100 });
    recorder.record(migration, stalled);
    let over = false;
    const flushing = recorder.flush().then(() => {
      over = true;
    });
    await until('it was asked', () => server.requests.length === 1);
    await clock.advance(4_999);
    assert.equal(over, false);
    await clock.advance(1);
    await flushing;
    await settled();
    assert.deepEqual(clock.sleeping, []);
  });
});
