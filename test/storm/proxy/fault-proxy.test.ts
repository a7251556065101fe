// The fault proxy injects every fault of the catalogue: without this the storm would prove nothing.

import assert from 'node:assert/strict';
import { FAULT_KINDS, type FaultKind, type Way } from '../../../storm/fault-kinds.ts';
import { FaultProxy, type Moment } from '../../../storm/proxy/fault-proxy.ts';
import { bodyOf, exchange, type Reply, startRecordingServer, statusOf } from '../support/raw-exchange.ts';
import {
  PATIENCE_MS,
  STALL_MS,
  BODY,
  WRITTEN,
  PLAIN,
  type Seen,
  type Case,
  oneBitIn,
  caseOf,
} from '../support/fault-cases.ts';

async function meet(kind: FaultKind, { reply, way, statuses, part = 0.5 }: Case): Promise<Seen> {
  await using server = await startRecordingServer(reply, statuses);
  await using proxy = await FaultProxy.start({
    way: way ?? kind.ways[0] ?? 'write',
    target: server.url,
    plan: [{ kind, from: 1, to: 1, part }],
    stallMs: STALL_MS,
    byteEveryMs: 50,
  });
  const first = await exchange(proxy.url, BODY, PATIENCE_MS);
  if (kind.action.do === 'stop-listening') {
    const refused = await exchange(proxy.url, BODY, PATIENCE_MS);
    assert.equal(refused.how, 'refused');
  }
  await proxy.idle();
  const second = await exchange(proxy.url, BODY, PATIENCE_MS);
  const [seen] = proxy.seen;
  return { first, second, server, injected: seen?.fault === kind, stored: seen?.stored ?? [] };
}

function named(name: string): FaultKind {
  const kind = FAULT_KINDS.find((candidate) => candidate.name === name);
  assert.ok(kind !== undefined, name);
  return kind;
}

describe('the fault proxy', () => {
  for (const kind of FAULT_KINDS) {
    it(`injects ${kind.name}, once, and then forwards`, async () => {
      const given = caseOf(kind);
      assert.ok(given !== undefined, 'every kind of fault has a test');
      const seen = await meet(kind, given);
      assert.ok(seen.injected, 'it must be on record');
      given.check(seen);
      assert.equal(seen.second.how, 'whole');
      if (given.statuses === undefined) assert.equal(statusOf(seen.second), given.reply.status);
    });
  }

  it('does not record a fault that does not apply to the exchange', async () => {
    const text: Reply = { status: 200, headers: { 'content-type': 'text/plain' }, body: 'OK' };
    const seen = await meet(named('flipped-bit-in-json'), { reply: text, check: () => {} });
    assert.equal(seen.injected, false);
    assert.deepEqual(bodyOf(seen.first).toString(), 'OK');
  });

  it('flips a bit in any kind of response, and records it', async () => {
    await using server = await startRecordingServer(PLAIN);
    const plan = [{ kind: named('flipped-bit-in-json'), from: 1, to: 1, part: 0.5 }];
    await using proxy = await FaultProxy.start({ way: 'progress', target: server.url, plan, stallMs: STALL_MS });
    oneBitIn(await exchange(proxy.url, BODY, PATIENCE_MS), PLAIN);
    assert.equal(proxy.seen[0]?.fault?.name, 'flipped-bit-in-snappy');
  });

  it('does not modify a response without a body when the fault would truncate it', async () => {
    const seen = await meet(named('cut-in-response'), { reply: WRITTEN, check: () => {} });
    assert.equal(seen.injected, false);
    assert.equal(seen.first.how, 'whole');
  });

  it('reports each request on arrival and on completion, numbered from 1 in each run', async () => {
    await using server = await startRecordingServer(WRITTEN);
    const moments: [Way, number, Moment][] = [];
    await using proxy = await FaultProxy.start({
      way: 'write',
      target: server.url,
      plan: [],
      stallMs: STALL_MS,
      onMoment: (...moment) => moments.push(moment),
    });
    await exchange(proxy.url, BODY, PATIENCE_MS);
    proxy.beginRun(2);
    await exchange(proxy.url, BODY, PATIENCE_MS);
    await exchange(proxy.url, BODY, PATIENCE_MS);
    assert.deepEqual(moments, [
      ['write', 1, 'arrived'],
      ['write', 1, 'carried-out'],
      ['write', 1, 'arrived'],
      ['write', 1, 'carried-out'],
      ['write', 2, 'arrived'],
      ['write', 2, 'carried-out'],
    ]);
    assert.deepEqual(
      proxy.seen.map(({ request, run, goodBefore }) => [request, run, goodBefore]),
      [
        [1, 1, false],
        [2, 2, false],
        [3, 2, true],
      ],
    );
  });

  it('records a client that disconnected before its response', async () => {
    await using server = await startRecordingServer(WRITTEN);
    await using proxy = await FaultProxy.start({
      way: 'write',
      target: server.url,
      plan: [{ kind: named('connection-refused'), from: 2, to: 2, part: 0 }],
      stallMs: STALL_MS,
    });
    server.delayMs = 100;
    const cut = exchange(proxy.url, BODY, PATIENCE_MS);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await exchange(proxy.url, BODY, PATIENCE_MS);
    assert.equal((await cut).how, 'reset', 'its connection is cut with the other one');
    await proxy.idle();
    assert.equal(server.bodies.length, 1);
    assert.deepEqual(
      proxy.seen.map(({ fault, undelivered, stored }) => [fault?.name, undelivered, stored]),
      [
        [undefined, true, [204]],
        ['connection-refused', false, []],
      ],
    );
    assert.ok((proxy.seen[0]?.lagMs ?? 0) > 90);
  });

  it('reports that its upstream is unreachable', async () => {
    const server = await startRecordingServer(WRITTEN);
    await server[Symbol.asyncDispose]();
    await using proxy = await FaultProxy.start({ way: 'write', target: server.url, plan: [], stallMs: STALL_MS });
    await exchange(proxy.url, BODY, PATIENCE_MS);
    assert.match(proxy.seen[0]?.brokenBy ?? '', /ECONNREFUSED/);
  });
});
