import assert from 'node:assert/strict';
import type { KubeClient } from '../../../src/operator/kube/kube-client.ts';
import { LeaseElector } from '../../../src/operator/kube/lease-elector.ts';
import { type Candidate, collection, isWrite, leading, newWorld, world } from '../support/lease-world.ts';
import { ManualClock, settled, until } from '../support/manual-clock.ts';

describe('the lease elector', () => {
  it('creates the lease with microsecond times, renews it, and starts work after holding it for its duration', async () => {
    await using parts = await newWorld();
    const a = parts.candidate('a');
    await until('it has claimed the lease', () => parts.log.length === 1);
    await settled();
    const first = parts.lease?.spec;
    assert.match(first?.acquireTime ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    assert.deepEqual(first, {
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 0,
    });
    await parts.pass(14_000);
    assert.deepEqual([parts.log, a.elector.isLeader], [['a claimed for 15000'], false]);
    await parts.pass(1_500);
    assert.deepEqual(parts.log, ['a claimed for 15000', 'a started']);
    const before = parts.server.requests.length;
    await parts.pass(60_000);
    assert.deepEqual(parts.log, ['a claimed for 15000', 'a started']);
    assert.deepEqual(parts.lease?.spec, { ...first, renewTime: '2026-01-01T00:01:15.000000Z' });
    // One request for each renewal.
    assert.ok(parts.server.requests.length - before <= 31);
  });

  it('lets one work and the others wait', async () => {
    await using parts = await world();
    const a = parts.candidate('a');
    await leading(a);
    const b = parts.candidate('b');
    await parts.pass(60_000);
    assert.deepEqual(parts.log, ['a started']);
    assert.equal(b.elector.holder, 'a');
    assert.equal(b.elector.isLeader, false);
    assert.deepEqual(b.errors, []);
  });

  it('releases the lease when stopped, so that others need not wait until it expires', async () => {
    await using parts = await world();
    const a = parts.candidate('a');
    await leading(a);
    const b = parts.candidate('b');
    await parts.pass(3_000);
    a.stop.abort(new Error('stop'));
    await a.running;
    assert.equal(a.elector.isLeader, false);
    await parts.pass(2_500);
    assert.deepEqual(parts.log, ['a started', 'a stopped', 'b started']);
    assert.equal(b.elector.isLeader, true);
    assert.equal(parts.lease?.spec?.leaseTransitions, 5);
    assert.deepEqual(parts.lease?.metadata.annotations, {});
  });

  it('also releases a lease whose renewal was interrupted', async () => {
    await using parts = await world();
    const a = parts.candidate('a');
    await leading(a);
    parts.server.fault({ when: isWrite, act: 'lose-answer', times: 2 });
    await parts.clock.advance(2_000);
    await until('the renewal is cut off', () => a.errors.length === 1);
    a.stop.abort(new Error('stop'));
    await a.running;
    assert.equal(parts.lease?.spec?.holderIdentity, '');
    assert.equal(a.errors.length, 1);
  });

  it('stops its work before another one may start, when the server no longer responds', async () => {
    await using parts = await world();
    const a = parts.candidate('a');
    await leading(a);
    await parts.pass(4_000);
    const renewedAtMs = parts.clock.monotonicMs();
    parts.server.fault({ act: 'no-answer', times: 1_000 });
    await parts.pass(12_000);
    assert.equal(a.ended, true);
    assert.deepEqual(parts.log, ['a started', 'a stopped']);
    assert.ok(a.stoppedAtMs - renewedAtMs <= 10_000, `${a.stoppedAtMs - renewedAtMs} ms`);
    // The lease was not released: the workers of its holder may still be running.
    assert.equal(parts.lease?.spec?.holderIdentity, 'a');
  });

  it('continues when the server is unavailable for less than the renew deadline', async () => {
    await using parts = await world();
    const a = parts.candidate('a');
    await leading(a);
    parts.server.fault({ act: { status: 500 }, times: 3 });
    await parts.pass(30_000);
    assert.equal(a.errors.length, 3);
    assert.deepEqual(parts.log, ['a started']);
    assert.equal(a.elector.isLeader, true);
  });

  it('takes over from an unresponsive holder, a lease duration after the last observed change', async () => {
    await using parts = await world();
    parts.server.put(collection, {
      metadata: { name: 'prom-migrator', labels: { mine: 'x' } },
      spec: { holderIdentity: 'dead', leaseDurationSeconds: 20, leaseTransitions: 6, preferredHolder: 'kept' },
    });
    const b = parts.candidate('b');
    await parts.pass(20_000);
    assert.deepEqual(parts.log, []);
    await parts.pass(4_000);
    assert.deepEqual(parts.log, ['b started']);
    assert.equal(b.elector.isLeader, true);
    assert.equal(parts.lease?.spec?.leaseTransitions, 7);
    assert.deepEqual(parts.lease?.metadata.labels, { mine: 'x' });
    assert.equal(Object.entries(parts.lease?.spec ?? {}).find(([name]) => name === 'preferredHolder')?.[1], 'kept');
  });

  for (const skewMs of [-3_600_000, 3_600_000]) {
    it(`is not affected by a wall clock that is ${skewMs / 1000} s off`, async () => {
      await using parts = await world();
      const a = parts.candidate('a');
      await leading(a);
      parts.candidate('b', skewMs);
      await parts.pass(40_000);
      assert.deepEqual(parts.log, ['a started']);
      parts.server.fault({
        when: (request) => isWrite(request) && JSON.stringify(request.body).includes('"a"'),
        act: 'reset',
        times: 1_000,
      });
      await parts.pass(40_000);
      assert.deepEqual(parts.log, ['a started', 'a stopped', 'b started']);
    });
  }

  it('does not treat a change of labels as a renewal', async () => {
    await using parts = await world();
    const lease = { metadata: { name: 'prom-migrator' }, spec: { holderIdentity: 'dead', leaseDurationSeconds: 15 } };
    parts.server.put(collection, lease);
    parts.candidate('b');
    for (let round = 0; round < 9; round++) {
      await parts.pass(2_000);
      if (parts.log.length === 0)
        parts.server.put(collection, { ...lease, metadata: { name: 'prom-migrator', labels: { round: `${round}` } } });
    }
    assert.deepEqual(parts.log, ['b started']);
  });

  it('stops at the next renewal when another client took the lease, and does not modify it again', async () => {
    await using parts = await world();
    const a = parts.candidate('a');
    await leading(a);
    parts.server.put(collection, { ...parts.lease!, spec: { ...parts.lease?.spec, holderIdentity: 'thief' } });
    await parts.pass(2_500);
    assert.deepEqual(parts.log, ['a started', 'a stopped']);
    assert.equal(a.ended, true);
    assert.deepEqual(a.errors, []);
    assert.equal(parts.lease?.spec?.holderIdentity, 'thief');
  });

  it('continues without an error when another client has labeled the lease', async () => {
    await using parts = await world();
    const a = parts.candidate('a');
    await leading(a);
    parts.server.put(collection, { ...parts.lease!, metadata: { ...parts.lease!.metadata, labels: { x: 'y' } } });
    await parts.pass(4_000);
    assert.deepEqual(parts.lease?.metadata.labels, { x: 'y' });
    assert.deepEqual([parts.log, a.errors], [['a started'], []]);
  });

  it('does not use the lease after a pause longer than its deadline, and reports no leadership meanwhile', async () => {
    await using parts = await world();
    const a = parts.candidate('a');
    await leading(a);
    const before = parts.server.requests.length;
    // Like after SIGSTOP: all timers are due at once.
    const { clock } = parts;
    clock.skip(11_000);
    assert.equal(a.elector.isLeader, false);
    await clock.advance(0);
    await until('it has stopped', () => a.ended);
    assert.deepEqual(parts.log, ['a started', 'a stopped']);
    assert.equal(parts.server.requests.length, before);
  });

  it('lets exactly one of many acquire a free lease', async () => {
    await using parts = await world();
    const candidates = ['a', 'b', 'c', 'd', 'e'].map((identity) => parts.candidate(identity));
    await parts.pass(10_000);
    assert.equal(candidates.filter(({ elector }) => elector.isLeader).length, 1);
    assert.equal(parts.log.length, 1);
    assert.deepEqual(
      candidates.flatMap(({ errors }) => errors),
      [],
    );
  });

  it('retries after errors at startup, and respects Retry-After', async () => {
    await using parts = await world();
    parts.server.fault({ act: { status: 429, reason: 'TooManyRequests', retryAfter: 8 } });
    const a = parts.candidate('a');
    await until('the error is told', () => a.errors.length === 1);
    await parts.pass(7_500);
    assert.equal(parts.server.requests.length, 1);
    await parts.pass(1_000);
    assert.equal(a.elector.isLeader, true);
  });

  it('never has two leaders, and is never without one for long, while holders die and requests fail', async () => {
    await using parts = await world();
    const { log, server } = parts;
    let alive: Candidate[] = ['a', 'b', 'c'].map((identity) => parts.candidate(identity));
    let without = 0;
    for (let second = 0; second < 120; second++) {
      if (second % 7 === 3) server.fault({ act: second % 2 === 0 ? 'lose-answer' : { status: 500 }, times: 2 });
      await parts.pass(1_000);
      const leaders = alive.filter(({ elector }) => elector.isLeader);
      assert.ok(leaders.length <= 1, log.join());
      without = leaders.length === 0 ? without + 1 : 0;
      assert.ok(without < 20, `${without} s without a leader`);
      if (second % 30 === 29) {
        leaders[0]?.stop.abort(new Error('stop'));
        alive = alive.filter((candidate) => candidate !== leaders[0]);
        alive.push(parts.candidate(`new-${second}`));
      }
    }
    assert.ok(log.filter((line) => line.endsWith('started')).length >= 4);
    for (let index = 0; index + 1 < log.length; index += 2) {
      assert.equal(log[index]?.replace('started', 'stopped'), log[index + 1]);
    }
  }).timeout(10_000);

  it('reacquires its lease immediately after an outage in which no other client has changed it', async () => {
    await using parts = await world();
    const a = parts.candidate('a');
    await leading(a);
    parts.server.fault({ act: { status: 500 }, times: 8 });
    await parts.pass(24_000);
    assert.deepEqual(parts.log, ['a started', 'a stopped', 'a started']);
    assert.equal(parts.lease?.metadata.uid, 'first');
  });

  it('rejects durations that leave no time to stop', () => {
    const elector = (times: { leaseDurationMs?: number; renewDeadlineMs?: number; retryPeriodMs?: number }) => () =>
      new LeaseElector({
        client: {} as KubeClient,
        namespace: 'n',
        name: 'x',
        identity: 'a',
        clock: new ManualClock(),
        random: () => 0,
        onStarted() {},
        onStopped() {},
        ...times,
      });
    assert.throws(elector({ renewDeadlineMs: 15_000 }), RangeError);
    assert.throws(elector({ retryPeriodMs: 9_000 }), RangeError);
    assert.doesNotThrow(elector({ leaseDurationMs: 1_500, renewDeadlineMs: 1_000, retryPeriodMs: 200 }));
  });
});
