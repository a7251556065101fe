import assert from 'node:assert/strict';
import { collection, leading, newWorld, type World, world } from '../support/lease-world.ts';

describe('the lease elector, when others delete or edit the lease', () => {
  /** Changes to the lease just after a renewal by the leader. */
  const meddling: [what: string, act: (parts: World) => void][] = [
    ['deletes it', (parts) => parts.delete()],
    ['empties it', (parts) => parts.patch({ holderIdentity: '' })],
    ['empties it in the form of a release', (parts) => parts.patch({ holderIdentity: '', leaseDurationSeconds: 1 })],
    ['deletes it and creates it from a backup', (parts) => restore(parts, 'another')],
    ['restores an older state of it', (parts) => parts.patch({ renewTime: '2026-01-01T00:00:00.000000Z' })],
    ['names another holder', (parts) => parts.patch({ holderIdentity: 'thief' })],
  ];
  function restore(parts: World, uid: string) {
    const backup = parts.lease!;
    parts.delete();
    parts.server.put(collection, { ...backup, metadata: { ...backup.metadata, uid } });
  }

  for (const [what, act] of meddling) {
    it(`stops the leader first, and starts the next one a lease duration later, when another client ${what}`, async () => {
      await using parts = await world();
      const a = parts.candidate('a');
      await leading(a);
      parts.candidate('b');
      await parts.pass(10_000);
      const actedAtMs = parts.clock.monotonicMs();
      act(parts);
      await parts.pass(2_500, 100);
      assert.ok(a.ended, `it has not stopped: ${parts.log.join()}`);
      await parts.pass(actedAtMs + 14_900 - parts.clock.monotonicMs(), 100);
      const starts = () => parts.log.filter((line) => line.endsWith('started'));
      assert.deepEqual(starts(), ['a started'], parts.log.join());
      await parts.pass(12_000, 500);
      assert.equal(starts().length, 2, parts.log.join());
      assert.equal(parts.working.length, 1);
    });
  }

  it('also waits when it has just started and has seen no lease', async () => {
    await using parts = await world();
    const a = parts.candidate('a');
    await leading(a);
    // The leader's requests are lost, so that it does not notice for as long as possible.
    parts.server.fault({ when: ({ body }) => JSON.stringify(body ?? '').includes('"a"'), act: 'no-answer', times: 99 });
    parts.delete();
    const b = parts.candidate('b');
    await parts.pass(14_000, 250);
    assert.deepEqual(parts.log, ['a started', 'b claimed for 15000', 'a stopped']);
    await parts.pass(2_000, 250);
    assert.equal(b.elector.isLeader, true);
  });

  it('waits again when the lease that it has acquired is deleted', async () => {
    await using parts = await newWorld();
    const a = parts.candidate('a');
    for (let round = 0; round < 6; round++) {
      await parts.pass(10_000, 500);
      assert.equal(a.elector.isLeader, false);
      parts.delete();
    }
    await parts.pass(20_000);
    assert.equal(a.elector.isLeader, true);
    assert.deepEqual([...new Set(parts.log)], ['a claimed for 15000', 'a started']);
  });

  it('waits for the duration that the observed holder used, if that is longer', async () => {
    await using parts = await newWorld();
    const spec = { holderIdentity: 'slow', leaseDurationSeconds: 40, renewTime: '2026-01-01T00:00:00.000000Z' };
    parts.server.put(collection, { metadata: { name: 'prom-migrator' }, spec });
    parts.candidate('b');
    await parts.pass(3_000);
    parts.delete();
    await parts.pass(40_000);
    assert.deepEqual(parts.log, ['b claimed for 40000']);
    await parts.pass(6_000);
    assert.deepEqual(parts.log, ['b claimed for 40000', 'b started']);
  });

  it('leaves an acquired lease that the next holder respects', async () => {
    await using parts = await newWorld();
    const a = parts.candidate('a');
    await parts.pass(10_000);
    a.stop.abort(new Error('stop'));
    await a.running;
    const b = parts.candidate('b');
    await parts.pass(15_000);
    assert.equal(b.elector.isLeader, false);
    await parts.pass(5_000);
    assert.equal(b.elector.isLeader, true);
  });

  it('recognizes a lease that it has created although the response was lost', async () => {
    await using parts = await newWorld();
    parts.server.fault({ when: ({ method }) => method === 'POST', act: 'lose-answer' });
    parts.candidate('a');
    await parts.pass(20_000);
    assert.deepEqual(parts.log, ['a claimed for 15000', 'a started']);
    assert.equal(parts.lease?.spec?.leaseTransitions, 0);
  });

  it('never lets two work, however often the lease is deleted, emptied and replaced while requests fail', async () => {
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    await using parts = await newWorld();
    for (const identity of ['a', 'b', 'c']) parts.candidate(identity);
    let next = 0;
    for (let round = 0; round < 16; round++) {
      await parts.pass(1_000 * (1 + random(25)));
      const [, act] = meddling[random(meddling.length)]!;
      if (parts.lease !== undefined) act(parts);
      if (random(3) === 0) parts.server.fault({ act: random(2) === 0 ? 'lose-answer' : { status: 500 }, times: 3 });
      if (random(4) === 0) parts.candidate(`new-${next++}`);
    }
    await parts.pass(40_000);
    assert.equal(parts.working.length, 1);
    assert.ok(parts.log.filter((line) => line.endsWith('started')).length >= 2, parts.log.join());
  }).timeout(30_000);
});
